"""How far the sensors' clocks are apart, from the fastest packets of both directions, as NTP does (RFC 5905 section 8).

If the fastest packet takes as long there as back, the offset is exact. If not, it is off by less than half of both
times together; that bound is stated.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from processors.paths.pairs import Pair, possible
from segwatch.records.paths import Clock

_WINDOWS: Final = 30
_SHORTEST_WINDOW: Final = 10_000_000_000
"""Nanoseconds."""
_LEAST_WINDOWS: Final = 3
"""From so many on they tell the drift."""
_WILDEST: Final = 1e-3
"""What is more between windows is no drift: NTP takes no clock that has half of it (RFC 5905)."""
_SHORTEST: Final = 2_000_000_000
"""Nanoseconds; what clocks drift in less is no more than delays differ by."""
_MOST_DRIFT: Final = 1e-4
"""What a clock of a computer drifts by at most, as quartz crystals do."""
_FEWEST: Final = 10
"""Packets of each direction that may be the same, from which on the fastest of them tell a drift."""
_STEPS: Final = 20
"""Thirds that are cut off from twice that, until less than a ten-millionth is left."""


def estimate_clock(pair: Pair, is_forward: npt.NDArray[np.bool_]) -> Clock:
    """Return the second sensor's clock, compared with the first one's; ``is_forward``: from the first to the second."""
    gap = pair.second - pair.first
    if not len(gap):
        return Clock(0, 0.0, 0, 0, is_known=False)
    middle = int(pair.second.min()) // 2 + int(pair.second.max()) // 2
    if is_forward.all() or not is_forward.any():
        fastest = int(gap.min()) if is_forward.any() else int(gap.max())
        return Clock(fastest, 0.0, middle, 0, is_known=False)
    drift, doubt = _drift(pair, gap, is_forward)
    level = gap - np.rint(drift * (pair.second - middle)).astype(np.int64)
    same = possible(level, is_forward)
    there, back = int(level[is_forward & same].min()), int(level[~is_forward & same].max())
    return Clock((there + back) // 2, drift, middle, abs(there - back) // 2 + doubt, is_known=True)


def _drift(pair: Pair, gap: npt.NDArray[np.int64], is_forward: npt.NDArray[np.bool_]) -> tuple[float, int]:
    """Return the median slope between the offsets of windows; that of the fastest packets where there are too few.

    And what the latter is over the whole time, nanoseconds: that may be due to delays.
    """
    begin = int(pair.second.min())
    length = max((int(pair.second.max()) - begin) // _WINDOWS + 1, _SHORTEST_WINDOW)
    window = (pair.second - begin) // length
    count = int(window.max()) + 1
    there = np.full(count, np.iinfo(np.int64).max)
    back = np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(there, window[is_forward], gap[is_forward])
    np.maximum.at(back, window[~is_forward], gap[~is_forward])
    usable = np.flatnonzero((there != np.iinfo(np.int64).max) & (back != np.iinfo(np.int64).min))
    slope = np.inf
    if len(usable) >= _LEAST_WINDOWS:
        offsets = there[usable] / 2 + back[usable] / 2
        one, other = np.triu_indices(len(usable), 1)
        slope = float(np.median((offsets[other] - offsets[one]) / ((usable[other] - usable[one]) * float(length))))
    if abs(slope) <= _WILDEST:
        return slope, 0
    slope = _drift_of_fastest(pair.second - begin, gap, is_forward)
    return slope, round(abs(slope) * (int(pair.second.max()) - begin))


def _drift_of_fastest(
    time: npt.NDArray[np.int64], gap: npt.NDArray[np.int64], is_forward: npt.NDArray[np.bool_]
) -> float:
    """Return the slope of two parallel lines with all packets of one direction above, all of the other one below.

    Of all such lines those that are farthest apart: fast packets at different times lie on them, if the slope is right
    (after Moon, Skelly and Towsley 1999, who take one direction). 0 in captures that are too short, or of few packets.
    """
    if int(time.max()) < _SHORTEST:
        return 0.0
    same = possible(gap, is_forward)
    there, back = is_forward & same, ~is_forward & same
    if min(np.count_nonzero(there), np.count_nonzero(back)) < _FEWEST:
        return 0.0

    def apart(slope: float) -> float:
        level = gap - slope * time
        return float(level[there].min() - level[back].max())

    low, high = -_MOST_DRIFT, _MOST_DRIFT
    for _ in range(_STEPS):
        third = (high - low) / 3
        if apart(low + third) < apart(high - third):
            low += third
        else:
            high -= third
    return (low + high) / 2


def corrected(times: npt.NDArray[np.int64], clock: Clock) -> npt.NDArray[np.int64]:
    """Return times by the first sensor's clock instead."""
    drifted = np.rint(clock.drift * (times - clock.middle)).astype(np.int64)
    result: npt.NDArray[np.int64] = times - clock.offset - drifted
    return result
