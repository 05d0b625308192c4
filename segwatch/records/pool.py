"""Columns in recycled memory."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from segwatch.buffers import BufferPool
from segwatch.records.findings import FINDING_TYPES, FindingColumns
from segwatch.records.segments import SEGMENT_TYPES, SegmentColumns

_ALIGNMENT = 64
"""A cache line."""
_Columns = TypeVar("_Columns")
_Types = Mapping[str, tuple[Any, tuple[int, ...]]]


class ColumnPool(Generic[_Columns]):
    """Hands out columns for a fixed number of rows; they come back by themselves.

    Columns are taken again once nothing refers to any of them, or to a slice of one, any more. So batches may wait in
    a queue for another thread, at the price of memory: a slice that is kept holds its whole batch.
    """

    def __init__(self, columns: Callable[..., _Columns], types: _Types, rows: int) -> None:
        self.rows = rows
        self._columns = columns
        self._types = types
        self._layout = _Layout(types, rows)
        self._pool = BufferPool(self._layout.size)

    def lease(self, rows: int) -> _Columns:
        """Return uninitialised columns for the pool's rows, or for more (outside the pool) where ``rows`` need it."""
        layout = self._layout if rows <= self.rows else _Layout(self._types, rows)
        return self._columns(*layout.columns(self._pool.lease(layout.size)))


class _Layout:
    """Where the columns for some rows begin in their memory; computed once, for it takes a tenth of decoding's time."""

    def __init__(self, types: _Types, rows: int) -> None:
        self._columns: list[tuple[tuple[int, ...], np.dtype[Any], int]] = []
        start = 0
        for element, shape in types.values():
            dtype = np.dtype(element)
            self._columns.append(((rows, *shape), dtype, start))
            size = rows * dtype.itemsize * math.prod(shape)
            start += -(-size // _ALIGNMENT) * _ALIGNMENT
        self.size = start
        """Bytes of all columns."""

    def columns(self, memory: npt.NDArray[np.uint8]) -> list[npt.NDArray[Any]]:
        """Return the columns; each keeps ``memory`` alive as its base."""
        return [np.ndarray(shape, dtype, memory, start) for shape, dtype, start in self._columns]


def segment_pool(rows: int) -> ColumnPool[SegmentColumns]:
    """Return a pool of segment columns for ``rows`` rows."""
    return ColumnPool(SegmentColumns, SEGMENT_TYPES, rows)


def finding_pool(rows: int) -> ColumnPool[FindingColumns]:
    """Return a pool of finding columns for ``rows`` rows."""
    return ColumnPool(FindingColumns, {name: (element, ()) for name, element in FINDING_TYPES.items()}, rows)
