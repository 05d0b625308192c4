"""What a capture shows of what was sent: copies of what it had before, packets behind later ones, gaps of its own."""

from collections.abc import Mapping
from typing import NamedTuple

from tests.lab.captures import Captured
from tests.lab.flows import Flow, Key, Send
from tests.lab.headers import ACK, distance
from tests.lab.middlebox import OTHER, Packet


class PassedBefore(NamedTuple):
    """What a capture had before a frame."""

    has_packet: bool
    """The same packet of the sender."""
    copies: int
    """Frames with some of its sequence numbers."""
    behind: int
    """How far the frame's first sequence number is behind the highest before it; 0 or less: it is in order."""

    @property
    def is_behind(self) -> bool:
        """Whether the frame is out of order."""
        return self.behind > 0


class Passed:
    """What has come by in a capture."""

    def __init__(self) -> None:
        self._packets: set[int] = set()
        self._sends: dict[int, list[Send]] = {}
        self._highest: dict[int, int] = {}

    def note(self, frame: Captured, sent: tuple[Flow, Send] | None) -> PassedBefore:
        """Note a frame; ``sent`` is what it is in its flow, if it takes sequence numbers or is a probe."""
        has_packet = frame.packet in self._packets
        self._packets.add(frame.packet)
        if sent is None or sent[1].begin == sent[1].end:
            return PassedBefore(has_packet, 0, 0)
        flow, send = sent
        before = self._sends.setdefault(id(flow), [])
        copies = sum(one.begin < send.end and one.end > send.begin for one in before)
        highest = self._highest.get(id(flow), send.begin)
        before.append(send)
        self._highest[id(flow)] = max(highest, send.end)
        return PassedBefore(has_packet, copies, highest - send.begin)


class Gaps:
    """Which frames show that a capture misses what was delivered.

    It is the first frame that begins behind what is missing, or that acknowledges it. Where the original was lost, what
    comes behind it says nothing of the capture: if its repeat is missing, only the acknowledgment shows that.
    """

    def __init__(self, sends: Mapping[int, tuple[Flow, Send]], omitted: Mapping[int, int]) -> None:
        self._sends = sends
        self._missing: dict[int, list[tuple[int, Send]]] = {}
        for number, time in omitted.items():
            if number in sends:
                flow, send = sends[number]
                self._missing.setdefault(id(flow), []).append((time, send))
        self._highest: dict[int, int] = {}
        self._told: dict[int, list[Send]] = {}
        """What the capture has, and what was shown to be missing."""

    def shown_by(self, time: int, packet: Packet, flows: Mapping[Key, Flow]) -> int:
        """Return how many omitted packets a frame is the first to show."""
        header = packet.header
        shown = 0
        if packet.number in self._sends:
            flow, send = self._sends[packet.number]
            shown += self._show_behind(time, flow, send.begin)
            self._highest[id(flow)] = max(send.end, self._highest.get(id(flow), send.end))
            self._told.setdefault(id(flow), []).append(send)
        acknowledged = flows.get((OTHER[packet.direction], header.dport, header.sport))
        if acknowledged is not None and header.flags & ACK:
            shown += self._show_acknowledged(time, acknowledged, distance(acknowledged.start, header.ack))
        return shown

    def _show_behind(self, time: int, flow: Flow, number: int) -> int:
        """Return how many packets, omitted by then, are between what the capture has and a sequence number."""
        highest = self._highest.get(id(flow))
        if highest is None or number <= highest:
            return 0
        return self._show(flow, [one for one in self._omitted(time, flow, number) if one[1].end > highest])

    def _show_acknowledged(self, time: int, flow: Flow, number: int) -> int:
        """Return how many packets, omitted by then, have numbers below a sequence number that nothing else had.

        What was sent before all that the capture has leaves no gap in it.
        """
        told = self._told.get(id(flow))
        if told is None:
            return 0
        first = min(send.begin for send in told)
        omitted = [one for one in self._omitted(time, flow, number) if one[1].begin >= first]
        return self._show(flow, [one for one in omitted if _has_more(one[1], told)])

    def _omitted(self, time: int, flow: Flow, number: int) -> list[tuple[int, Send]]:
        return [one for one in self._missing.get(id(flow), []) if one[0] <= time and one[1].begin < number]

    def _show(self, flow: Flow, shown: list[tuple[int, Send]]) -> int:
        if shown:
            self._missing[id(flow)] = [one for one in self._missing[id(flow)] if one not in shown]
            self._told[id(flow)] += [send for _, send in shown]
        return len(shown)


def _has_more(send: Send, others: list[Send]) -> bool:
    """Tell whether a packet has a sequence number that none of the others has."""
    begin = send.begin
    for other in sorted(others, key=lambda one: one.begin):
        if other.begin <= begin < other.end:
            begin = other.end
    return begin < send.end
