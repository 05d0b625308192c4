"""The middlebox: takes frames from one TAP and gives them to the other, over links with delay and faults.

The way has points 0 (at the client) to n (at the server) with n links between them. Whatever comes by a point is
noted with its time, which makes the captures; whatever a link does is noted too, which makes the truth.
Times are nanoseconds of CLOCK_MONOTONIC, as the kernel's trace has them.
"""

import heapq
import os
import select
import threading
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.lab.headers import Header, parse
from tests.lab.links import LinkSide
from tests.lab.rules import Place, Progress
from tests.lab.settings import Link, Scenario, Side, Traffic

_LARGEST_FRAME: Final = 1 << 16
_SECONDS_TO_WAIT: Final = 0.02
_SECOND: Final = 1e9
SIDES: Final[tuple[Side, Side]] = ("forward", "backward")
OTHER: Final[dict[Side, Side]] = {"forward": "backward", "backward": "forward"}


class Packet(NamedTuple):
    """A frame that one of the hosts sent."""

    number: int
    """From 0, in the order in which the middlebox took them."""
    time: int
    direction: Side
    frame: bytes
    header: Header
    place: Place


class Action(NamedTuple):
    """What a link did to a packet, or to one of the copies that the network made of it."""

    time: int
    link: int
    packet: int
    copy: int
    """0 is the packet itself."""
    what: str
    """As ``tests.lab.links.Out`` has it."""
    due: int


class Passing(NamedTuple):
    """A packet, or a copy of it, that came by a point."""

    time: int
    point: int
    packet: int
    copy: int


class Middlebox(threading.Thread):
    """Moves frames between two TAPs, given by their file descriptors, until it is stopped."""

    def __init__(self, scenario: Scenario, client: int, server: int) -> None:
        super().__init__(name="middlebox", daemon=True)
        self.packets: list[Packet] = []
        self.actions: list[Action] = []
        self.passings: list[Passing] = []
        self._taps = {client: SIDES[0], server: SIDES[1]}
        self._outlets = {"forward": server, "backward": client}
        self._links = _sides(scenario.links, scenario.name)
        self._progress = {side: Progress(_message_bytes(scenario.traffic, side)) for side in SIDES}
        self._moving: list[tuple[int, int, int, int, int]] = []
        self._order = 0
        self._copies: dict[int, int] = {}
        self._stop_asked = threading.Event()
        self.failure: OSError | None = None

    def stop(self) -> None:
        """End the thread; what is on its way is delivered before."""
        self._stop_asked.set()
        self.join()

    def run(self) -> None:
        """Move frames."""
        try:
            while self._moving or not self._stop_asked.is_set():
                readable, _, _ = select.select(list(self._taps), [], [], self._patience())
                for tap in readable:
                    self._take(tap)
                self._advance()
        except OSError as error:
            self.failure = error

    def _patience(self) -> float:
        if not self._moving:
            return _SECONDS_TO_WAIT
        return min(max(self._moving[0][0] - time.monotonic_ns(), 0) / _SECOND, _SECONDS_TO_WAIT)

    def _take(self, tap: int) -> None:
        """Take all frames that a host has sent."""
        side = self._taps[tap]
        while True:
            try:
                frame = os.read(tap, _LARGEST_FRAME)
            except BlockingIOError:
                return
            now = time.monotonic_ns()
            header = parse(frame)
            if header is None:  # the hosts know each other's addresses; all else is noise
                continue
            packet = Packet(len(self.packets), now, side, frame, header, self._progress[side].note(header))
            self.packets.append(packet)
            self._copies[packet.number] = 0
            self._arrive(now, packet, 0, 0)

    def _advance(self) -> None:
        """Let everything arrive at its next point that is due."""
        while self._moving and self._moving[0][0] <= time.monotonic_ns():
            _, _, number, copy, hop = heapq.heappop(self._moving)
            self._arrive(time.monotonic_ns(), self.packets[number], copy, hop)

    def _arrive(self, now: int, packet: Packet, copy: int, hop: int) -> None:
        """Let a packet come by a point, after so many links, and enter the next one."""
        links = self._links[packet.direction]
        is_forward = packet.direction == "forward"
        self.passings.append(Passing(now, hop if is_forward else len(links) - hop, packet.number, copy))
        if hop == len(links):
            os.write(self._outlets[packet.direction], packet.frame)
            return
        link = hop if is_forward else len(links) - 1 - hop
        for out in links[link].enter(now, len(packet.frame), packet.header, packet.place):
            if out.what == "duplicate":
                self._copies[packet.number] += 1
                copy = self._copies[packet.number]
            self.actions.append(Action(now, link, packet.number, copy, out.what, out.due))
            if out.due >= 0:
                self._order += 1
                heapq.heappush(self._moving, (out.due, self._order, packet.number, copy, hop + 1))


def _sides(links: Sequence[Link], seed: str) -> dict[Side, list[LinkSide]]:
    return {
        side: [LinkSide(link, side, f"{seed}/{number}/{side}") for number, link in enumerate(links)] for side in SIDES
    }


def _message_bytes(traffic: Traffic, side: Side) -> int:
    return traffic.request if side == "forward" else traffic.response
