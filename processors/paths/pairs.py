"""Packets that no other looks like: what clocks, the order of the sensors and usual delays are estimated from."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from processors.paths.alignment import AT_ONCE
from segwatch.records.paths import NOWHERE

_REPEATED: Final = 200_000_000
"""Nanoseconds after which hosts send again at the earliest, where no acknowledgement tells them to (Linux)."""
_LONGER: Final = 4
"""How many times as long a pause is as nearly all packets take."""
_NEARLY_ALL: Final = 99


class Pair(NamedTuple):
    """Columns of the packets that two sensors saw."""

    first: npt.NDArray[np.int64]
    """Time at the one, by its clock, nanoseconds."""
    second: npt.NDArray[np.int64]
    """Time at the other, by its own."""
    row: npt.NDArray[np.int64]
    """Row at the one."""


def single_rows(
    keys: npt.NDArray[np.uint64], sensor: npt.NDArray[np.int64], times: npt.NDArray[np.int64], sensors: int
) -> npt.NDArray[np.int64]:
    """Return the rows of each packet that no sensor saw twice, (U, S), ``NOWHERE`` where a sensor has none.

    What a sensor has again at the same moment is left out: it may write everything twice.
    """
    order = np.argsort(keys, kind="stable")
    order = order[~_again(keys[order], sensor[order], times[order])]
    changes = np.diff(keys[order]) != 0
    group = np.concatenate((np.zeros(min(len(order), 1), np.int64), np.cumsum(changes)))
    groups = int(group[-1]) + 1 if len(group) else 0
    place = group * sensors + sensor[order]
    counts = np.bincount(place, minlength=groups * sensors).reshape(groups, sensors)
    rows = np.full(groups * sensors, NOWHERE, np.int64)
    rows[place] = order
    return rows.reshape(groups, sensors)[(counts <= 1).all(axis=1)]


def _again(
    keys: npt.NDArray[np.uint64], sensor: npt.NDArray[np.int64], times: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Return which rows, by key, sensor and time, follow an equal one at once."""
    found = np.zeros(len(keys), np.bool_)
    found[1:] = (keys[1:] == keys[:-1]) & (sensor[1:] == sensor[:-1]) & (times[1:] - times[:-1] <= AT_ONCE)
    return found


def parted(
    keys: npt.NDArray[np.uint64], times: npt.NDArray[np.int64], pairs: dict[tuple[int, int], Pair]
) -> npt.NDArray[np.uint64]:
    """Return (N,) other keys, of which those differ that had equal ones before and after a pause.

    So equal packets that hosts send now and then (keep-alives, say) are seen once each. ``times``: (N,) nanoseconds of
    one clock; ``pairs``: of packets that were seen once, which tell how long a packet is on its way.
    """
    on_way = [np.percentile(np.abs(pair.second - pair.first), _NEARLY_ALL) for pair in pairs.values() if len(pair.row)]
    pause = max(_REPEATED, _LONGER * max(on_way, default=0.0))
    order = np.lexsort((times, keys))
    changes = (np.diff(keys[order]) != 0) | (np.diff(times[order]) > pause)
    found = np.zeros(len(keys), np.uint64)
    found[order[1:]] = np.cumsum(changes)
    return found


def pair_of(rows: npt.NDArray[np.int64], times: npt.NDArray[np.int64], one: int, other: int) -> Pair:
    """Return what two of the sensors saw, out of what ``single_rows`` returns."""
    both = rows[(rows[:, one] != NOWHERE) & (rows[:, other] != NOWHERE)]
    return Pair(times[both[:, one]], times[both[:, other]], both[:, one])


def possible(gap: npt.NDArray[np.int64], is_forward: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which packets of a pair are the same at both sensors, as far as the other direction tells.

    ``gap``: by how much each came later at the second sensor. None gets there before it was sent, and what comes back
    shows less than the clocks differ by, so what shows even less going there is two equal packets, of which each
    sensor missed one. One direction alone tells nothing, nor do two that contradict each other.
    """
    found = np.ones(len(gap), np.bool_)
    if is_forward.all() or not is_forward.any():
        return found
    there, back = np.median(gap[is_forward]), np.median(gap[~is_forward])
    if there >= back:
        found = np.where(is_forward, gap >= back, gap <= there)
    return found
