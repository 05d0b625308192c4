"""Events of captures become messages of sessions."""

from functools import partial
from typing import TYPE_CHECKING

import pytest

from ingest.capture.counts import CaptureCounts
from ingest.capture.live.intake import Captured, Ended, Filtered, Intake, Opened
from ingest.publish import batches, sensor
from ingest.publish.backlog import Backlog
from ingest.publish.batches import Session
from ingest.publish.sensor import SensorSession
from segwatch.jobs import live_sessions
from segwatch.jobs.live_sessions import LiveSessions, described
from segwatch.kafka.topics import SEGMENTS, SENSORS
from segwatch.messages.segments import SegmentsHeader, read_segments
from segwatch.messages.status import SensorStatus, read_status
from tests.messages.rows import valid_segments

if TYPE_CHECKING:
    from ingest.publish.producer import Outgoing

FIRST, SECOND = "1" * 32, "2" * 32
_NEVER = 10**18
LONG_NANOSECONDS = 3_600_000_000_000
"""How long segments wait for others in these tests."""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be sent because time has passed: kernels may have to be compiled in the middle of a test."""
    monkeypatch.setattr(sensor, "Batcher", partial(batches.Batcher, delay=LONG_NANOSECONDS))
    monkeypatch.setattr(batches, "HEARTBEAT_NANOSECONDS", _NEVER)
    monkeypatch.setattr(sensor, "STATUS_NANOSECONDS", _NEVER)


class Rig:
    """Sessions of two interfaces, and what they send."""

    def __init__(self) -> None:
        self.intake = Intake()
        self.sent: list[Outgoing] = []
        numbers = iter([FIRST, SECOND])
        interfaces = ["eth0", "eth1"]
        self.sessions = LiveSessions("edge-1", interfaces, self.intake, lambda: next(numbers), self._new_session)

    def _new_session(self, session: Session) -> SensorSession:
        return SensorSession(session, 1, self.sent.append, lambda: 0, lambda: Backlog(0))

    def happens(self, *events: Opened | Filtered | Captured | Ended) -> None:
        """Let something happen."""
        for event in events:
            if isinstance(event, Captured):
                assert self.intake.offer(event)
            else:
                self.intake.put(event)
            self.sessions.step(0)

    def headers(self) -> list[SegmentsHeader]:
        """Return the headers of all messages of segments."""
        return [read_segments(one.value)[0] for one in self.sent if one.topic == SEGMENTS]

    def statuses(self, interface: str) -> list[SensorStatus]:
        """Return what was said of an interface."""
        every = [read_status(one.value) for one in self.sent if one.topic == SENSORS]
        return [one for one in every if one.interface == interface]


def captured(rows: int, **counts: int) -> Captured:
    """Return some segments of eth0."""
    return Captured("eth0", valid_segments(rows) if rows else None, CaptureCounts(**counts), 0)


def test_each_interface_has_sessions_of_its_own() -> None:
    rig = Rig()
    rig.happens(Opened("eth0", 256, "tcp"), Opened("eth1", 96, ""))
    rig.happens(captured(5, frames=7), Ended("eth0", "", final=True))
    assert not rig.sessions.ended
    rig.happens(Ended("eth1", "", final=True))
    assert rig.sessions.ended
    rig.sessions.report_end()
    assert [(one.interface, one.session, one.snaplen, one.last, one.live) for one in rig.headers()] == [
        ("eth0", FIRST, 256, True, True),
        ("eth1", SECOND, 96, True, True),
    ]
    assert [one.state for one in rig.statuses("eth0")] == ["starting", "stopping"]
    assert rig.statuses("eth0")[-1][:8] == rig.statuses("eth0")[0]._replace(ts=rig.statuses("eth0")[-1].ts)[:8]
    assert (rig.statuses("eth0")[-1].frames, rig.statuses("eth0")[-1].segments) == (7, 5)
    assert {one.key for one in rig.sent if one.topic == SENSORS} == {b"edge-1/eth0", b"edge-1/eth1"}
    assert [described(one)["session"] for one in rig.sessions.opened] == [FIRST, SECOND]


def test_an_interface_that_is_away_is_told_of_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    rig.happens(Opened("eth0", 256, ""), captured(5), Ended("eth0", "eth0 is down.", final=False))
    assert [one.last for one in rig.headers()] == [True]
    told = [(one.state, one.problem) for one in rig.statuses("eth0")]
    assert told == [("starting", ""), ("failed", "eth0 is down.")]
    assert "eth0: eth0 is down." in rig.sessions.text()
    monkeypatch.setattr(live_sessions, "STATUS_NANOSECONDS", 0)
    rig.sessions.step(0)
    assert len(rig.statuses("eth0")) == 3
    rig.happens(Opened("eth0", 256, ""), Ended("eth0", "", final=True))
    assert [one.session for one in rig.headers()] == [FIRST, SECOND]
    assert "down" not in rig.sessions.text()


def test_an_interface_that_was_never_there_is_told_of() -> None:
    rig = Rig()
    rig.happens(Ended("eth1", "eth1 is down.", final=False), Ended("eth1", "", final=True))
    assert [(one.state, one.problem) for one in rig.statuses("eth1")][-1] == ("failed", "eth1 is down.")
    assert rig.headers() == []
    assert rig.sessions.opened == []


def test_a_new_filter_is_in_the_status() -> None:
    rig = Rig()
    rig.happens(Opened("eth0", 256, "old"), Filtered("eth0", "new"), Ended("eth0", "", final=True))
    rig.sessions.report_end()
    assert [one.capture_filter for one in rig.statuses("eth0")] == ["old", "new"]


def test_drops_and_shares_are_in_the_messages_that_they_are_about() -> None:
    rig = Rig()
    rig.happens(
        Opened("eth0", 256, ""),
        captured(5, kernel_drops=3),
        captured(5, kernel_drops=4, keep_one_in=4, shed_segments=9),
        captured(5, kernel_drops=4, keep_one_in=2, shed_segments=12, seen_twice=3, one_way_conversations=2),
        Ended("eth0", "", final=True),
    )
    rig.sessions.report_end()
    assert [(one.keep_one_in, one.kernel_drops) for one in rig.headers()] == [(1, 4), (4, 0), (2, 0)]
    end = rig.statuses("eth0")[-1]
    assert (end.kernel_drops, end.shed_segments, end.keep_one_in) == (4, 12, 2)
    assert (end.seen_twice, end.one_way_conversations) == (3, 2)


def test_what_a_capture_ended_with_is_raised() -> None:
    rig = Rig()
    rig.intake.put(Ended("eth0", "", final=True, error=ZeroDivisionError("a defect")))
    with pytest.raises(ZeroDivisionError, match="a defect"):
        rig.sessions.step(0)


def test_it_waits_no_longer_than_until_a_message_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    rig, waited = Rig(), []

    def take(timeout: float) -> None:
        waited.append(timeout)

    rig.happens(Opened("eth0", 96, ""))
    rig.happens(captured(5))
    monkeypatch.setattr(rig.intake, "take", take)
    rig.sessions.step(2 * LONG_NANOSECONDS / 1e9)
    rig.sessions.step(0)
    assert 0 < waited[0] <= LONG_NANOSECONDS / 1e9
    assert waited[1] == 0
