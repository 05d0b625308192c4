"""Segment columns in recycled memory."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.capture.buffers import BufferPool
from segwatch.records.segments import SEGMENT_TYPES, SegmentColumns

_ALIGNMENT = 64
"""A cache line."""


class ColumnPool:
    """Hands out columns for a fixed number of rows; they come back by themselves.

    Columns are taken again once nothing refers to any of them, or to a slice of one, any more. So batches may wait in
    a queue for another thread, at the price of memory: a slice that is kept holds its whole batch.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._pool = BufferPool(_bytes_of(rows))

    def lease(self, rows: int) -> SegmentColumns:
        """Return uninitialised columns for the pool's rows, or for more (outside the pool) where ``rows`` need it."""
        rows = max(rows, self.rows)
        return _columns_in(self._pool.lease(_bytes_of(rows)), rows)


def _room(rows: int, element: Any, shape: tuple[int, ...]) -> int:
    size: int = rows * np.dtype(element).itemsize * math.prod(shape)
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _bytes_of(rows: int) -> int:
    return sum(_room(rows, element, shape) for element, shape in SEGMENT_TYPES.values())


def _columns_in(memory: npt.NDArray[np.uint8], rows: int) -> SegmentColumns:
    columns = {}
    start = 0
    for name, (element, shape) in SEGMENT_TYPES.items():
        columns[name] = np.ndarray((rows, *shape), element, memory, start)  # keeps ``memory`` alive as its base
        start += _room(rows, element, shape)
    return SegmentColumns(**columns)
