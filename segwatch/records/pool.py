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
        self._pool = BufferPool(_bytes_of(types, rows))

    def lease(self, rows: int) -> _Columns:
        """Return uninitialised columns for the pool's rows, or for more (outside the pool) where ``rows`` need it."""
        rows = max(rows, self.rows)
        return self._columns(**_columns_in(self._pool.lease(_bytes_of(self._types, rows)), self._types, rows))


def segment_pool(rows: int) -> ColumnPool[SegmentColumns]:
    """Return a pool of segment columns for ``rows`` rows."""
    return ColumnPool(SegmentColumns, SEGMENT_TYPES, rows)


def finding_pool(rows: int) -> ColumnPool[FindingColumns]:
    """Return a pool of finding columns for ``rows`` rows."""
    return ColumnPool(FindingColumns, {name: (element, ()) for name, element in FINDING_TYPES.items()}, rows)


def _room(rows: int, element: Any, shape: tuple[int, ...]) -> int:
    size: int = rows * np.dtype(element).itemsize * math.prod(shape)
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _bytes_of(types: _Types, rows: int) -> int:
    return sum(_room(rows, element, shape) for element, shape in types.values())


def _columns_in(memory: npt.NDArray[np.uint8], types: _Types, rows: int) -> dict[str, npt.NDArray[Any]]:
    columns: dict[str, npt.NDArray[Any]] = {}
    start = 0
    for name, (element, shape) in types.items():
        columns[name] = np.ndarray((rows, *shape), element, memory, start)  # keeps ``memory`` alive as its base
        start += _room(rows, element, shape)
    return columns
