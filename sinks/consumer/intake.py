"""Which rows of a message are new: a mark for each partition says how far its rows were taken.

A processor sends findings again after a crash, cut into other messages, in the same order and with the same
positions. Where a send of its failed, it exits and later begins again before the place.
"""

from enum import Enum

import numpy as np
import numpy.typing as npt

from segwatch.messages.errors import MessageError, Reason
from segwatch.messages.positions import Coverage, Position

Mark = Position | None
"""Position up to which all rows were taken; ``None``: what came before is lost, so whatever comes next is taken."""


class Verdict(Enum):
    """What becomes of a message."""

    TAKE = "take"
    DOUBLE = "double"
    """All of it was taken before."""
    GAP = "gap"
    """It follows a message that is missing, whose send failed; both will come again."""


def verdict(mark: Mark, coverage: Coverage) -> Verdict:
    """Return what becomes of the message that covers ``coverage``."""
    if mark is None:
        return Verdict.TAKE
    if coverage.through <= mark:
        return Verdict.DOUBLE
    return Verdict.GAP if coverage.after > mark else Verdict.TAKE


def first_new_row(mark: Mark, offset: int, rows: npt.NDArray[np.int64]) -> int:
    """Return the index of the first of (N,) rising rows of the source message ``offset`` that lies behind the mark."""
    if mark is None or offset > mark.offset:
        return 0
    return len(rows) if offset < mark.offset else int(np.searchsorted(rows, mark.row, side="right"))


def check_coverage(coverage: Coverage, rows: npt.NDArray[np.int64], partition: int) -> None:
    """Refuse a message whose positions cannot be what they say. Raises ``MessageError``."""
    if coverage.partition != partition:
        raise MessageError(
            Reason.OTHER_PARTITION, f"findings of partition {coverage.partition} stand in partition {partition}"
        )
    if coverage.after > coverage.through:
        raise MessageError(Reason.WRONG_VALUES, f"it covers nothing: {coverage.after} to {coverage.through}")
    if len(rows) == 0:
        return
    first, last = (Position(coverage.through.offset, int(rows[end])) for end in (0, -1))
    if np.any(rows[1:] <= rows[:-1]) or first <= coverage.after or last > coverage.through:
        raise MessageError(
            Reason.WRONG_VALUES, f"its rows do not rise from {coverage.after} to {coverage.through}, which it covers"
        )
