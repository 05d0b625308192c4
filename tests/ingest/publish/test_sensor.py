"""One session of a sensor as messages."""

import pytest

from ingest.capture.counts import CaptureCounts
from ingest.publish import sensor
from ingest.publish.backlog import Backlog
from ingest.publish.batches import BATCH_NANOSECONDS, HEARTBEAT_NANOSECONDS, Session
from ingest.publish.producer import Outgoing
from ingest.publish.sensor import STATUS_NANOSECONDS, SensorSession
from segwatch.kafka.topics import SEGMENTS, SENSORS
from segwatch.messages.segments import read_segments
from segwatch.messages.status import read_status
from tests.messages.rows import valid_segments

SESSION = Session("edge-1", "0123456789abcdef" * 2, "capture.pcap", 96, live=False)


class Clock:
    """Stands in for the module ``time``."""

    def __init__(self) -> None:
        self.now = 1_000

    def monotonic_ns(self) -> int:
        return self.now

    def time_ns(self) -> int:
        return 1_700_000_000_000_000_000 + self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(sensor, "time", made)
    return made


@pytest.fixture
def sent(clock: Clock) -> list[Outgoing]:
    return []


@pytest.fixture
def session(sent: list[Outgoing]) -> SensorSession:
    return SensorSession(SESSION, 2, sent.append, lambda: 7 + sum(one.rows for one in sent), lambda: Backlog(4))


def test_a_session_begins_and_ends_with_a_word(session: SensorSession, sent: list[Outgoing]) -> None:
    session.count(CaptureCounts(frames=120, undecoded=3))
    session.add(valid_segments(100))
    session.finish()
    session.report("stopping", "the file is cut")
    first, last = (read_status(message.value) for message in sent if message.topic == SENSORS)
    assert (first.state, first.frames, first.segments, first.published_segments) == ("starting", 0, 0, 0)
    assert last == first._replace(
        state="stopping", problem="the file is cut", frames=120, segments=100, undecoded=3, published_segments=100
    )
    assert (first.interface, first.snaplen, first.queued_batches) == ("capture.pcap", 96, 4)
    assert {message.key for message in sent if message.topic == SENSORS} == {b"edge-1"}


def test_segments_go_to_the_partitions_of_their_headers(session: SensorSession, sent: list[Outgoing]) -> None:
    session.add(valid_segments(100))
    session.finish()
    messages = [message for message in sent if message.topic == SEGMENTS]
    assert [message.partition for message in messages] == [0, 1]
    for message in messages:
        header, segments = read_segments(message.value)
        assert (header.partition, header.sensor, header.last) == (message.partition, "edge-1", True)
        assert len(segments.ts) == message.rows
    assert (session.segments, session.messages, session.partitions) == (100, 2, {0, 1})


def test_time_passes_without_segments(session: SensorSession, sent: list[Outgoing], clock: Clock) -> None:
    sent.clear()
    session.poll()
    assert sent == []
    clock.now += HEARTBEAT_NANOSECONDS
    session.poll()
    assert [(message.topic, message.rows) for message in sent] == [(SEGMENTS, 0), (SEGMENTS, 0)]
    sent.clear()
    clock.now += STATUS_NANOSECONDS - HEARTBEAT_NANOSECONDS
    session.poll()
    (status,) = (read_status(message.value) for message in sent)
    assert status.state == "running"


def test_a_session_tells_of_its_spool(clock: Clock) -> None:
    sent: list[Outgoing] = []
    backlog = [Backlog(1, dropped_rows=50)]
    session = SensorSession(SESSION, 1, sent.append, lambda: 0, lambda: backlog[0])
    backlog[0] = Backlog(9, 7, 700, dropped_messages=2, dropped_rows=120, is_spooling=True, problem="the disk is full")
    clock.now += STATUS_NANOSECONDS
    session.poll()
    first, last = [read_status(message.value) for message in sent if message.topic == SENSORS]
    assert (first.state, first.dropped_segments, first.spooled_batches) == ("starting", 0, 0)
    assert (last.state, last.problem) == ("spooling", "the disk is full")
    assert (last.queued_batches, last.spooled_batches, last.spooled_bytes, last.dropped_segments) == (9, 7, 700, 70)


def test_it_says_when_it_has_something_to_publish(session: SensorSession, sent: list[Outgoing], clock: Clock) -> None:
    session.add(valid_segments(3))
    assert session.due_seconds() == BATCH_NANOSECONDS / 1e9
    for expected in (SEGMENTS, SEGMENTS, SENSORS):
        clock.now += round(session.due_seconds() * 1e9) - 1
        before = len(sent)
        session.poll()
        assert len(sent) == before
        clock.now += 1
        session.poll()
        assert {message.topic for message in sent[before:]} == {expected}
    clock.now += 10 * STATUS_NANOSECONDS
    assert session.due_seconds() == 0
