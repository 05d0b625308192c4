"""Which packets captures wrote twice, though they came by once."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from processors.paths.alignment import AT_ONCE
from processors.paths.passages import Flags, Numbers, Passages
from segwatch.records.paths import NOWHERE, PacketColumns

_RARER: Final = 0.1
"""How much rarer captures are that write some packets twice than networks that lose some, where nothing was seen."""
_UNSURE: Final = 100
"""What is not so many times as likely as anything else is not sure."""
Shares = npt.NDArray[np.float64]


class _Kinds(NamedTuple):
    """Packets by what they look like, (P,) each."""

    is_gone: Flags
    """A sensor behind has it not."""
    is_single: Flags
    """Only one sensor has it."""
    has_twin: Flags
    row: Numbers
    """Number of its row of twins; one without any begins the next."""
    is_third: Flags
    """Its twin has a twin, too: it is the third of a row, or a later one."""
    is_again: Flags
    """It came at the same moment as what it is a copy or a twin of, by each sensor that has it."""
    gap: Numbers
    """Nanoseconds between it and what it is a copy or a twin of, at the first sensor that has it."""
    place: Numbers
    """The first place that has it; those of both directions have numbers of their own."""
    sensor: Numbers
    """The first that has it, in the order of the way."""


def _kinds(packets: PacketColumns, passages: Passages, first: Numbers, last: Numbers) -> _Kinds:
    sensors = packets.row.shape[1]
    has_twin = packets.twin != NOWHERE
    original = np.where(has_twin, packets.twin, packets.copy_of)
    gap = passages.time - passages.time[original]
    at_once = passages.seen[original] & (gap >= 0) & (gap <= AT_ONCE)
    return _Kinds(
        is_gone=np.any(passages.expects & (np.arange(sensors) > last[:, None]), axis=1),
        is_single=np.equal(first, last),
        has_twin=has_twin,
        row=np.cumsum(~has_twin),
        is_third=has_twin & has_twin[packets.twin],
        is_again=(original != NOWHERE) & np.all(at_once | ~passages.seen, axis=1),
        gap=np.abs(gap[np.arange(len(first)), first]),
        place=np.where(packets.is_forward, first, sensors + first),
        sensor=np.where(packets.is_forward, first, sensors - 1 - first),
    )


def written_twice(packets: PacketColumns, passages: Passages, first: Numbers, last: Numbers) -> tuple[Flags, Flags]:
    """Return (P,) whether a packet is the captures' own: an equal one came at the same moment, and alone went on.

    And whether that is not sure of one of a row of equal acknowledgements: a host may have sent all, and one was lost.
    ``first``, ``last``: (P,) places that saw it. Where a copy may have been lost behind several sensors, or one of two
    equal acknowledgements of a host, what is likelier is taken, as other packets show it.
    """
    kinds = _kinds(packets, passages, first, last)
    first_own, others_own = _by_captures(packets, kinds)
    own = first_own * others_own
    lost = _is_lost(packets, passages, kinds, first, last)
    every = np.repeat(np.bincount(packets.is_forward, minlength=2)[::-1], packets.row.shape[1])
    is_again = kinds.is_again & ~kinds.has_twin
    copied = _alike(kinds, kinds.place, is_again & ~kinds.is_gone & ~kinds.is_single, every, _never(every))
    sent = _sent_twice(packets, kinds, every)
    is_likely = np.where(kinds.has_twin, own > sent * lost, kinds.is_single | (own > copied * lost))
    may_be_own = kinds.is_gone & kinds.is_again
    found: Flags = may_be_own & is_likely
    is_lost = kinds.is_gone & kinds.has_twin & ~found
    is_either = _UNSURE * own > sent * lost
    is_another = _UNSURE * _greatest_in_row(kinds, first_own / sent) * others_own > lost
    return found, is_lost & (is_either & kinds.is_again | is_another & _is_first_in_row(kinds, last, is_lost))


def _greatest_in_row(kinds: _Kinds, times: Shares) -> Shares:
    """Return (P,) the greatest of the row of twins that a packet is in: nothing tells which of them is which.

    Without one of them three or more are still a row, so the second one, which begins it, counts in a row of two only.
    """
    is_long = np.bincount(kinds.row[kinds.is_third], minlength=int(kinds.row.max(initial=0)) + 1) > 0
    some = kinds.has_twin & (kinds.is_third | ~is_long[kinds.row])
    most = np.zeros(len(is_long))
    np.maximum.at(most, kinds.row[some], times[some])
    found: Shares = most[kinds.row]
    return found


def _is_first_in_row(kinds: _Kinds, last: Numbers, wanted: Flags) -> Flags:
    """Return (P,) which of the wanted is the first one of its row of twins and the place that had it last."""
    chosen = np.flatnonzero(wanted)
    rows = np.stack((kinds.row[chosen], last[chosen]), axis=1)
    found = np.zeros(len(last), np.bool_)
    found[chosen[np.unique(rows, axis=0, return_index=True)[1]]] = True
    return found


def _by_captures(packets: PacketColumns, kinds: _Kinds) -> tuple[Shares, Shares]:
    """Return (P,) how likely the first sensor that has a packet wrote it, so far behind another, and all others did."""
    written = np.maximum((packets.row != NOWHERE).sum(axis=0), 1)
    single = kinds.is_again & ~kinds.has_twin & kinds.is_single
    never = _RARER * _never(written)
    again = (np.bincount(kinds.sensor[single], minlength=len(written)) + never) / written
    at_others = np.arange(len(written)) != kinds.sensor[:, None]
    own = _alike(kinds, kinds.sensor, single, written, never)
    return own, np.where((packets.row != NOWHERE) & at_others, again, 1.0).prod(axis=1)


def _sent_twice(packets: PacketColumns, kinds: _Kinds, every: Numbers) -> Shares:
    """Return (P,) how likely a host sends another one at once, as it has sent one, or already two in a row.

    ``every``: (G,) how many packets there are in the direction of each place.
    """
    is_lost = kinds.is_gone & kinds.is_single
    group = kinds.place + len(every) * kinds.is_third
    rows = np.bincount(kinds.place[kinds.has_twin], minlength=len(every))
    both = kinds.has_twin & ~is_lost & ~is_lost[packets.twin]
    return _alike(kinds, group, both, np.concatenate((every, rows)), _never(every))


def _never(counts: Numbers) -> float:
    """Return what is added to each of so many counts: of what was never seen nothing tells that it cannot be."""
    return 1 / len(counts)


def _alike(kinds: _Kinds, group: Numbers, wanted: Flags, every: Numbers, more: float) -> Shares:
    """Return (P,) what share of its group are wanted packets that came about as far behind another as this one.

    ``every``: (G,) how many there are in each group; ``more``: what is added to those that are wanted. About as far:
    half to twice.
    """
    share = np.zeros(len(group))
    for number in range(len(every)):
        here = group == number
        gaps, own = np.sort(kinds.gap[here & wanted]), kinds.gap[here]
        count = np.searchsorted(gaps, 2 * own, "right") - np.searchsorted(gaps, (own + 1) // 2, "left")
        share[here] = (count + more) / max(int(every[number]), 1)
    return share


def _is_lost(packets: PacketColumns, passages: Passages, kinds: _Kinds, first: Numbers, last: Numbers) -> Shares:
    """Return (P,) how likely a packet is lost behind the place that had it last, as others of its direction show it.

    And that sensors before that place that have it not missed it.
    """
    chance = np.ones(len(first))
    places = np.arange(passages.seen.shape[1])
    passed_by = passages.expects & (places > first[:, None]) & (places < last[:, None])
    missed_by = passed_by & ~passages.seen
    is_one = (packets.copy_of == NOWHERE) & ~kinds.has_twin
    for way in (packets.is_forward, ~packets.is_forward):
        gone = last[way & kinds.is_gone & is_one]
        lost = np.bincount(gone, minlength=len(places)).astype(np.float64) + _never(places)
        missed = missed_by[way].sum(axis=0) + _never(places)
        share = missed / np.maximum(passed_by[way].sum(axis=0), 1)
        chance[way] = lost[last[way]] / max(int(np.count_nonzero(way & is_one)), 1)
        chance[way] *= np.where(missed_by[way], share, 1.0).prod(axis=1)
    return chance
