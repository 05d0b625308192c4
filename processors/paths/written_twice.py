"""Which packets captures wrote twice, though they came by once."""

from typing import Final, NamedTuple

import numpy as np

from processors.paths.alignment import AT_ONCE
from processors.paths.bursts import Alike, Shares, alike, every_by_chance, numbered, written_in
from processors.paths.passages import Flags, Numbers, Passages
from segwatch.records.paths import NOWHERE, PacketColumns

_RARER: Final = 0.1
"""How much rarer captures are that write some packets twice than networks that lose some, where nothing was seen."""
_UNSURE: Final = 100
"""What is not so many times as likely as anything else is not sure."""


class _Kinds(NamedTuple):
    """Packets by what they look like, (P,) each."""

    is_gone: Flags
    """A sensor behind has it not."""
    is_single: Flags
    """Only one sensor has it."""
    has_twin: Flags
    twin: Numbers
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
        twin=packets.twin,
        is_third=has_twin & has_twin[packets.twin],
        is_again=(original != NOWHERE) & np.all(at_once | ~passages.seen, axis=1),
        gap=np.abs(gap[np.arange(len(first)), first]),
        place=np.where(packets.is_forward, first, sensors + first),
        sensor=np.where(packets.is_forward, first, sensors - 1 - first),
    )


class _Chances(NamedTuple):
    """How likely things happen to each packet, as others show it, (P,) each."""

    first_own: Shares
    """The first sensor that has it wrote it twice, so close."""
    own: Shares
    """All that have it did."""
    sent: Shares
    """Its host sent it so close behind its twin."""
    rather: Shares
    """How much likelier its row of twins is without it: see ``_without``."""
    copied: Shares
    """The network copied it so close."""


def _chances(packets: PacketColumns, kinds: _Kinds, captures: Alike) -> _Chances:
    first_own = captures.share(kinds.sensor, kinds.gap)
    every = np.repeat(np.bincount(packets.is_forward, minlength=2)[::-1], packets.row.shape[1])
    is_again = kinds.is_again & ~kinds.has_twin
    is_copied = is_again & ~kinds.is_gone & ~kinds.is_single
    hosts = _by_hosts(kinds, every)
    return _Chances(
        first_own,
        own=first_own * _by_others(packets, kinds, captures),
        sent=hosts.share(kinds.place + len(every) * kinds.is_third, kinds.gap),
        rather=_without(packets, kinds, hosts, len(every)),
        copied=alike(kinds.place, kinds.gap, is_copied, every, _never(every)).share(kinds.place, kinds.gap),
    )


def written_twice(packets: PacketColumns, passages: Passages, first: Numbers, last: Numbers) -> tuple[Flags, Flags]:
    """Return (P,) whether a packet is the captures' own: an equal one came at the same moment, and alone went on.

    And whether that is not sure of one that was lost: captures may have written one of its burst twice.
    ``first``, ``last``: (P,) places that saw it. Where a copy may have been lost behind several sensors, or one of two
    equal acknowledgements of a host, what is likelier is taken, as other packets show it.
    """
    kinds = _kinds(packets, passages, first, last)
    captures = _by_captures(packets, kinds)
    chances = _chances(packets, kinds, captures)
    lost = _is_lost(packets, passages, kinds, first, last)
    of_two = chances.own > chances.sent * lost
    found: Flags = kinds.is_gone & kinds.is_again
    found &= np.where(kinds.has_twin, of_two, kinds.is_single | (chances.own > chances.copied * lost))
    is_either = kinds.is_again & kinds.has_twin & (_UNSURE * chances.own > chances.sent * lost)
    burst = numbered(packets.burst)
    written = written_in(burst, passages, packets.is_forward, captures, ~found)
    copies = (packets.copy_of != NOWHERE) & ~found
    begun = np.zeros(written.shape)
    _note_begun(begun, burst, first, kinds.has_twin & ~found, chances.first_own / chances.sent * chances.rather)
    _note_begun(begun, burst, first, copies, written[burst, first] / chances.copied)
    is_lost = kinds.is_gone & ~found
    is_another = is_lost & (_UNSURE * _in_burst(begun, written, burst, passages, last) > lost)
    extra = copies | (kinds.has_twin & ~found & (_UNSURE * chances.first_own > chances.sent))
    most = np.maximum(np.bincount(burst[extra], minlength=len(begun)), 1)
    return found, is_lost & is_either | _first_of_each(burst, last, is_another, most)


def _note_begun(begun: Shares, burst: Numbers, place: Numbers, wanted: Flags, rather: Shares) -> None:
    """Put the most of its wanted packets into ``begun`` ((B, S)) for each burst and place."""
    np.maximum.at(begun, (burst[wanted], place[wanted]), rather[wanted])


def _in_burst(begun: Shares, chance: Shares, burst: Numbers, passages: Passages, last: Numbers) -> Shares:
    """Return (P,) how many times as likely it is that captures wrote one of its burst twice as that there is another.

    By those places that had the packet. ``begun``: (B, S) how many times by the first that has one more; ``chance``: as
    ``written_in`` returns it, for those behind that one.
    """
    found = np.zeros(len(burst))
    behind = np.ones(len(burst))
    for place in range(chance.shape[1] - 1, -1, -1):
        here = passages.seen[:, place] & (place <= last)
        found = np.where(here, np.maximum(found, begun[burst, place] * behind), found)
        behind = np.where(here, behind * chance[burst, place], behind)
    return found


def _first_of_each(burst: Numbers, last: Numbers, wanted: Flags, most: Numbers) -> Flags:
    """Return (P,) which of the wanted are the first of their burst and the place that had them last.

    ``most``: (B,) how many of each.
    """
    chosen = np.flatnonzero(wanted)
    chosen = chosen[np.lexsort((last[chosen], burst[chosen]))]
    group = np.stack((burst[chosen], last[chosen]), axis=1)
    _, begin, number = np.unique(group, axis=0, return_index=True, return_inverse=True)
    rank = np.arange(len(chosen)) - begin[number.reshape(-1)]
    found = np.zeros(len(last), np.bool_)
    found[chosen[rank < most[burst[chosen]]]] = True
    return found


def _without(packets: PacketColumns, kinds: _Kinds, hosts: Alike, groups: int) -> Shares:
    """Return (P,) how much likelier a row of twins is without its second one, which then begins with the third.

    ``groups``: how many groups of beginnings ``hosts`` has.
    """
    rather = np.ones(len(kinds.gap))
    third = np.flatnonzero(kinds.is_third)
    third = third[~kinds.is_third[packets.twin[third]]]
    second = packets.twin[third]
    gap = kinds.gap[third]
    begins = hosts.share(kinds.place[third], gap + kinds.gap[second])
    rather[second] = begins / hosts.share(kinds.place[third] + groups, gap)
    return rather


def _by_captures(packets: PacketColumns, kinds: _Kinds) -> Alike:
    """Return how often sensors write one twice, by sensor.

    One that wrote none twice may yet be like the others, if it would have by chance: it takes a packet of which an
    earlier sensor shows that it came by once.
    """
    own = _is_own(kinds)
    seen = packets.row != NOWHERE
    written = np.maximum(seen.sum(axis=0), 1)
    captures = alike(kinds.sensor, kinds.gap, own, written, _RARER * _never(written))
    behind = (seen & (np.arange(len(written)) != kinds.sensor[:, None])).sum(axis=0)
    expected = behind * np.count_nonzero(own) / written.sum()
    every = every_by_chance(written, expected)
    none = [not len(gaps) for gaps in captures.gaps]
    gaps = np.sort(kinds.gap[own])
    return captures._replace(
        gaps=[gaps if never else some for never, some in zip(none, captures.gaps, strict=True)],
        every=np.where(none, every, written),
    )


def _by_others(packets: PacketColumns, kinds: _Kinds, captures: Alike) -> Shares:
    """Return (P,) how likely all sensors that have a packet but the first wrote it twice."""
    at_others = np.arange(packets.row.shape[1]) != kinds.sensor[:, None]
    found: Shares = np.where((packets.row != NOWHERE) & at_others, captures.shares(), 1.0).prod(axis=1)
    return found


def _is_own(kinds: _Kinds) -> Flags:
    """Return (P,) whether a packet is surely one that its sensor wrote twice."""
    found: Flags = kinds.is_again & ~kinds.has_twin & kinds.is_single
    return found


def _by_hosts(kinds: _Kinds, every: Numbers) -> Alike:
    """Return how often a host sends another one at once, by place; behind these, as it has sent two in a row.

    ``every``: (G,) how many packets there are in the direction of each place.
    """
    is_lost = kinds.is_gone & kinds.is_single
    rows = np.bincount(kinds.place[kinds.has_twin], minlength=len(every))
    both = kinds.has_twin & ~is_lost & ~is_lost[kinds.twin]
    group = kinds.place + len(every) * kinds.is_third
    return alike(group, kinds.gap, both, np.concatenate((every, rows)), _never(every))


def _never(counts: Numbers) -> float:
    """Return what is added to each of so many counts: of what was never seen nothing tells that it cannot be."""
    return 1 / len(counts)


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
