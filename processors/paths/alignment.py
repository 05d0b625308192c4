"""Which of several equal packets is which at the next sensor: the cheapest explanation that keeps the order."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from processors.serial import signed
from segwatch.compilation import kernel
from segwatch.records.paths import NOWHERE

AT_ONCE: Final = 100_000
"""Nanoseconds within which a capture writes a packet a second time."""
MOST_EQUAL: Final = 1024
"""Equal packets that are looked at together."""
_LOST, _COPY_LOST, _COPIED, _MISSED, _APPEARED = 4.0, 2.0, 4.0, 3.0, 30.0
"""What it costs to suppose that; one is a usual delay. A packet that comes
late, after one sensor missed it, is more likely than one that is lost and another that comes from nowhere; copies that
a capture made itself go no further: those at once. What comes by later was not lost: its loss is taken back then."""
_AT_ONCE: Final = 3.0
"""What it costs that one of two that came at the same moment is lost, or new: captures write some twice."""
_LATEST_COPY: Final = 4.0
"""The most that a delay costs of copies of a packet that no host would send again, for which a late one is more likely
than one that is lost beside another that is made; of others it is what ``Usual`` says."""
_FAR: Final = 50_000_000
"""Nanoseconds later than that for which a delay costs one more: hosts send again as late as that."""
COPY_WITHIN: Final = 50_000_000
"""Nanoseconds in which a copy follows, where nothing but time tells it from a packet that was sent again."""
_COPIED_LATE: Final = 8.0
"""What it costs more that a copy follows as late as that: the network makes copies at once, mostly."""
_IMPOSSIBLE = 1e9
_SKIP_PACKET, _SKIP_FRAME, _SAME = 0, 1, 2


class Alignment(NamedTuple):
    """Memory for one set of equal packets; kernels take this tuple as it is."""

    cost: npt.NDArray[np.float64]
    """(MOST_EQUAL + 1, MOST_EQUAL + 1)"""
    choice: npt.NDArray[np.uint8]
    """(MOST_EQUAL + 1, MOST_EQUAL + 1)"""
    packet: npt.NDArray[np.int64]
    """(MOST_EQUAL,) packets so far, in the order in which they are expected."""
    last: npt.NDArray[np.int64]
    """(MOST_EQUAL,) the sensor that saw each last."""
    seen: npt.NDArray[np.int64]
    """(MOST_EQUAL,) when it did."""
    missed: npt.NDArray[np.int64]
    """(MOST_EQUAL,) how many sensors behind that one have it not."""
    expected: npt.NDArray[np.int64]
    """(MOST_EQUAL,) when each is expected at the next sensor at the earliest."""
    frame: npt.NDArray[np.int64]
    """(MOST_EQUAL,) rows of the next sensor."""
    found: npt.NDArray[np.int64]
    """(MOST_EQUAL,) of each of these rows the place in ``packet``, ``NOWHERE`` if it is new."""
    begun: npt.NDArray[np.int64]
    """(MOST_EQUAL,) of each packet, in the order in which they were made, the sensor behind the first one that had it
    first; ``NOWHERE`` where that is the first."""
    paid: npt.NDArray[np.float64]
    """(MOST_EQUAL,) what it costs that the first sensor behind that one has it not."""
    is_left: npt.NDArray[np.bool_]
    """(MOST_EQUAL,) whether none of these rows is the packet at that place."""


class Delays(NamedTuple):
    """Usual delays to one sensor, by the sensor that saw a packet last, (S,) each, as in ``Usual``."""

    spread: npt.NDArray[np.int64]
    early: npt.NDArray[np.int64]
    latest: npt.NDArray[np.float64]


def new_alignment() -> Alignment:
    """Return memory."""
    side = MOST_EQUAL + 1
    numbers = [np.zeros(MOST_EQUAL, np.int64) for _ in range(8)]
    others = np.zeros(MOST_EQUAL), np.zeros(MOST_EQUAL, np.bool_)
    return Alignment._make([np.zeros((side, side)), np.zeros((side, side), np.uint8), *numbers, *others])


@kernel
def _cost_of_same(excess: int, spread: int, early: int, latest: float, marked: bool) -> float:
    """Return what it costs that a packet came ``excess`` later than the fastest would have."""
    if excess < -spread - early:
        return _IMPOSSIBLE
    if excess <= 0:
        return -excess / early
    if marked:
        return float(min(excess / spread, latest, _LATEST_COPY))
    usual = latest * spread
    return float(excess / spread if excess <= usual else latest + (excess - usual) / _FAR)


@kernel
def may_be_copy(earlier: int, later: int, marked: bool) -> bool:
    """Whether a packet is a copy of an equal one; ``marked``: by its IP identification no host would send it again."""
    return earlier <= later and (marked or later - earlier <= COPY_WITHIN)


@kernel
def _cost_of_new(work: Alignment, frame: int, times: Any, marked: bool) -> float:
    """Return what it costs that a frame is no packet that was seen before."""
    if frame > 0:
        earlier, later = signed(times[work.frame[frame - 1]]), signed(times[work.frame[frame]])
        if later - earlier <= AT_ONCE:
            return _AT_ONCE
        if may_be_copy(earlier, later, marked):
            return _COPIED if marked else _COPIED + _COPIED_LATE * (later - earlier) / COPY_WITHIN
    return _APPEARED


@kernel
def _cost_of_loss(work: Alignment, place: int) -> float:
    """Return what it costs that the next sensor does not have a packet; nothing where one before had none already."""
    return float(work.paid[place] if work.missed[place] == 0 else 0.0)


@kernel
def _paid_for_loss(work: Alignment, place: int, copy_of: Any) -> float:
    """Return what it costs that the first sensor behind the one that saw a packet last does not have it."""
    if place == 0 or work.last[place - 1] != work.last[place] or work.seen[place] - work.seen[place - 1] > AT_ONCE:
        return _LOST
    return _AT_ONCE if copy_of[work.packet[place]] == NOWHERE else _COPY_LOST


@kernel
def _cost_of_missed(work: Alignment, place: int) -> float:
    """Return what it costs that sensors before missed a packet, less what its loss there was taken to cost."""
    missed = work.missed[place]
    return float(_MISSED * missed - work.paid[place] if missed > 0 else 0.0)


@kernel
def _cost_of_found(work: Alignment, place: int, frame: int, times: Any, usual: Delays, marked: bool) -> float:
    """Return what it costs that a frame is the packet at a place."""
    excess = signed(times[work.frame[frame]]) - work.expected[place]
    last = work.last[place]
    cost = _cost_of_same(excess, signed(usual.spread[last]), signed(usual.early[last]), usual.latest[last], marked)
    return float(cost + _cost_of_missed(work, place))


@kernel
def align(work: Alignment, packets: int, frames: int, times: Any, copy_of: Any, usual: Delays, marked: bool) -> None:
    """Find which of the ``packets`` the ``frames`` of the next sensor are; writes ``found``.

    ``times``: by row, nanoseconds of one clock; ``copy_of``: by packet; ``usual``: delays to the sensor;
    ``marked``: as in ``may_be_copy``.
    """
    for place in range(packets):
        if work.missed[place] == 0:
            work.paid[place] = _paid_for_loss(work, place, copy_of)
    work.cost[0, 0] = 0.0
    for i in range(packets + 1):
        for j in range(frames + 1):
            if i == 0 and j == 0:
                continue
            least, choice = _IMPOSSIBLE, _SKIP_FRAME
            if i > 0:
                lost = _cost_of_loss(work, i - 1)
                least, choice = work.cost[i - 1, j] + lost, _SKIP_PACKET
            if j > 0:
                new = work.cost[i, j - 1] + _cost_of_new(work, j - 1, times, marked)
                if new < least:
                    least, choice = new, _SKIP_FRAME
            if i > 0 and j > 0:
                same = work.cost[i - 1, j - 1] + _cost_of_found(work, i - 1, j - 1, times, usual, marked)
                if same < least:
                    least, choice = same, _SAME
            work.cost[i, j] = least
            work.choice[i, j] = choice
    i, j = packets, frames
    while i > 0 or j > 0:
        choice = work.choice[i, j]
        if choice == _SAME:
            work.found[j - 1] = i - 1
            i, j = i - 1, j - 1
        elif choice == _SKIP_FRAME:
            work.found[j - 1] = NOWHERE
            j -= 1
        else:
            i -= 1


@kernel
def find_overtaken(work: Alignment, packets: int, frames: int, times: Any, usual: Delays, marked: bool) -> None:
    """Find packets that came by behind equal ones that were expected after them, among what ``align`` left over.

    It keeps the order, so one that was held back seems lost and, where it came, new. Arguments are as there.
    """
    for packet in range(packets):
        work.is_left[packet] = True
    for frame in range(frames):
        if work.found[frame] != NOWHERE:
            work.is_left[work.found[frame]] = False
    for frame in range(frames):
        if work.found[frame] != NOWHERE:
            continue
        new, least = _cost_of_new(work, frame, times, marked), _IMPOSSIBLE
        for packet in range(packets):
            if not work.is_left[packet]:
                continue
            cost = _cost_of_found(work, packet, frame, times, usual, marked)
            if not marked:
                cost += (signed(times[work.frame[frame]]) - work.expected[packet]) / _FAR
            if cost < min(least, _cost_of_loss(work, packet) + new):
                least, work.found[frame] = cost, packet
        if work.found[frame] != NOWHERE:
            work.is_left[work.found[frame]] = False
