"""What the capture itself may have spoilt is marked."""

import numpy as np
import pytest

from ingest.capture.live.clock import STEP_NANOSECONDS, StepDetector
from ingest.capture.live.quality import LINGER_NANOSECONDS, SuperSegments, Suspicion
from segwatch.records.frames import FrameColumns
from segwatch.vocabulary import Quality
from tests.messages.rows import valid_segments

LOSS = np.uint32(Quality.CAPTURE_LOSS)
SUPER = np.uint32(Quality.SUPER_SEGMENT)


def marked(suspicion: Suspicion, *times: int) -> list[bool]:
    """Return whether segments of these times are marked."""
    segments = valid_segments(len(times))
    segments.ts[:] = times
    segments.quality[:] = 0
    suspicion.mark(segments)
    assert set(segments.quality.tolist()) <= {0, int(LOSS)}
    return (segments.quality != 0).tolist()


def test_rows_around_a_loss_are_marked() -> None:
    suspicion = Suspicion(Quality.CAPTURE_LOSS)
    assert marked(suspicion, 0, 1000, 2000) == [False, False, False]
    suspicion.span(1000, 2000)
    end = 2000 + LINGER_NANOSECONDS
    assert marked(suspicion, 999, 1000, 2000, end, end + 1) == [False, True, True, True, False]


def test_losses_that_follow_each_other_are_one() -> None:
    suspicion = Suspicion(Quality.CAPTURE_LOSS)
    suspicion.span(1000, 2000)
    suspicion.span(3000, 4000)
    end = 4000 + LINGER_NANOSECONDS
    assert marked(suspicion, 999, 1000, 2500, end, end + 1) == [False, True, True, True, False]
    later = 10 * LINGER_NANOSECONDS
    suspicion.span(later, later)
    assert marked(suspicion, 1000, later - 1, later) == [False, False, True]


def some_frames(wirelen: list[int], linktype: int, content: bytes = b"") -> FrameColumns:
    """Return frames of 64 captured bytes each that begin with ``content``."""
    rows = len(wirelen)
    buffer = np.frombuffer(content.ljust(64, b"\0") * rows, np.uint8)
    return FrameColumns(
        buffer, np.arange(rows) * 64, np.full(rows, 64, np.uint32), np.array(wirelen, np.uint32),
        np.zeros(rows, np.int64), np.arange(11, 11 + rows), np.full(rows, linktype, np.uint16),
    )  # fmt: skip


def test_frames_longer_than_the_mtu_are_marked() -> None:
    frames = some_frames([60, 1514, 1522, 1523, 65000], 1)
    segments = valid_segments(4)
    segments.frame[:] = [11, 13, 14, 15]  # frame 12 gave none
    segments.quality[:] = 0
    found = SuperSegments(1, {3: 1500, 4: 9000}, 3)
    assert found.mark(frames, segments) == 2
    assert (segments.quality == SUPER).tolist() == [False, False, True, True]
    assert SuperSegments(1, {3: 1500, 4: 65536}, 4).mark(frames, segments) == 0


@pytest.mark.parametrize(("interface", "count"), [(2, 1), (300, 0), (9, 0)])
def test_any_has_a_limit_for_each_interface(interface: int, count: int) -> None:
    """The header of Linux cooked captures, version 2, names the interface."""
    header = b"\x08\x00\0\0" + interface.to_bytes(4, "big")
    segments = valid_segments(1)
    segments.frame[:] = 11
    found = SuperSegments(276, {2: 1500, 300: 9000}, 0)
    assert found.mark(some_frames([1521], 276, header), segments) == count


def test_a_clock_that_is_set_is_noticed_once() -> None:
    times = {"day": 10**18, "monotonic": 0}
    detector = StepDetector(lambda: times["day"], lambda: times["monotonic"])

    def after(day: int, monotonic: int) -> int:
        times["day"] += day
        times["monotonic"] += monotonic
        return detector.step()

    assert after(10**9, 10**9) == 0
    assert after(60 * 10**9, 60 * 10**9 + STEP_NANOSECONDS) == 0
    assert after(10**9, 10**9 + 1) == -STEP_NANOSECONDS - 1
    assert after(10**9, 10**9) == 0
    assert after(3601 * 10**9, 10**9) == 3600 * 10**9
    assert after(-7200 * 10**9, 0) == -7200 * 10**9
    assert after(10**9, 10**9) == 0
