"""What arrives in ClickHouse by way of sensor, Kafka, two processors and a sink is what one engine says of the file."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.certificates import SECRET_WORDS
from tests.pipeline.answers import differences, store_offline
from tests.pipeline.cluster import Cluster, running
from tests.pipeline.secured import SecuredCluster
from tests.support import CASES, captures_directory

_MOST_BYTES = 600_000
_SAMPLE = 100


def _through_the_pipeline(
    folder: Path,
    files: list[str],
    kind: type[Cluster] = Cluster,
    also: Callable[[Cluster], None] = lambda _: None,
) -> None:
    """``also`` looks at the cluster while its processes run."""
    with running(folder, kind=kind) as cluster:
        workers = [cluster.spawn("processor", "--checkpoint-seconds", "1") for _ in range(2)]
        workers.append(cluster.spawn("sink"))
        captures = cluster.publish(*files)
        assert [Path(one["file"]).name for one in captures] == [Path(file).name for file in files]
        cluster.wait_until_stored(300)
        store_offline(cluster, [(one["file"], one["session"]) for one in captures])
        assert differences(cluster) == {}
        assert cluster.query("SELECT count() > 0 FROM anomalies") == [(1,)]
        assert cluster.query("SELECT count() > 0 FROM current_verdicts") == [(1,)]
        also(cluster)
        for worker in workers:
            worker.terminate()
        assert [worker.wait(timeout=60) for worker in workers] == [0, 0, 0], cluster.logs()


@pytest.mark.usefixtures("kafka_installed")
def test_the_cases_of_the_specification(tmp_path: Path) -> None:
    _through_the_pipeline(tmp_path, sorted(str(path) for path in CASES.glob("*.pcap")))


@pytest.mark.usefixtures("kafka_installed")
def test_the_cases_by_tls_logins_and_least_rights(tmp_path: Path) -> None:
    _through_the_pipeline(
        tmp_path, sorted(str(path) for path in CASES.glob("*.pcap")), SecuredCluster, _no_secret_is_seen
    )


def _no_secret_is_seen(cluster: Cluster) -> None:
    """Passwords stand neither in the list of processes nor in what they say."""
    lists = [Path(f"/proc/{process.pid}/cmdline").read_bytes() for process in cluster.processes]
    assert all(b"segwatch" in one or b"tests.pipeline" in one for one in lists)
    said = [path.read_bytes() for path in cluster.folder.rglob("*.log")]
    assert len(said) > len(lists)
    assert not any(SECRET_WORDS.encode() in one for one in (*lists, *said))


@pytest.mark.usefixtures("kafka_installed")
def test_real_captures(tmp_path: Path) -> None:
    """A hundred of them, chosen by their names' digests."""
    folder = captures_directory()
    files = [path for path in folder.iterdir() if path.is_file() and path.stat().st_size < _MOST_BYTES]
    files = [path for path in files if path.suffix.startswith((".pcap", ".cap"))]
    files.sort(key=lambda path: hashlib.sha256(path.name.encode()).digest())
    _through_the_pipeline(tmp_path, [str(path) for path in files[:_SAMPLE]])
