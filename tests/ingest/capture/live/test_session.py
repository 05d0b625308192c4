"""A capture session around a handle that the test plays."""

import time
from dataclasses import dataclass, field

import numpy as np
import pytest

from ingest.capture.live import capture
from ingest.capture.live.capture import LATE_NANOSECONDS, Session
from ingest.capture.live.handle import CaptureCounters, InterfaceLostError
from ingest.capture.live.intake import Captured, Intake
from ingest.capture.live.one_way import LEAST_SEGMENTS
from ingest.capture.live.shedding import Shedder
from segwatch.records.frames import FrameColumns
from segwatch.vocabulary import Quality

SYN = bytes.fromhex(
    "020000000002020000000001080045000028000100004006f97d0a0000010a0000020400005000000001000000005002ffff00000000"
)
ARP = SYN[:12] + b"\x08\x06" + SYN[14:]
LOSS, STEP = np.uint32(Quality.CAPTURE_LOSS), np.uint32(Quality.CLOCK_STEP)


@dataclass
class Handle:
    """Gives the frames that were put into it."""

    interface: str = "eth0"
    index: int = 1
    link_type: int = 1
    frames: int = 0
    dropped: CaptureCounters = field(default_factory=lambda: CaptureCounters(2**32 - 1, 0))
    coming: list[bytes] = field(default_factory=list)
    lost: bool = False

    def read(self, _patience: float) -> FrameColumns | None:
        if not self.coming:
            return None
        rows = len(self.coming)
        content, sizes = b"".join(self.coming), np.array([len(one) for one in self.coming], np.uint32)
        first = self.frames + 1
        self.frames += rows
        self.coming = []
        return FrameColumns(
            np.frombuffer(content, np.uint8), np.cumsum(sizes, dtype=np.int64) - sizes, sizes, sizes,
            np.full(rows, time.time_ns()), np.arange(first, first + rows), np.full(rows, self.link_type, np.uint16),
        )  # fmt: skip

    def counters(self) -> CaptureCounters:
        return self.dropped

    def check(self) -> None:
        if self.lost:
            raise InterfaceLostError("eth0 is down.")


class Rig:
    """A session and what is around it."""

    def __init__(self, most_rows: int = 1000) -> None:
        self.handle = Handle()
        self.intake = Intake(most_rows, least_rows=1)
        self.session = Session(self.handle, Shedder(), self.intake)  # type: ignore[arg-type]  # it is used as one

    def captured(self, *frames: bytes) -> Captured:
        """Return what comes of some frames."""
        self.handle.coming = list(frames)
        assert self.session.take(0) is bool(frames)
        event = self.intake.take(0)
        assert isinstance(event, Captured)
        return event


def test_segments_and_counters_come_out() -> None:
    rig = Rig()
    event = rig.captured(SYN, ARP, SYN, SYN[:30])
    assert event.segments is not None
    assert event.segments.frame.tolist() == [1, 3]
    assert (event.counts.frames, event.counts.undecoded, event.counts.kernel_drops) == (4, 1, 0)
    assert rig.captured(SYN).counts.frames == 5


def test_drops_are_counted_across_the_end_of_32_bits_and_mark_what_comes_with_and_after_them() -> None:
    rig = Rig()
    before = rig.captured(SYN)
    rig.handle.dropped = CaptureCounters(4, 2)
    events = [before, rig.captured(SYN), rig.captured(SYN)]
    assert [event.counts.kernel_drops for event in events] == [0, 5, 5]
    assert [event.counts.interface_drops for event in events] == [0, 2, 2]
    assert [bool(event.segments.quality[0] & LOSS) for event in events if event.segments] == [False, True, True]


def test_a_clock_that_is_set_marks_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    before = rig.captured(SYN)
    steps = [-7_200_000_000_000]
    monkeypatch.setattr(rig.session._clock, "step", lambda: steps.pop() if steps else 0)
    events = [before, rig.captured(SYN), rig.captured(SYN)]
    assert [event.counts.clock_steps for event in events] == [0, 1, 1]
    assert [bool(event.segments.quality[0] & STEP) for event in events if event.segments] == [False, True, True]


def test_time_passes_on_an_idle_interface() -> None:
    rig = Rig()
    event = rig.captured()
    assert event.segments is None
    assert 0 <= time.time_ns() - LATE_NANOSECONDS - event.until < 60_000_000_000
    assert rig.session.take(0) is False
    assert rig.intake.take(0) is None  # too soon for another one


def test_copies_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    monkeypatch.setattr(time, "time_ns", lambda: 10**18)
    numbered = SYN[:18] + b"\x12\x34" + SYN[20:]
    other = SYN[:18] + b"\x12\x35" + SYN[20:]
    events = [rig.captured(numbered, other), rig.captured(numbered, SYN)]
    assert [event.counts.seen_twice for event in events] == [0, 1]
    marked = [event.segments.quality & np.uint32(Quality.SEEN_TWICE) for event in events if event.segments]
    assert [(one != 0).tolist() for one in marked] == [[False, False], [True, False]]


def test_conversations_of_one_direction_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    rig, now = Rig(), [10**18]
    monkeypatch.setattr(time, "time_ns", lambda: now[0])
    acknowledgment = SYN[:47] + b"\x10" + SYN[48:]
    events = []
    for _ in range(LEAST_SEGMENTS + 1):
        now[0] += 100_000_000
        events.append(rig.captured(acknowledgment))
    assert [event.counts.one_way_conversations for event in events] == [0] * (LEAST_SEGMENTS - 1) + [1, 1]
    marked = [bool(event.segments.quality[0] & np.uint32(Quality.ONE_WAY)) for event in events if event.segments]
    assert marked == [False] * (LEAST_SEGMENTS - 1) + [True, True]


def test_what_has_no_room_is_counted_as_shed_and_marks_what_comes_after() -> None:
    rig = Rig(most_rows=2)
    rig.handle.coming = [SYN, SYN]
    rig.session.take(0)
    rig.handle.coming = [SYN, SYN, SYN]
    rig.session.take(0)
    first = rig.intake.take(0)
    assert isinstance(first, Captured)
    assert first.counts.shed_segments == 0
    after = rig.captured(SYN)
    assert after.counts.shed_segments == 3
    assert after.segments is not None
    assert after.segments.quality[0] & LOSS


def test_the_end_comes_though_traffic_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(most_rows=10**6)
    looks = 0

    def step() -> int:
        nonlocal looks
        looks += 1
        rig.handle.coming = [SYN]
        return 0

    monkeypatch.setattr(capture, "FINISH_SECONDS", 0.05)
    monkeypatch.setattr(rig.session._clock, "step", step)
    rig.handle.coming = [SYN]
    rig.session.finish()
    assert looks > 0


def test_a_lost_interface_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    rig.handle.lost = True
    monkeypatch.setattr(capture, "TICK_NANOSECONDS", 0)
    with pytest.raises(InterfaceLostError, match="eth0 is down"):
        rig.session.take(0)
