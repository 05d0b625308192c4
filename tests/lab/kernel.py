"""The kernel's own word about repeats: bpftrace in a process, and its lines as events."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tests.lab.needs import MissingError

_SCRIPT: Final = Path(__file__).with_name("kernel.bt")
_START: Final = (
    "mountpoint -q /sys/kernel/tracing || mount -t tracefs nodev /sys/kernel/tracing; exec bpftrace -B line {}"
)
_KINDS: Final = frozenset({"R ", "C ", "S ", "P "})
_PATIENCE_SECONDS: Final = 60.0
_MARGIN_NS: Final = 500_000_000
OPEN, DISORDER, CWR, RECOVERY, LOSS = range(5)
"""``icsk_ca_state``."""
STATES: Final = ("open", "disorder", "cwr", "recovery", "loss")
PENDING: Final = {0: "none", 1: "rto", 2: "dack", 3: "probe0", 5: "tlp", 6: "reo"}
"""``icsk_pending``: the timer that is set. That of a timeout has just been taken off when it repeats."""
SYN_STATES: Final = frozenset({2, 3, 12})
"""SYN_SENT, SYN_RECV, NEW_SYN_RECV."""


class Repeat(NamedTuple):
    """``tcp_retransmit_skb``: the sequence numbers that are sent again, and the state of the connection."""

    time: int
    namespace: int
    sport: int
    dport: int
    seq: int
    end: int
    una: int
    ca_state: int
    pending: int
    retransmits: int
    state: int
    error: int


class StateSet(NamedTuple):
    """``tcp_cong_state_set``."""

    time: int
    namespace: int
    sport: int
    dport: int
    ca_state: int


class SynAck(NamedTuple):
    """``tcp_retransmit_synack``."""

    time: int
    namespace: int
    sport: int
    dport: int


class Probe(NamedTuple):
    """A segment that may be a probe, as it leaves its host."""

    time: int
    namespace: int
    sport: int
    dport: int
    unsent: int
    """Bytes that wait for room at the other host."""


class Word(NamedTuple):
    """All that the kernel said, each in order of time."""

    repeats: list[Repeat]
    states: list[StateSet]
    syn_acks: list[SynAck]
    probes: list[Probe]

    def and_also(self, other: "Word") -> "Word":
        """Return the events of both."""
        return Word(
            sorted([*self.repeats, *other.repeats]),
            sorted([*self.states, *other.states]),
            sorted([*self.syn_acks, *other.syn_acks]),
            sorted([*self.probes, *other.probes]),
        )

    def only(self, wanted: Callable[[Repeat | StateSet | SynAck | Probe], bool]) -> "Word":
        """Return the events that are wanted."""
        return Word(
            [event for event in self.repeats if wanted(event)],
            [event for event in self.states if wanted(event)],
            [event for event in self.syn_acks if wanted(event)],
            [event for event in self.probes if wanted(event)],
        )


def parse(lines: Sequence[str]) -> Word:
    """Return the events in what bpftrace wrote, or who else writes such lines."""
    word = Word([], [], [], [])
    for line in lines:
        if line[:2] not in _KINDS:
            continue
        letter, *fields = line.split()
        numbers = [int(field) for field in fields]
        if letter == "R":
            word.repeats.append(Repeat(*numbers))
        elif letter == "C":
            word.states.append(StateSet(*numbers))
        elif letter == "S":
            word.syn_acks.append(SynAck(*numbers))
        elif letter == "P":
            word.probes.append(Probe(*numbers))
    for events in word:
        events.sort()
    return word


def of_namespaces(word: Word, namespaces: tuple[int, ...]) -> Word:
    """Return the part of it that is about sockets of these namespaces (numbers of their inodes)."""
    return word.only(lambda event: event.namespace in namespaces)


class Tracer:
    """A running bpftrace."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path, messages: Path) -> None:
        self._process = process
        self._output = output
        self._messages = messages
        self._read = 0

    def wait_until(self, moment: int) -> None:
        """Wait until all that happened before a moment has been written."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._latest() < moment:
            said = self._messages.read_text(encoding="utf-8", errors="replace")
            if self._process.poll() is not None:
                raise MissingError(f"bpftrace ended: {said.strip()}")
            if time.monotonic() > deadline:
                raise MissingError(f"bpftrace is silent: {said.strip()}")
            time.sleep(0.05)

    def take(self, moment: int) -> Word:
        """Return what happened since the last call and before a moment."""
        self.wait_until(moment + _MARGIN_NS)
        content = self._output.read_bytes()
        if b"Lost" in content or b"Lost" in self._messages.read_bytes():
            raise MissingError("bpftrace lost events: the truth would be incomplete")
        end = content.rfind(b"\n") + 1
        text, self._read = content[self._read : end].decode(), end
        return parse(text.splitlines())

    def _latest(self) -> int:
        with self._output.open("rb") as file:
            file.seek(max(self._output.stat().st_size - (1 << 16), 0))
            lines = file.read().split(b"\n")[:-1]
        return max((int(line.split()[1]) for line in lines if line.startswith(b"T ")), default=0)


@contextmanager
def tracer(folder: Path) -> Iterator[Tracer]:
    """Trace the whole machine's TCP; the file that bpftrace writes, and what it says, go to a folder."""
    output, messages = folder / "kernel.txt", folder / "bpftrace.txt"
    start = _START.format(_SCRIPT)
    with output.open("wb") as lines, messages.open("wb") as log:
        process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", start], stdin=subprocess.DEVNULL, stdout=lines, stderr=log
        )
    try:
        running = Tracer(process, output, messages)
        running.wait_until(1)
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
