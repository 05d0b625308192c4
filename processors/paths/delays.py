"""How long packets usually take from one sensor to another."""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from processors.paths.pairs import Pair, possible

_LEAST_SPREAD: Final = 50_000
"""Nanoseconds."""
_NINE_OF_TEN, _NEARLY_ALL = 90, 99
_LATE: Final = 3
"""How many spreads above the least a delay is that is out of the usual."""
_LATEST: Final = 10.0
"""The most that a late one costs, in spreads."""
_RARER: Final = 0.1
"""What is added to how many are late: where none was seen, one may yet come."""


class Usual(NamedTuple):
    """Usual delays, nanoseconds: (2, S, S), in the order of the way and against it, from a sensor to another one.

    0 where nothing went from one to the other.
    """

    least: npt.NDArray[np.int64]
    spread: npt.NDArray[np.int64]
    """How much longer than the least nine of ten take at most, never 0."""
    early: npt.NDArray[np.int64]
    """By how much others may fall short of the least, usually: the more packets it is known from, the less; never 0."""
    most: npt.NDArray[np.int64]
    """What one in a hundred exceeds."""
    latest: npt.NDArray[np.float64]
    """The most that a late one costs, in spreads: the logarithm of how rare these are."""


def usual_delays(pairs: dict[tuple[int, int], Pair], is_forward: npt.NDArray[np.bool_], sensors: int) -> Usual:
    """Return the usual delays; the times of the pairs are by the first sensor's clock, ``is_forward`` by row."""
    shape = (2, sensors, sensors)
    least, most = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    usual = Usual(least, np.full(shape, _LEAST_SPREAD), np.full(shape, _LEAST_SPREAD), most, np.full(shape, _LATEST))
    for (one, other), (first, second, row) in pairs.items():
        delay, forward = second - first, is_forward[row]
        same = possible(delay, forward)
        for place, some in (((0, one, other), delay[forward & same]), ((1, other, one), -delay[~forward & same])):
            if len(some):
                high, most = np.percentile(some, (_NINE_OF_TEN, _NEARLY_ALL))
                usual.least[place] = some.min()
                usual.spread[place] = max(_LEAST_SPREAD, int(high) - int(some.min()))
                usual.early[place] = max(_LEAST_SPREAD, usual.spread[place] // len(some))
                usual.most[place] = int(most)
                late = np.count_nonzero(some > some.min() + _LATE * usual.spread[place])
                usual.latest[place] = min(max(-math.log((late + _RARER) / len(some)), _LATE), _LATEST)
    return usual
