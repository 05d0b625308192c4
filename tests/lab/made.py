"""Runs made by hand: packets, what the links did to them and what the kernel said, without a network."""

import struct
from typing import Final

from tests.lab.endpoint import FIRST_CLIENT_PORT, PORT
from tests.lab.headers import ACK, SYN, Header
from tests.lab.kernel import LOSS, OPEN, RECOVERY, Probe, Repeat, StateSet, Word
from tests.lab.middlebox import Action, Packet, Passing
from tests.lab.rules import Place
from tests.lab.settings import Side
from tests.lab.truth import Run

CLIENT, SERVER = 11, 22
"""Namespaces."""
CLIENT_START, SERVER_START = 2**32 - 500, 7_000
"""Sequence numbers of the SYNs: the client's soon go round."""
_ADDRESSES: Final = (b"\x0a\x4f\0\1", b"\x0a\x4f\0\2")
_MILLISECOND: Final = 1_000_000
_DELAY: Final = 5 * _MILLISECOND


class Hand:
    """A run in the making, with one connection over two links; times are milliseconds."""

    def __init__(self, thrown_away: tuple[int, int] = (0, 0)) -> None:
        self._packets: list[Packet] = []
        self._actions: list[Action] = []
        self._passings: list[Passing] = []
        self._word = Word([], [], [], [])
        self._thrown_away = thrown_away

    def open(self) -> None:
        """Shake hands."""
        self.send(0, 0, flags=SYN)
        self.send(20, 0, flags=SYN | ACK, direction="backward", ack=1)
        self.send(40, 1)

    def send(
        self,
        at: float,
        seq: int,
        length: int = 0,
        *,
        direction: Side = "forward",
        ack: int = 1,
        flags: int = ACK,
        lost: int = -1,
        doubled: int = -1,
        held: float = 0.0,
    ) -> int:
        """Send a packet; ``lost`` and ``doubled`` name the link that does so; the first takes ``held`` longer."""
        is_forward = direction == "forward"
        number, time = len(self._packets), int(at * _MILLISECOND)
        starts = (CLIENT_START, SERVER_START) if is_forward else (SERVER_START, CLIENT_START)
        ports = (FIRST_CLIENT_PORT, PORT) if is_forward else (PORT, FIRST_CLIENT_PORT)
        addresses = _ADDRESSES if is_forward else _ADDRESSES[::-1]
        header = Header(
            *addresses, *ports, (starts[0] + seq) % 2**32, (starts[1] + ack) % 2**32, flags, 500, length, number, 54
        )
        frame = struct.pack(">I", number) + bytes(50)
        self._packets.append(Packet(number, time, direction, frame, header, Place(True, 0, 0)))
        order = (0, 1) if is_forward else (1, 0)
        copies = [(0, time)]
        for hop, link in enumerate(order):
            for copy, moment in copies:
                self._passings.append(Passing(moment, link if is_forward else link + 1, number, copy))
            if link == lost:
                self._actions += [Action(moment, link, number, copy, "loss", -1) for copy, moment in copies]
                return number
            self._actions += [Action(moment, link, number, copy, "forwarded", moment) for copy, moment in copies]
            longer = int(held * _MILLISECOND) if not hop else 0
            copies = [(copy, moment + _DELAY + longer) for copy, moment in copies]
            if link == doubled:
                copies.append((1, copies[0][1] + _MILLISECOND))
        self._passings += [Passing(moment, 2 if is_forward else 0, number, copy) for copy, moment in copies]
        return number

    def repeat(
        self, at: float, seq: int, end: int, ca_state: int = OPEN, pending: int = 1, *, state: int = 1, una: int = 1
    ) -> None:
        """Let the client's kernel say that it repeats sequence numbers, counted from the SYN's, as is ``una``."""
        time = int(at * _MILLISECOND)
        first, behind, acked = ((CLIENT_START + number) % 2**32 for number in (seq, end, una))
        event = Repeat(time, CLIENT, FIRST_CLIENT_PORT, PORT, first, behind, acked, ca_state, pending, 0, state, 0)
        self._word.repeats.append(event)

    def timeout(self, at: float, seq: int, end: int) -> None:
        """Let the retransmission timer go off."""
        self.enter(at, LOSS)
        self.repeat(at, seq, end, LOSS, 0, una=seq)

    def enter(self, at: float, ca_state: int) -> None:
        """Let the client's connection come into a state."""
        self._word.states.append(StateSet(int(at * _MILLISECOND), CLIENT, FIRST_CLIENT_PORT, PORT, ca_state))

    def recover(self, at: float, seq: int, end: int) -> None:
        """Let the client's connection enter fast recovery, and repeat."""
        self.enter(at, RECOVERY)
        self.repeat(at, seq, end, RECOVERY)

    def probe(self, at: float, *, is_window: bool) -> None:
        """Let the client's kernel say that it probes."""
        waiting = 1000 if is_window else 0
        self._word.probes.append(Probe(int(at * _MILLISECOND), CLIENT, FIRST_CLIENT_PORT, PORT, waiting))

    def run(self) -> Run:
        """Return the run."""
        return Run(
            self._packets, self._actions, sorted(self._passings), self._word, (CLIENT, SERVER), self._thrown_away,
            ("sender", "middle", "receiver"),
        )  # fmt: skip
