"""What happened to the packets, and where: each event once, however many sensors show it."""

from typing import Final, NamedTuple

import numpy as np

from processors.paths.passages import Flags, Numbers, Passages
from processors.paths.reordering import overtaken
from processors.paths.written_twice import written_twice
from segwatch.records.paths import NOWHERE, EventColumns, PacketColumns, PathEvent

_NOTABLE: Final = 1_000_000
"""Nanoseconds above the median that a delay has at least."""
_BEYOND: Final = 3
"""How many times as far above the median as nine of ten packets it is."""
_FEWEST: Final = 20
"""Packets from which it is known what is usual."""


class _Found(NamedTuple):
    kind: PathEvent
    packet: Numbers
    origin: Numbers
    """Place on the way."""
    target: Numbers
    ts: Numbers

    def where(self, wanted: Flags) -> "_Found":
        """Return the events of wanted packets; ``wanted``: (P,)."""
        chosen = wanted[self.packet]
        return _Found(self.kind, self.packet[chosen], self.origin[chosen], self.target[chosen], self.ts[chosen])


def _places(wanted: Flags) -> tuple[Numbers, Numbers]:
    """Return (P,) the first and the last place that is wanted, S and -1 if there is none."""
    some = wanted.any(axis=1)
    places = wanted.shape[1]
    first = np.where(some, wanted.argmax(axis=1), places)
    last = np.where(some, places - 1 - wanted[:, ::-1].argmax(axis=1), NOWHERE)
    return first, last


def _lost(passages: Passages, last: Numbers) -> _Found:
    """Packets that a later sensor would have seen, and none did."""
    places = np.arange(passages.seen.shape[1])
    next_place, _ = _places(passages.expects & (places > last[:, None]))
    packet = np.flatnonzero(next_place < len(places))
    return _Found(PathEvent.LOST, packet, last[packet], next_place[packet], passages.time[packet, last[packet]])


def _missed(passages: Passages, first: Numbers, last: Numbers) -> _Found:
    """Packets that a sensor missed, though sensors before and behind it saw them."""
    places = np.arange(passages.seen.shape[1])
    within = (places > first[:, None]) & (places < last[:, None])
    packet, place = np.nonzero(within & passages.expects & ~passages.seen)
    return _Found(PathEvent.CAPTURE_LOSS, packet, place, place, passages.time[packet, first[packet]])


def _first_seen(packets: PacketColumns, passages: Passages, first: Numbers) -> tuple[_Found, _Found]:
    """Packets that a sensor before would have seen: copies, and others."""
    places = np.arange(passages.seen.shape[1])
    _, before = _places(passages.expects & (places < first[:, None]))
    is_copy = packets.copy_of != NOWHERE
    copies, others = np.flatnonzero(is_copy), np.flatnonzero(~is_copy & (before != NOWHERE))
    duplicated, appeared = (
        _Found(kind, chosen, before[chosen], first[chosen], passages.time[chosen, first[chosen]])
        for kind, chosen in ((PathEvent.DUPLICATED, copies), (PathEvent.APPEARED, others))
    )
    return duplicated, appeared


def _delayed(delay: Numbers) -> Flags:
    """Return which delays stand out from the others."""
    if len(delay) < _FEWEST:
        return np.zeros(len(delay), np.bool_)
    median, high = np.percentile(delay, (50, 90))
    found: Flags = delay > median + max(_NOTABLE, _BEYOND * (high - median))
    return found


def _on_time(packets: PacketColumns, passages: Passages, direction: Flags) -> list[_Found]:
    """Packets that were reordered or delayed between two sensors next to each other; not of equal ones in a row."""
    found = []
    places = passages.seen.shape[1]
    flow = 2 * packets.conversation.astype(np.int64) + packets.side
    eligible = direction & (packets.copy_of == NOWHERE) & ~packets.is_mixed
    for target in range(1, places):
        _, before = _places(passages.seen & (np.arange(places) < target))
        for origin in range(target):
            packet = np.flatnonzero(eligible & passages.seen[:, target] & (before == origin))
            sent, arrived = passages.row[packet, origin], passages.row[packet, target]
            late = overtaken(flow[packet], sent, arrived)
            slow = _delayed(passages.time[packet, target] - passages.time[packet, origin]) & ~late
            for kind, chosen in ((PathEvent.REORDERED, packet[late]), (PathEvent.DELAYED, packet[slow])):
                ends = np.full(len(chosen), origin), np.full(len(chosen), target)
                found.append(_Found(kind, chosen, *ends, passages.time[chosen, origin]))
    return found


def find_events(packets: PacketColumns, passages: Passages) -> EventColumns:
    """Return what happened to the packets."""
    first, last = _places(passages.seen)
    own, unsure = written_twice(packets, passages, first, last)
    unsure |= packets.may_be_late & ~own
    lost, (copies, appeared) = _lost(passages, last), _first_seen(packets, passages, first)
    twice, place = np.nonzero(passages.seen & own[:, None])
    found = [
        lost.where(~own & ~unsure),
        lost.where(unsure)._replace(kind=PathEvent.MAYBE_LOST),
        copies.where(~own),
        _Found(PathEvent.CAPTURE_DUPLICATE, twice, place, place, passages.time[twice, place]),
        _missed(passages, first, last).where(~own),
        appeared,
        *_on_time(packets, passages, packets.is_forward),
        *_on_time(packets, passages, ~packets.is_forward),
    ]
    kind = np.concatenate([np.full(len(part.packet), int(part.kind), np.uint8) for part in found])
    packet, origin, target, ts = (
        np.concatenate([column[at] for column in found]) for at in range(1, len(_Found._fields))
    )
    order = np.argsort(ts, kind="stable")
    backward = ~packets.is_forward[packet]
    end = passages.seen.shape[1] - 1
    origin = np.where(backward & (origin != NOWHERE), end - origin, origin)
    target = np.where(backward, end - target, target)
    return EventColumns(kind[order], packet[order], origin[order], target[order], ts[order])
