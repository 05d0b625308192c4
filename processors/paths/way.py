"""In which order the sensors lie on the way, and which way each conversation goes: clocks need not agree for that.

A packet from A to B shows B's clock less A's, and its delay; one from B to A the same less its delay. So the mean of
each direction tells who is first, and half their difference how far apart the two are.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from processors.paths.pairs import Pair, pair_of

Floats = npt.NDArray[np.float64]


class Way(NamedTuple):
    """What is found out about the way."""

    order: npt.NDArray[np.int64]
    """(S,) the sensors as they were given, in the order of the way."""
    is_known: bool
    """The order was found; if not, it is the one in which they were given."""
    up_side: npt.NDArray[np.int8]
    """(C,) for each conversation the side whose packets go in that order, -1 if nothing tells."""


def _leads(pair: Pair, conversation: npt.NDArray[np.int32], side: npt.NDArray[np.uint8], count: int) -> Floats:
    """Return (C,) by how much a conversation's side 0 is later at the second sensor than its side 1; NaN unknown.

    Positive: what side 0 sends passes the first sensor first.
    """
    gap = pair.second - pair.first
    gap = (gap - (int(np.median(gap)) if len(gap) else 0)).astype(np.float64)
    group = 2 * conversation[pair.row].astype(np.int64) + side[pair.row]
    with np.errstate(invalid="ignore"):
        means = np.bincount(group, gap, 2 * count) / np.bincount(group, minlength=2 * count)
    found: Floats = means[0::2] - means[1::2]
    return found


def find_way(
    rows: npt.NDArray[np.int64],
    times: npt.NDArray[np.int64],
    conversation: npt.NDArray[np.int32],
    side: npt.NDArray[np.uint8],
    conversations: int,
) -> Way:
    """Return the way; ``rows``: (U, S) of packets that are seen once, the others by row."""
    sensors = rows.shape[1]
    distance = np.full((sensors, sensors), np.nan)
    leads: dict[tuple[int, int], Floats] = {}
    for one in range(sensors):
        for other in range(one + 1, sensors):
            lead = _leads(pair_of(rows, times, one, other), conversation, side, conversations)
            leads[one, other] = lead
            if not np.isnan(lead).all():
                distance[one, other] = distance[other, one] = np.nanmedian(np.abs(lead))
    np.fill_diagonal(distance, 0.0)
    is_known = not bool(np.isnan(distance).any())
    order = _ordered(distance, leads) if is_known else np.arange(sensors)
    rank = np.argsort(order)
    score = np.zeros(conversations)
    for (one, other), lead in leads.items():
        score += np.nan_to_num(lead) * (1 if rank[other] > rank[one] else -1)
    up_side = np.where(score > 0, 0, np.where(score < 0, 1, -1)).astype(np.int8)
    return Way(order, is_known, up_side)


def _ordered(distance: Floats, leads: dict[tuple[int, int], Floats]) -> npt.NDArray[np.int64]:
    """Return sensors in the order of the way, from the end that has the lower number.

    The two that are farthest apart are the ends, and tell which way each conversation goes; then packets that two
    sensors have tell which of these is first. How far both are from an end tells less, as other packets have waited
    there; it is asked where two share no conversation with the ends.
    """
    first, last = sorted(int(end) for end in np.unravel_index(int(np.argmax(distance)), distance.shape))
    goes = np.nan_to_num(leads[first, last]) if first < last else np.zeros(len(leads[0, 1]))
    before = np.zeros(len(distance), np.int64)
    for (one, other), lead in leads.items():
        ahead = float(np.sign(goes) @ np.nan_to_num(lead)) or distance[first, other] - distance[first, one]
        before[one if ahead < 0 else other] += 1
    return np.argsort(before, kind="stable")
