"""The rows of a message, sorted by shard: copied once, so that each shard's rows lie together."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from segwatch.compilation import kernel
from segwatch.messages.partitioning import rows_by_group, shards_of
from segwatch.records.segments import SEGMENT_TYPES, SegmentColumns, empty_segments, take_segments


@kernel
def _copy_rows(source: Any, order: Any, target: Any) -> None:
    for row in range(len(order)):
        target[row] = source[order[row]]


@kernel
def _copy_wide_rows(source: Any, order: Any, target: Any) -> None:
    for row in range(len(order)):
        for word in range(source.shape[1]):
            target[row, word] = source[order[row], word]


class RowsByShard(NamedTuple):
    """N rows, those of the first shard first; within a shard in their order in the message."""

    segments: SegmentColumns
    order: npt.NDArray[np.int64]
    """(N,) the row in the message."""
    starts: npt.NDArray[np.int64]
    """(shards + 1,) where each shard's rows start."""


class Gatherer:
    """Sorts the rows of one message after the other, in memory that is used again."""

    def __init__(self, shards: int) -> None:
        self._shards = shards
        self._memory = empty_segments(0)

    def sort(self, segments: SegmentColumns, hashes: npt.NDArray[np.uint64]) -> RowsByShard:
        """Return the rows by shard; valid until the next call."""
        rows = len(segments.ts)
        order, starts = rows_by_group(shards_of(hashes, self._shards), self._shards)
        if rows > len(self._memory.ts):
            self._memory = empty_segments(2 * rows)
        sorted_rows = take_segments(self._memory, slice(0, rows))
        for name, (_, shape) in SEGMENT_TYPES.items():
            copy = _copy_wide_rows if shape else _copy_rows
            copy(getattr(segments, name), order, getattr(sorted_rows, name))
        return RowsByShard(sorted_rows, order, starts)
