"""The queue between capture and publisher."""

from ingest.capture.counts import CaptureCounts
from ingest.capture.live.intake import LEAST_ROWS, Captured, Ended, Intake
from segwatch.records.segments import SegmentColumns
from tests.messages.rows import valid_segments


def captured(segments: SegmentColumns | None) -> Captured:
    """Return an event."""
    return Captured("eth0", segments, CaptureCounts(), 0)


def test_rows_beyond_the_limit_are_refused_and_words_are_not() -> None:
    intake = Intake(most_rows=4 * LEAST_ROWS)
    large = captured(valid_segments(3 * LEAST_ROWS))
    assert intake.offer(large)
    assert intake.fill == 0.75
    assert not intake.offer(large)
    assert intake.offer(captured(valid_segments(1)))  # it counts as the memory that it holds
    assert intake.fill == 1.0
    assert intake.offer(captured(None))
    intake.put(Ended("eth0", "", final=True))
    assert intake.take(0) is large
    assert intake.fill == 0.25
    assert intake.take(0) is not None
    assert intake.take(0) == captured(None)
    assert intake.take(0) == Ended("eth0", "", final=True)
    assert intake.take(0) is None
    assert intake.fill == 0.0


def test_a_batch_larger_than_the_limit_passes_an_empty_queue() -> None:
    assert Intake(most_rows=10).offer(captured(valid_segments(2000)))
