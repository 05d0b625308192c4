"""A sensor whose Kafka goes away, on a real broker: what waits on disk arrives, in order, or is counted."""

import errno
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from ingest.publish import spooling as spooling_module
from ingest.publish.batches import Session
from ingest.publish.sensor import SensorSession
from ingest.publish.spool.file import FILE_OVERHEAD, spool_paths
from ingest.publish.spool.records import read_record
from ingest.publish.spool.spool import Limits
from segwatch.errors import UsageError
from segwatch.jobs import spooled_delivery as spooled_delivery_module
from segwatch.jobs.spooled_delivery import SpoolPlan, spooled_delivery
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.broker.local import LocalBroker
from segwatch.messages.partitioning import conversation_hashes, partitions_of
from segwatch.messages.segments import SegmentsHeader, read_segments
from segwatch.records.segments import join_segments, take_segments
from tests.generate.__main__ import write_traffic
from tests.messages.test_round_trip import same_segments
from tests.pipeline.published import (
    check_session,
    decoded,
    message_count,
    sessions,
    statuses,
    without_repetitions,
)
from tests.pipeline.sensors import PARTITIONS, PATIENCE_SECONDS, Start, finish, pace, wait_for_messages
from tests.support import CASES

SMALL = str(CASES / "rto.pcap")


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a capture of short conversations: all partitions have messages all the time."""
    path = tmp_path_factory.mktemp("captures") / "short.pcap"
    write_traffic("flows", path, 0, 120_000, 1)
    return path


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def headers(spool: Path) -> list[SegmentsHeader]:
    """Return what the messages in a spool say of themselves, as far as they are whole now."""
    found = []
    for path in spool_paths(spool):
        with path.open("rb") as file:
            file.seek(FILE_OVERHEAD)
            while (record := read_record(file)) is not None:
                found.append(read_segments(record.message().value)[0])
    return found


def until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait for a condition while a sensor runs."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_kafka_away_loses_nothing_and_keeps_the_order(
    start: Start,
    own: LocalBroker,
    address: KafkaAddress,
    short: Path,
    spool: Path,
) -> None:
    expected = decoded(short)
    seen = message_count(address)
    process = start("--spool", str(spool), "--read", str(short), "--speed", pace(expected, 20))
    for _ in range(2):
        wait_for_messages(address, seen + 2 * PARTITIONS)
        own.kill()
        until(lambda: len(headers(spool)) > 20, process)
        own.start()
        seen = message_count(address)
    (told,) = finish(process)
    assert (told["complete"], told["dropped_segments"], told["spooled_messages"]) == (True, 0, 0)
    check_session(sessions(address)[str(told["session"])], expected, PARTITIONS)
    assert spool_paths(spool) == []
    last = statuses(address, str(told["session"]))[-1]
    assert (last.published_segments, last.dropped_segments, last.spooled_batches) == (len(expected.ts), 0, 0)


def test_a_spool_too_small_loses_exactly_what_it_says(
    start: Start,
    own: LocalBroker,
    address: KafkaAddress,
    short: Path,
    spool: Path,
) -> None:
    expected = decoded(short)
    before = message_count(address)
    limit = 1 << 20
    process = start(
        "--spool", str(spool), "--spool-bytes", str(limit), "--read", str(short), "--speed", pace(expected, 20)
    )
    wait_for_messages(address, before + PARTITIONS)
    own.kill()
    until(lambda: any(int(path.stem) > 25 for path in spool_paths(spool)), process)
    assert sum(path.stat().st_size for path in spool_paths(spool)) <= limit
    own.start()
    (told,) = finish(process)
    dropped = int(str(told["dropped_segments"]))
    messages = sessions(address)[str(told["session"])]
    arrived = sum(len(segments.ts) for made in messages.values() for _, segments in made)
    assert 0 < dropped == len(expected.ts) - arrived
    missing = sum(made[-1][0].batch + 1 - len(made) for made in messages.values())
    assert missing > 0
    frames = expected.frame
    for made in messages.values():
        found = join_segments([segments for _, segments in made])
        assert np.all(np.diff(found.frame) >= 0)
        rows = np.searchsorted(frames, found.frame)
        assert same_segments(found, take_segments(expected, rows))
        assert made[-1][0].last
    last = statuses(address, str(told["session"]))[-1]
    assert last.dropped_segments == dropped


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_sensor_had_spooled_is_sent_by_the_next_one(
    start: Start, own: LocalBroker, address: KafkaAddress, short: Path, spool: Path, number: signal.Signals
) -> None:
    expected = decoded(short)
    before = message_count(address)
    process = start("--spool", str(spool), "--read", str(short), "--speed", pace(expected, 5))
    wait_for_messages(address, before + 2 * PARTITIONS)
    own.kill()
    until(lambda: sum(header.last for header in headers(spool)) == PARTITIONS, process)
    session = headers(spool)[0].session
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    if number is signal.SIGTERM:
        assert process.returncode == 0
        assert f"messages stay in the spool {spool}" in err
    next_start = start("--spool", str(spool), "--read", SMALL, "--speed", "1000")
    time.sleep(1)
    own.start()
    out, err = next_start.communicate(timeout=PATIENCE_SECONDS)
    assert next_start.returncode == 0, err
    found = sessions(address)[session]
    check_session({place: without_repetitions(made) for place, made in found.items()}, expected, PARTITIONS)
    assert "does not answer; segments go to the spool" in err
    assert spool_paths(spool) == []
    assert session not in out


def test_a_sensor_killed_in_the_middle_of_an_outage_leaves_no_gap(
    start: Start, own: LocalBroker, address: KafkaAddress, short: Path, spool: Path
) -> None:
    expected = decoded(short)
    before = message_count(address)
    process = start("--spool", str(spool), "--read", str(short), "--speed", pace(expected, 30))
    wait_for_messages(address, before + 2 * PARTITIONS)
    own.kill()
    until(lambda: len(headers(spool)) > 10 * PARTITIONS, process)
    spooled = headers(spool)
    process.kill()
    process.wait()
    own.start()
    finish(start("--spool", str(spool), "--read", SMALL, "--speed", "1000"))
    found = sessions(address)[spooled[0].session]
    places = partitions_of(conversation_hashes(expected), PARTITIONS)
    for partition, made in found.items():
        kept = without_repetitions(made)
        assert [header.batch for header, _ in kept] == list(range(len(kept)))
        assert {header.batch for header in spooled if header.partition == partition} <= set(range(len(kept)))
        rows = join_segments([segments for _, segments in kept])
        mine = np.flatnonzero(places == partition)[: len(rows.ts)]
        assert same_segments(rows, take_segments(expected, mine))


def test_the_brokers_are_known_as_soon_as_kafka_answers(own: LocalBroker, address: KafkaAddress, spool: Path) -> None:
    """A live sensor leaves out the traffic to them; the cluster tells of another name than the one to begin with."""
    (_, port), *_ = address.ends
    named, told = ("localhost", port), ("127.0.0.1", port)
    plan, begin = SpoolPlan(spool, Limits(1 << 20, 10**12)), KafkaAddress((f"localhost:{port}",))
    with spooled_delivery(begin, PATIENCE_SECONDS, plan) as delivery:
        assert {named, told} <= set(delivery.brokers())
    own.kill()
    with spooled_delivery(begin, PATIENCE_SECONDS, plan) as delivery:
        assert delivery.brokers() == [named]
        own.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while told not in delivery.brokers():
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize(("problem", "begins"), [(errno.ENOSPC, True), (errno.EROFS, False)])
def test_a_spool_that_cannot_be_written_at_the_start(
    own: LocalBroker, address: KafkaAddress, spool: Path, monkeypatch: pytest.MonkeyPatch, problem: int, begins: bool
) -> None:
    """A full disk may pass, and Kafka is there; what else is wrong is wrong in the settings."""

    def refuse(*_: object) -> None:
        raise OSError(problem, os.strerror(problem))

    monkeypatch.setattr(spooled_delivery_module, "remember_partitions", refuse)
    outcome = nullcontext() if begins else pytest.raises(UsageError, match="cannot be written")
    with outcome, spooled_delivery(address, PATIENCE_SECONDS, SpoolPlan(spool, Limits(1 << 20, 10**12))) as delivery:
        assert delivery.partitions == PARTITIONS


def test_a_client_that_is_stuck_is_replaced(
    own: LocalBroker, address: KafkaAddress, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender has ended, as far as anybody can tell: nothing is acknowledged any more, though Kafka answers."""
    monkeypatch.setattr(spooling_module, "STUCK_SECONDS", 2.0)
    expected, number = decoded(Path(SMALL)), uuid.uuid4().hex
    half = len(expected.ts) // 2
    with spooled_delivery(address, PATIENCE_SECONDS, SpoolPlan(spool, Limits(1 << 20, 10**12))) as delivery:
        made = Session("edge", number, SMALL, 256, live=False)
        sensor = SensorSession(made, PARTITIONS, delivery.put, delivery.acknowledged_rows, delivery.backlog)
        sensor.add(take_segments(expected, slice(0, half)))
        delivery.flush(threading.Event())
        producer = delivery._connection.producer
        assert producer is not None
        producer._sender.force_close()
        sensor.add(take_segments(expected, slice(half, None)))
        sensor.finish()
        delivery.flush(threading.Event())
    # On a slow machine a client is taken for stuck that was not: some messages come twice, none too early.
    found = sessions(address)[number]
    check_session({place: without_repetitions(found[place]) for place in found}, expected, PARTITIONS)


def test_two_sensors_of_one_spool(start: Start, short: Path, spool: Path) -> None:
    first = start("--spool", str(spool), "--read", str(short), "--speed", pace(decoded(short), 60))
    until((spool / "lock").exists, first)
    second = start("--spool", str(spool), "--read", SMALL, "--speed", "100")
    _, err = second.communicate(timeout=PATIENCE_SECONDS)
    assert second.returncode == 2
    assert err.startswith(f"segwatch: another sensor uses the spool {spool}; ")
    assert len(err.splitlines()) == 1
