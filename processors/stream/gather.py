"""The rows of a message, sorted by shard: copied once, so that each shard's rows lie together."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from segwatch.messages.partitioning import rows_by_group, shards_of
from segwatch.records.gather import copy_rows
from segwatch.records.segments import SegmentColumns, empty_segments, take_segments


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
        copy_rows(segments, order, self._memory, 0)
        return RowsByShard(take_segments(self._memory, slice(0, rows)), order, starts)
