"""Bursts of equal packets, and how likely sensors wrote one of them twice: nothing tells which of them is which."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from processors.paths.alignment import AT_ONCE
from processors.paths.passages import Flags, Numbers, Passages

Shares = npt.NDArray[np.float64]
_MANY = 30
"""So many that none of them is seen never happens."""
_NEVER = 1e18
"""Packets, of which none is never."""
_BEHIND = 3
"""How many packets before one it may be a copy of: what a sensor wrote twice has others between now and then."""


class Alike(NamedTuple):
    """How often things happened to packets so close behind another one."""

    gaps: list[Numbers]
    """By group, sorted: nanoseconds between what it happened to and what that was behind."""
    every: Numbers
    """(G,) of how many packets in each group."""
    more: float
    """What is added to each count."""

    def share(self, group: Numbers, gap: Numbers) -> Shares:
        """Return (P,) in what share of its group it happened about as close to another: half to twice as far."""
        share = np.zeros(len(group))
        for number, gaps in enumerate(self.gaps):
            here = group == number
            own = gap[here]
            count = np.searchsorted(gaps, 2 * own, "right") - np.searchsorted(gaps, (own + 1) // 2, "left")
            share[here] = (count + self.more) / max(int(self.every[number]), 1)
        return share

    def shares(self) -> Shares:
        """Return (G,) in what share of each group it happened at all."""
        return (np.array([len(gaps) for gaps in self.gaps]) + self.more) / np.maximum(self.every, 1)


def every_by_chance(written: Numbers, expected: Shares) -> Numbers:
    """Return (G,) of how many packets in each group something happened to none, where others show it.

    ``written``: (G,) packets; ``expected``: (G,) to how many of them it would have happened. That it happened to none
    by chance is e to the power of less than that as likely; so it is as if it were of all packets by as many times.
    """
    by_chance = np.minimum(written.sum() * np.exp(np.minimum(expected, _MANY)), _NEVER)
    found: Numbers = np.where(expected > 0, by_chance, written).astype(np.int64)
    return found


def alike(group: Numbers, gap: Numbers, wanted: Flags, every: Numbers, more: float) -> Alike:
    """Return how often something happened; ``wanted``: (P,) the packets that it happened to."""
    gaps = [np.sort(gap[(group == number) & wanted]) for number in range(len(every))]
    return Alike(gaps, every, more)


def numbered(burst: Numbers) -> Numbers:
    """Return (P,) numbers of bursts from 0 on."""
    return np.unique(burst, return_inverse=True)[1].reshape(-1)


def written_in(burst: Numbers, passages: Passages, is_forward: Flags, by_captures: Alike, wanted: Flags) -> Shares:
    """Return (B, S) how likely the sensor at each place wrote one of a burst twice; never where none came at once.

    It may be any of those that came at once, if any two came as close as what the sensor writes twice.
    ``wanted``: (P,) the packets that count.
    """
    sensors = passages.seen.shape[1]
    bursts = int(burst.max(initial=-1)) + 1
    chance, counts = np.zeros((2, bursts, sensors))
    for place in range(sensors):
        here = np.flatnonzero(passages.seen[:, place] & wanted)
        here = here[np.lexsort((passages.time[here, place], burst[here]))]
        sensor = np.where(is_forward[here], place, sensors - 1 - place)
        for back in range(1, min(_BEHIND, len(here) - 1) + 1):
            at, gap = burst[here[back:]], passages.time[here[back:], place] - passages.time[here[:-back], place]
            close = (at == burst[here[:-back]]) & (gap <= AT_ONCE)
            np.maximum.at(chance[:, place], at[close], by_captures.share(sensor[back:][close], gap[close]))
            counts[:, place] += np.bincount(at[close], minlength=bursts) * (back == 1)
    return np.minimum(chance * counts, 1.0)
