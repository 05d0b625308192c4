"""``segwatch sensor --read`` on a real broker: what the decoder gives is what is in the log, whatever happens."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import create_topics
from segwatch.kafka.broker.local import LocalBroker
from segwatch.records.segments import SegmentColumns, take_segments
from tests.generate.__main__ import write_traffic
from tests.pipeline.published import check_session, decoded, message_count, sessions, statuses
from tests.support import CASES, REPOSITORY

PARTITIONS = 3
PATIENCE_SECONDS = 120
PIPE_BYTES = 6 << 20
"""More than is read to recognise a capture."""
DEMO = REPOSITORY / "segwatch" / "data" / "demo.pcap.gz"
SEGWATCH = (sys.executable, "-c", "import sys; from segwatch.cli.main import main; main(sys.argv[1:])")


@pytest.fixture(scope="module")
def own(kafka_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """Give a broker of this module's own with all topics: they have fixed names."""
    local = LocalBroker(tmp_path_factory.mktemp("sensor"))
    create_topics(local.start(), PARTITIONS)
    yield local
    local.stop()


@pytest.fixture
def address(own: LocalBroker) -> KafkaAddress:
    """Give the address of a broker that runs."""
    return own.start()


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a capture of some traffic."""
    path = tmp_path_factory.mktemp("captures") / "bulk.pcap"
    write_traffic("bulk", path, 200_000, 40, 1)
    return path


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(address: KafkaAddress) -> Iterator[Start]:
    """Give what starts a sensor; none outlives the test."""
    with ExitStack() as stack:

        def started(*arguments: str, **options: int) -> subprocess.Popen[str]:
            command = [*SEGWATCH, "sensor", "--kafka", address.bootstrap, "--json", *arguments]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield started


def finish(process: subprocess.Popen[str], code: int = 0) -> list[dict[str, object]]:
    """Wait for the end of a sensor; return the sessions that it tells of."""
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == code, err
    return json.loads(out)["sessions"] if out else []


def pace(segments: SegmentColumns, seconds: float) -> str:
    """Return the speed at which a capture lasts so long."""
    return str((int(segments.ts[-1]) - int(segments.ts[0])) / 1e9 / seconds)


def wait_for_messages(address: KafkaAddress, count: int) -> None:
    """Wait until there are more than ``count`` messages of segments."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while message_count(address) <= count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_log_holds_what_the_decoder_gives(start: Start, address: KafkaAddress) -> None:
    captures = [DEMO, CASES / "rto.pcap", CASES / "tunnels.pcap"]
    told = finish(start("--name", "edge-1", "--read", *map(str, captures)))
    assert [one["file"] for one in told] == [str(capture) for capture in captures]
    assert len({one["session"] for one in told}) == len(captures)
    found = sessions(address)
    for capture, one in zip(captures, told, strict=True):
        expected = decoded(capture)
        messages = found[str(one["session"])]
        check_session(messages, expected, PARTITIONS)
        headers = [header for made in messages.values() for header, _ in made]
        assert {header.sensor for header in headers} == {"edge-1"}
        assert {header.interface for header in headers} == {str(capture)}
        assert one["segments"] == len(expected.ts)
        assert one["messages"] == len(headers)
        assert one["complete"] is True


def test_the_sensor_tells_of_itself(start: Start, address: KafkaAddress) -> None:
    (told,) = finish(start("--name", "edge-2", "--read", str(DEMO)))
    first, *_, last = statuses(address, str(told["session"]))
    assert (first.state, first.segments, first.sensor) == ("starting", 0, "edge-2")
    assert (last.state, last.problem) == ("stopping", "")
    assert last.frames == last.segments == last.published_segments == told["segments"]
    assert last.queued_batches == last.undecoded == last.dropped_segments == 0


def test_standard_input_is_read_and_what_is_cut_is_published(start: Start, address: KafkaAddress, bulk: Path) -> None:
    whole = bulk.read_bytes()
    (cut_path := bulk.with_name("cut.pcap")).write_bytes(whole[: len(whole) // 3])
    with cut_path.open("rb") as file:
        process = start("--read", "-", stdin=file.fileno())
        (told,) = finish(process, code=4)
    assert told["complete"] is False
    check_session(sessions(address)[str(told["session"])], decoded(cut_path), PARTITIONS)
    assert "cut short" in statuses(address, str(told["session"]))[-1].problem


def test_a_broker_that_is_killed_loses_and_repeats_nothing(
    start: Start, own: LocalBroker, address: KafkaAddress, bulk: Path
) -> None:
    expected = decoded(bulk)
    process = start("--read", str(bulk), "--speed", pace(expected, 8))
    for _ in range(2):
        wait_for_messages(address, message_count(address) + 2 * PARTITIONS)
        assert own.kill() is True
        assert own.start() == address
    (told,) = finish(process)
    check_session(sessions(address)[str(told["session"])], expected, PARTITIONS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_sensor_that_is_stopped_publishes_what_it_read(
    start: Start, address: KafkaAddress, bulk: Path, number: signal.Signals
) -> None:
    expected = decoded(bulk)
    before = message_count(address)
    process = start("--read", str(bulk), "--speed", pace(expected, 100))
    wait_for_messages(address, before + PARTITIONS)
    process.send_signal(number)
    (told,) = finish(process)
    assert told["complete"] is False
    rows = int(str(told["segments"]))
    assert 0 < rows < len(expected.ts)
    check_session(sessions(address)[str(told["session"])], take_segments(expected, slice(0, rows)), PARTITIONS)


def test_a_silent_pipe_stops_no_end(start: Start, address: KafkaAddress, bulk: Path, tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    before = message_count(address)
    process = start("--read", str(pipe))
    with pipe.open("wb") as writing:
        writing.write(bulk.read_bytes()[:PIPE_BYTES])
        writing.flush()
        wait_for_messages(address, before)
        process.send_signal(signal.SIGTERM)
        (told,) = finish(process)
    assert told["complete"] is False


def test_patience_has_an_end(start: Start, own: LocalBroker, address: KafkaAddress, bulk: Path) -> None:
    before = message_count(address)
    process = start("--read", str(bulk), "--speed", pace(decoded(bulk), 20), "--patience", "2")
    wait_for_messages(address, before)
    own.kill()
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 6
    assert out == ""
    assert err.startswith(f"segwatch: Kafka at {address.bootstrap} has acknowledged nothing for ")
    assert len(err.splitlines()) == 1
