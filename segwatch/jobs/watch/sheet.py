"""A sheet: columns of a view before they are laid out."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


class Column(NamedTuple):
    """A column of N rows."""

    heading: str
    values: npt.NDArray[Any] | None
    """(N,) numbers to sort by, None where it cannot be sorted by."""
    text: Callable[[int], str]
    """Gives the text of a row."""
    width: int = 5
    """Characters; of a name, the least."""
    is_name: bool = False
    """Stands at the left, and takes what room there is."""


class Sheet(NamedTuple):
    """A view's rows; the columns come in the order in which they appear as a terminal gets wider."""

    columns: list[Column]
    rows: npt.NDArray[np.int64]
    """Those that the filter lets through."""
    scores: npt.NDArray[Any]
    """(N,) what the rows are sorted by where no column was chosen."""

    def sortable(self) -> list[str]:
        """Return the headings of the columns that can be sorted by."""
        return [column.heading for column in self.columns if column.values is not None]

    def best(self, count: int, heading: str | None, *, reverse: bool) -> list[int]:
        """Return the first ``count`` rows, the largest first (``reverse``: the smallest), equal ones in their order."""
        values = self.scores
        for column in self.columns:
            if column.heading == heading and column.values is not None:
                values = column.values
        keys = values[self.rows] if reverse else -values[self.rows]
        if len(keys) > count:
            limit = np.partition(keys, count)[count]
            near = np.flatnonzero(keys <= limit)
            return [int(row) for row in self.rows[near[np.argsort(keys[near], kind="stable")]][:count]]
        return [int(row) for row in self.rows[np.argsort(keys, kind="stable")]]
