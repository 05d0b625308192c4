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

    It is the first frame that begins behind what is missing, or that acknowledges it.
    """

    def __init__(self, sends: Mapping[int, tuple[Flow, Send]], omitted: Mapping[int, int]) -> None:
        self._sends = sends
        self._missing: dict[int, list[tuple[int, Send]]] = {}
        for number, time in omitted.items():
            if number in sends:
                flow, send = sends[number]
                self._missing.setdefault(id(flow), []).append((time, send))
        self._highest: dict[int, int] = {}

    def shown_by(self, time: int, packet: Packet, flows: Mapping[Key, Flow]) -> int:
        """Return how many omitted packets a frame is the first to show."""
        header = packet.header
        shown = 0
        if packet.number in self._sends:
            flow, send = self._sends[packet.number]
            shown += self._show(time, flow, send.begin)
            self._highest[id(flow)] = max(send.end, self._highest.get(id(flow), send.end))
        acknowledged = flows.get((OTHER[packet.direction], header.dport, header.sport))
        if acknowledged is not None and header.flags & ACK:
            shown += self._show(time, acknowledged, distance(acknowledged.start, header.ack))
        return shown

    def _show(self, time: int, flow: Flow, number: int) -> int:
        """Return how many packets, omitted by then, are between what the capture has and a sequence number."""
        highest = self._highest.get(id(flow))
        if highest is None or number <= highest:
            return 0
        missing = self._missing.get(id(flow), [])
        shown = [one for one in missing if one[0] <= time and one[1].begin < number and one[1].end > highest]
        self._missing[id(flow)] = [one for one in missing if one not in shown]
        return len(shown)
