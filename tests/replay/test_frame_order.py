"""Segments of several partitions in the order of their frames."""

import numpy as np

from segwatch.jobs.replay.frame_order import FrameOrder
from segwatch.records.segments import SegmentColumns, join_segments, take_segments
from tests.sinks.rows import some_segments

ROWS = 4000
PARTITIONS = 4


def _dealt(segments: SegmentColumns, seed: int) -> list[SegmentColumns]:
    """Return messages of each partition in order, the partitions mixed."""
    rng = np.random.default_rng(seed)
    partition = rng.integers(0, PARTITIONS, ROWS)
    waiting = [list(np.array_split(np.flatnonzero(partition == number), 20)) for number in range(PARTITIONS)]
    messages = []
    while any(waiting):
        chosen = int(rng.choice([number for number in range(PARTITIONS) if waiting[number]]))
        messages.append(take_segments(segments, waiting[chosen].pop(0)))
    return messages


def _ordered(messages: list[SegmentColumns], window: int) -> SegmentColumns:
    order = FrameOrder(window)
    return join_segments([*(order.add(message) for message in messages), order.rest()])


def test_a_window_that_is_wide_enough_gives_the_order_of_the_capture() -> None:
    segments = some_segments(ROWS)
    found = _ordered(_dealt(segments, 1), ROWS)
    for column, wanted in zip(found, segments, strict=True):
        np.testing.assert_array_equal(column, wanted)


def test_a_small_window_holds_little_and_keeps_each_partition_in_order() -> None:
    segments = some_segments(ROWS)
    segments.frame[:] = 1 + np.arange(ROWS) // 3  # several segments a frame
    segments.seq[:] = np.arange(ROWS)
    rng = np.random.default_rng(2)
    partition = rng.integers(0, PARTITIONS, ROWS)
    segments.sport[:] = partition
    parts = [np.flatnonzero(partition == number) for number in range(PARTITIONS)]
    messages = [take_segments(segments, rows) for p in parts for rows in np.array_split(p, 20)]
    order, window, held, released = FrameOrder(100), 100, 0, []
    for message in messages:
        out = order.add(message)
        released.append(out)
        held += len(message.ts) - len(out.ts)
        assert held < 2 * window
    released.append(order.rest())
    found = join_segments(released)
    assert sorted(found.seq.tolist()) == list(range(ROWS))
    for number in range(PARTITIONS):
        assert np.all(np.diff(found.seq[found.sport == number].astype(np.int64)) > 0)
