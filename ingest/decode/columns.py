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
        self._layout = _Layout(rows)
        self._pool = BufferPool(self._layout.size)

    def lease(self, rows: int) -> SegmentColumns:
        """Return uninitialised columns for the pool's rows, or for more (outside the pool) where ``rows`` need it."""
        layout = self._layout if rows <= self.rows else _Layout(rows)
        return layout.columns(self._pool.lease(layout.size))


class _Layout:
    """Where the columns for some rows begin in their memory; computed once, for it takes a tenth of decoding's time."""

    def __init__(self, rows: int) -> None:
        self._columns: list[tuple[tuple[int, ...], np.dtype[Any], int]] = []
        start = 0
        for element, shape in SEGMENT_TYPES.values():
            dtype = np.dtype(element)
            self._columns.append(((rows, *shape), dtype, start))
            size = rows * dtype.itemsize * math.prod(shape)
            start += -(-size // _ALIGNMENT) * _ALIGNMENT
        self.size = start
        """Bytes of all columns."""

    def columns(self, memory: npt.NDArray[np.uint8]) -> SegmentColumns:
        """Return the columns; each keeps ``memory`` alive as its base."""
        return SegmentColumns(*(np.ndarray(shape, dtype, memory, start) for shape, dtype, start in self._columns))
