"""What each host sent, flow by flow, and which packets are repeats or probes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.lab.headers import RST, distance
from tests.lab.middlebox import Action, Packet, Passing
from tests.lab.settings import Side


class Fate(NamedTuple):
    """What became of a packet."""

    is_delivered: bool
    """It, or a copy that the network made, reached the other host."""
    link: int
    """The link that dropped it; -1 where it was delivered."""
    reason: str
    """``loss`` or ``queue``; empty where it was delivered."""


def fates(actions: Sequence[Action], passings: Sequence[Passing], packets: Sequence[Packet], links: int) -> list[Fate]:
    """Return the fate of each packet."""
    result = [Fate(is_delivered=False, link=-1, reason="")] * len(packets)
    for action in actions:
        if action.due < 0:
            result[action.packet] = Fate(is_delivered=False, link=action.link, reason=action.what)
    for passing in passings:
        if passing.point == (links if packets[passing.packet].direction == "forward" else 0):
            result[passing.packet] = Fate(is_delivered=True, link=-1, reason="")
    return result


class Send(NamedTuple):
    """A packet that takes sequence numbers, or a probe; ``begin`` and ``end`` count from the SYN's number."""

    packet: int
    time: int
    begin: int
    end: int
    highest: int
    """Where the numbers end that had been sent before; a repeat begins before it."""
    is_syn: bool

    @property
    def is_repeat(self) -> bool:
        """Whether some of its numbers had been sent before."""
        return self.begin < min(self.end, self.highest)


@dataclass
class Flow:
    """One direction of a connection."""

    direction: Side
    sport: int
    dport: int
    start: int
    """The SYN's sequence number."""
    sends: list[Send] = field(default_factory=list)
    probes: list[Send] = field(default_factory=list)
    """Segments without payload that ask for an acknowledgement: their number is one before what would come next."""

    def repeats(self) -> Iterator[Send]:
        """Yield the packets that send something again."""
        return (send for send in self.sends if send.is_repeat)


Key = tuple[Side, int, int]


def flows_of(packets: Sequence[Packet]) -> dict[Key, Flow]:
    """Return the flows, by direction, source and target port."""
    flows: dict[Key, Flow] = {}
    for packet in packets:
        header = packet.header
        key = packet.direction, header.sport, header.dport
        flow = flows.setdefault(key, Flow(*key, header.seq))
        begin = distance(flow.start, header.seq)
        end = begin + header.span
        highest = flow.sends[-1].highest if flow.sends else 0
        if flow.sends:
            highest = max(highest, flow.sends[-1].end)
        is_syn = header.span > header.length and begin == 0
        send = Send(packet.number, packet.time, begin, end, highest, is_syn)
        if header.span and not header.flags & RST:
            flow.sends.append(send)
        elif begin == highest - 1 and flow.sends and not header.flags & RST:
            flow.probes.append(send)
    return flows
