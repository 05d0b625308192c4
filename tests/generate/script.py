"""A conversation played packet by packet, with a receiver that acknowledges as a real one does."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from segwatch.vocabulary import Flag
from tests.generate.packets import CLIENT, PACKET, SERVER, Layout, Packets

SYN, ACK, FIN, RST, PSH = (int(flag) for flag in (Flag.SYN, Flag.ACK, Flag.FIN, Flag.RST, Flag.PSH))
SEGMENT = 1448
"""Payload of a full segment with timestamps on a 1500-byte path."""
TTL = (64, 57)


class Episode(NamedTuple):
    """A piece of a conversation; what it says is relative to where it starts."""

    packets: Packets
    duration: int
    """Microseconds until the next episode may start."""
    advance: tuple[int, int]
    """Sequence numbers that the client and the server used up."""


class Script:
    """Two ends and the capture point between them. Time is in microseconds; ``now`` moves on with ``after``."""

    def __init__(self, windows: tuple[int, int] = (502, 509), now: int = 0) -> None:
        self.now = now
        self.windows = list(windows)
        self.layout = Layout.TIMESTAMPS
        self.next = [0, 0]
        self.received = [0, 0]
        self._beyond: list[dict[int, int]] = [{}, {}]
        self._rows: list[tuple[int, ...]] = []

    def segment(
        self,
        sender: int,
        length: int = 0,
        flags: int = ACK,
        *,
        after: int = 10,
        sequence: int | None = None,
        acknowledgment: int | None = None,
        window: int | None = None,
        layout: Layout | None = None,
        captured: bool = True,
        delivered: bool = True,
        ttl: int | None = None,
    ) -> int:
        """Send a segment and return its sequence number.

        Without ``sequence`` it carries new data. ``captured``: the capture saw it; ``delivered``: its receiver got it.
        """
        self.now += after
        start = self.next[sender] if sequence is None else sequence
        end = start + length + (1 if flags & (SYN | FIN) else 0)
        self.next[sender] = max(self.next[sender], end)
        if captured:
            self._record(
                sender, length, flags, start, acknowledgment, window, layout, TTL[sender] if ttl is None else ttl
            )
        if delivered and end > start:
            self._arrive(1 - sender, start, end)
        return start

    def acknowledge(self, sender: int, *, after: int = 10, window: int | None = None) -> None:
        """Send an empty ACK."""
        self.segment(sender, after=after, window=window)

    def wait(self, microseconds: int) -> None:
        """Let time pass."""
        self.now += microseconds

    def episode(self, pause: int = 50) -> Episode:
        """Return what was played; nothing may be outstanding, or the next episode could not follow."""
        if self._beyond[CLIENT] or self._beyond[SERVER] or self.received != self.next[::-1]:
            raise ValueError("an episode must end with everything delivered")
        return Episode(self.packets(), self.now + pause, (self.next[CLIENT], self.next[SERVER]))

    def packets(self, conversation: int = 0) -> Packets:
        """Return the packets in capture order."""
        rows = np.array([(row[0], conversation, *row[1:]) for row in self._rows], PACKET)
        return rows[np.argsort(rows["time"], kind="stable")]

    def _record(
        self,
        sender: int,
        length: int,
        flags: int,
        start: int,
        ack: int | None,
        window: int | None,
        layout: Layout | None,
        ttl: int,
    ) -> None:
        beyond = self._beyond[sender]
        chosen = self.layout if layout is None else layout
        left = right = 0
        if beyond and chosen is Layout.TIMESTAMPS:
            chosen, left, right = Layout.SACK, min(beyond), max(beyond.values())
        shown = self.windows[sender] if window is None else window
        acknowledgment = self.received[sender] if ack is None else ack
        self._rows.append((self.now, sender, flags, chosen, ttl, length, shown, start, acknowledgment, left, right))

    def _arrive(self, receiver: int, start: int, end: int) -> None:
        if end <= self.received[receiver]:
            return
        beyond = self._beyond[receiver]
        beyond[start] = max(end, beyond.get(start, 0))
        for first in sorted(beyond):
            if first > self.received[receiver]:
                break
            self.received[receiver] = max(self.received[receiver], beyond.pop(first))


def open_connection(script: Script, round_trip: int = 20_000, layout: Layout = Layout.OPENING) -> None:
    """Play a three-way handshake; the capture is at the client."""
    script.segment(CLIENT, flags=SYN, window=64240, layout=layout)
    script.segment(SERVER, flags=SYN | ACK, after=round_trip, window=65160, layout=layout)
    script.acknowledge(CLIENT, after=60)


def close_connection(script: Script, round_trip: int = 20_000) -> None:
    """Play an orderly close that the client begins."""
    script.segment(CLIENT, flags=FIN | ACK, after=200)
    script.segment(SERVER, flags=FIN | ACK, after=round_trip)
    script.acknowledge(CLIENT, after=60)


def transfer(
    script: Script,
    segments: int,
    sender: int = SERVER,
    windows: Iterable[int] = (),
    gap: int = 120,
    length: int = SEGMENT,
) -> None:
    """Send ``segments`` segments, every second one acknowledged; ``windows`` are advertised in turn."""
    advertised = list(windows) or [script.windows[1 - sender]]
    for count in range(1, segments + 1):
        script.segment(sender, length, ACK | PSH if count == segments else ACK, after=gap)
        if count % 2 == 0 or count == segments:
            script.acknowledge(1 - sender, after=40, window=advertised[count // 2 % len(advertised)])
