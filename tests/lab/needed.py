"""Whether a repeat was needed, and where what it replaces was lost."""

from collections.abc import Sequence
from typing import NamedTuple

from tests.lab.flows import Fate, Flow, Send

Range = tuple[int, int]


class Need(NamedTuple):
    """What the middlebox knows of a repeat."""

    needed: str
    """``needed``: some of the sequence numbers that it sends again were in no earlier packet that reached the other
    host, or is still on its way there: all earlier copies of them were dropped. ``spurious``: a copy of each was
    delivered. ``unknown``: copies were delivered, but the other host threw segments away for lack of room."""
    packet: int
    """The last packet before it that had numbers which only this repeat brings, and was dropped; -1: there is none."""
    link: int
    """The link that dropped it; -1: there is none."""
    sent: int
    """Earlier packets with some of its numbers."""
    lost: int
    """How many of them were dropped."""


def needs(flow: Flow, fates: Sequence[Fate], throws_away: bool) -> dict[int, Need]:
    """Return the need for each repeat of a flow, by packet; ``throws_away``: the receiving host did so."""
    found = {}
    for at, send in enumerate(flow.sends):
        if send.is_repeat:
            found[send.packet] = _need(send, flow.sends[:at], fates, throws_away)
    return found


def _need(send: Send, before: Sequence[Send], fates: Sequence[Fate], throws_away: bool) -> Need:
    again = send.begin, min(send.end, send.highest)
    earlier = [one for one in before if one.begin < again[1] and one.end > again[0]]
    missing = [again]
    for one in earlier:
        if fates[one.packet].is_delivered:
            missing = _without(missing, (one.begin, one.end))
    lost = [one for one in earlier if not fates[one.packet].is_delivered]
    if not missing:
        return Need("unknown" if throws_away else "spurious", -1, -1, len(earlier), len(lost))
    for one in reversed(lost):
        if any(one.begin < end and one.end > begin for begin, end in missing):
            return Need("needed", one.packet, fates[one.packet].link, len(earlier), len(lost))
    raise AssertionError(f"packet {send.packet} repeats what was neither delivered nor dropped")


def _without(ranges: Sequence[Range], taken: Range) -> list[Range]:
    """Return what is left of ranges."""
    begin, end = taken
    left = [(low, min(high, begin)) for low, high in ranges] + [(max(low, end), high) for low, high in ranges]
    return [(low, high) for low, high in left if low < high]
