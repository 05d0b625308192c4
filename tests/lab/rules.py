"""Which packets a rule chooses."""

import random

from tests.lab.headers import FIN, RST, SYN, Header, distance
from tests.lab.settings import Rule, Side


def kind(header: Header) -> str:
    """Return what a segment is: the names of ``Rule.what``, or ``reset``."""
    if header.flags & RST:
        return "reset"
    if header.flags & SYN:
        return "syn"
    if header.length:
        return "data"
    return "fin" if header.flags & FIN else "acks"


class Progress:
    """How far each flow has come, in one direction, as its sender's packets show."""

    def __init__(self, message_bytes: int) -> None:
        self._message_bytes = message_bytes
        self._start: dict[tuple[int, int], int] = {}
        self._sent: dict[tuple[int, int], int] = {}
        self._segments: dict[tuple[int, int], int] = {}

    def note(self, header: Header) -> "Place":
        """Return where in its flow a packet is; packets come in the order in which they were sent."""
        flow = header.sport, header.dport
        if flow not in self._start or (header.flags & SYN and header.seq != self._start[flow]):
            self._start[flow] = header.seq
            self._sent[flow] = 0
            self._segments[flow] = 0
        begin = distance(self._start[flow], header.seq)
        end = begin + header.span
        first = end > self._sent[flow]
        if first and header.length:
            self._segments[flow] += 1
        self._sent[flow] = max(end, self._sent[flow])
        sent = max(begin + header.length - 1, 0)  # without the SYN
        left = -sent % self._message_bytes if self._message_bytes else 0
        return Place(first, self._segments[flow], left)


class Place:
    """Where in its flow a packet is."""

    __slots__ = ("bytes_left", "is_first", "position")

    def __init__(self, is_first: bool, position: int, bytes_left: int) -> None:
        self.is_first = is_first
        """It has sequence numbers that were not sent before."""
        self.position = position
        """How many segments of data the flow had by then, repeats not counted."""
        self.bytes_left = bytes_left
        """From the end of this segment to the end of the message."""


class Chooser:
    """A rule on one direction of a link, with its own random numbers."""

    def __init__(self, rule: Rule, direction: Side, numbers: random.Random) -> None:
        self.rule = rule
        self._is_for_direction = rule.direction in {direction, "both"}
        self._numbers = numbers
        self._in_burst = False

    def chooses(self, header: Header, place: Place) -> bool:
        """Tell whether the rule is for this packet, and takes it."""
        rule = self.rule
        if not self._is_for_direction or rule.what not in {"any", kind(header)}:
            return False
        if rule.copies != "any" and (rule.copies == "first") != place.is_first:
            return False
        if rule.positions and place.position not in rule.positions:
            return False
        if rule.tail and place.bytes_left >= rule.tail:
            return False
        chance = max(rule.burst, rule.chance) if self._in_burst else rule.chance
        self._in_burst = self._numbers.random() < chance
        return self._in_burst
