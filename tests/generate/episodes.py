"""The repertoire: what happens in healthy and in sick conversations, each as an episode of its own."""

from collections.abc import Callable

import numpy as np

from tests.generate.packets import CLIENT, SERVER, Layout
from tests.generate.script import (
    ACK,
    FIN,
    PSH,
    RST,
    SEGMENT,
    SYN,
    Episode,
    Script,
    close_connection,
    open_connection,
    transfer,
)

Player = Callable[[Script, np.random.Generator], None]


def variants(player: Player, rng: np.random.Generator, count: int) -> list[Episode]:
    """Return ``count`` episodes of one kind that differ in their numbers."""
    episodes = []
    for _ in range(count):
        script = Script(windows=(int(rng.integers(480, 1500)), 509))
        player(script, rng)
        episodes.append(script.episode())
    return episodes


def opening(script: Script, rng: np.random.Generator) -> None:
    """Play a handshake."""
    open_connection(script, int(rng.integers(2_000, 60_000)))


def repeated_opening(script: Script, rng: np.random.Generator) -> None:
    """Play a handshake whose first SYN got lost on the way."""
    script.segment(CLIENT, flags=SYN, window=64240, layout=Layout.OPENING, delivered=False)
    script.segment(CLIENT, flags=SYN, window=64240, layout=Layout.OPENING, sequence=0, after=1_000_000)
    script.segment(SERVER, flags=SYN | ACK, window=65160, layout=Layout.OPENING, after=int(rng.integers(2_000, 60_000)))
    script.acknowledge(CLIENT, after=60)


def request(script: Script, rng: np.random.Generator) -> None:
    """Ask one question, acknowledged, and an answer of 1 to 9 segments."""
    script.segment(CLIENT, int(rng.integers(80, 900)), ACK | PSH, after=200)
    script.acknowledge(SERVER, after=int(rng.integers(2_000, 30_000)))
    transfer(script, int(rng.integers(0, 9)))
    script.segment(SERVER, int(rng.integers(1, SEGMENT)), ACK | PSH)
    script.acknowledge(CLIENT)


def healthy(script: Script, rng: np.random.Generator) -> None:
    """Play a run of segments, acknowledged two by two, with windows that vary a little."""
    transfer(script, int(rng.integers(24, 64)), windows=rng.integers(480, 520, 16).tolist())


def lost_after_capture(script: Script, rng: np.random.Generator) -> None:
    """Lose a segment after the capture; duplicate ACKs bring it back."""
    hole = script.segment(SERVER, SEGMENT, after=120, delivered=False)
    _duplicates_and_repair(script, rng, hole)


def lost_before_capture(script: Script, rng: np.random.Generator) -> None:
    """Lose a segment before the capture; only its second copy is seen."""
    hole = script.segment(SERVER, SEGMENT, after=120, captured=False, delivered=False)
    _duplicates_and_repair(script, rng, hole)


def _duplicates_and_repair(script: Script, rng: np.random.Generator, hole: int) -> None:
    for _ in range(int(rng.integers(3, 24))):
        script.segment(SERVER, SEGMENT, after=60)
        script.acknowledge(CLIENT)
    script.segment(SERVER, SEGMENT, sequence=hole, after=int(rng.integers(100, 30_000)))
    script.acknowledge(CLIENT)


def reordered(script: Script, rng: np.random.Generator) -> None:
    """Let a segment be overtaken by one to three others."""
    late = script.segment(SERVER, SEGMENT, captured=False, delivered=False)
    for _ in range(int(rng.integers(1, 4))):
        script.segment(SERVER, SEGMENT, after=20)
        script.acknowledge(CLIENT)
    script.segment(SERVER, SEGMENT, sequence=late, after=30)
    script.acknowledge(CLIENT)


def timed_out(script: Script, rng: np.random.Generator) -> None:
    """Lose the last segment of a burst, which comes again after the retransmission timeout."""
    lost = script.segment(SERVER, SEGMENT, ACK | PSH, delivered=False)
    script.segment(SERVER, SEGMENT, ACK | PSH, sequence=lost, after=int(rng.integers(200_000, 400_000)))
    script.acknowledge(CLIENT)


def spurious(script: Script, rng: np.random.Generator) -> None:
    """Send an acknowledged segment again."""
    start = script.segment(SERVER, SEGMENT, ACK | PSH)
    script.acknowledge(CLIENT)
    script.segment(SERVER, SEGMENT, ACK | PSH, sequence=start, after=int(rng.integers(200_000, 260_000)))
    script.acknowledge(CLIENT)


def zero_window(script: Script, rng: np.random.Generator) -> None:
    """Close the client's window, probe it, open it again."""
    script.segment(SERVER, SEGMENT)
    script.acknowledge(CLIENT, window=0)
    for attempt in range(int(rng.integers(1, 4))):
        script.segment(SERVER, 1, after=220_000 << attempt, sequence=script.next[SERVER], delivered=False)
        script.next[SERVER] -= 1
        script.acknowledge(CLIENT, window=0)
    script.acknowledge(CLIENT, after=90_000)


def keep_alive(script: Script, rng: np.random.Generator) -> None:
    """Play a quiet time with an answered keep-alive."""
    script.segment(SERVER, 0, sequence=script.next[SERVER] - 1, after=int(rng.integers(5, 46)) * 1_000_000)
    script.acknowledge(CLIENT)


def orderly_close(script: Script, rng: np.random.Generator) -> None:
    """Close from both sides."""
    close_connection(script, int(rng.integers(2_000, 60_000)))


def reset_close(script: Script, rng: np.random.Generator) -> None:
    """Let the client give up in the middle."""
    script.segment(CLIENT, flags=RST | ACK, window=0, layout=Layout.NONE, after=int(rng.integers(200, 5_000)))


def server_fin_then_reset(script: Script, rng: np.random.Generator) -> None:
    """Let the server close; the client answers with a reset."""
    script.segment(SERVER, flags=FIN | ACK, after=300)
    script.segment(CLIENT, flags=RST, window=0, layout=Layout.NONE, after=int(rng.integers(40, 900)))


def unanswered(script: Script, rng: np.random.Generator) -> None:
    """Send three SYNs into a void."""
    script.segment(CLIENT, flags=SYN, window=64240, layout=Layout.OPENING, after=int(rng.integers(1, 100)))
    for delay in (1_000_000, 2_000_000):
        script.segment(CLIENT, flags=SYN, window=64240, layout=Layout.OPENING, sequence=0, after=delay)


def refused(script: Script, rng: np.random.Generator) -> None:
    """Play a SYN to a port where nobody listens."""
    script.segment(CLIENT, flags=SYN, window=64240, layout=Layout.OPENING)
    script.segment(SERVER, flags=RST | ACK, window=0, layout=Layout.NONE, after=int(rng.integers(200, 30_000)))
