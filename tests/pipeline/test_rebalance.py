"""Workers that join and leave all the time: nothing lost, nothing doubled, and traffic goes on."""

import time
from pathlib import Path

import pytest

from tests.pipeline.answers import differences, store_offline
from tests.pipeline.cluster import running
from tests.pipeline.trial import Load
from tests.support import REPOSITORY

CAPTURE = REPOSITORY / "segwatch" / "data" / "demo.pcap.gz"
_ROLES = (("processor", "--checkpoint-seconds", "1"), ("sink",))
_CHANGES = 12
_SECONDS_BETWEEN = 4.0


@pytest.mark.usefixtures("kafka_installed")
def test_workers_join_and_leave(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        steady = [cluster.spawn(*role) for role in _ROLES]
        load = Load(cluster, CAPTURE, "10")
        load.start()
        for change in range(_CHANGES):
            guest = cluster.spawn(*_ROLES[change % 2])
            time.sleep(_SECONDS_BETWEEN)
            guest.terminate()
            assert guest.wait(timeout=60) == 0, cluster.logs()
        assert cluster.query("SELECT count() > 0 FROM anomalies") == [(1,)], "traffic stood still meanwhile"
        load.finish()
        cluster.wait_until_stored(300)
        for worker in steady:
            worker.terminate()
        assert [worker.wait(timeout=60) for worker in steady] == [0, 0], cluster.logs()
        store_offline(cluster, [(str(CAPTURE), session) for session in load.sessions])
        assert differences(cluster) == {}
