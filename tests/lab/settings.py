"""What a scenario is made of: the stacks, the way between them, the traffic and the faults of the captures.

Every class can be written as JSON (``dataclasses.asdict``), which is what ``scenario.json`` has.
"""

from dataclasses import dataclass, field
from typing import Literal

Side = Literal["forward", "backward"]
"""``forward``: from the client to the server, which is where most data goes."""


@dataclass(frozen=True)
class Stack:
    """What the hosts run. If it is Linux, both ends have the same; another stack has Linux at the server."""

    name: str
    client: Literal["linux", "smoltcp"] = "linux"
    sysctls: dict[str, str] = field(default_factory=dict)
    """Settings below net.ipv4 of the two namespaces, beside the kernel's defaults."""
    congestion: str = "cubic"
    receive_buffer: int = 0
    """Bytes of the server's receive buffer (SO_RCVBUF); 0: the kernel's choice."""
    quick_acks: bool = False
    """The server acknowledges every segment at once."""


@dataclass(frozen=True)
class Rule:
    """What a link does to some of the packets that enter it.

    A packet is chosen if it is of the kind, direction and copy that the rule is for, and by one of three ways: its
    place in its flow (``positions``), being near the end of a message (``tail``), or by chance. The way and the chance
    can be combined: half of the tails, say.
    """

    action: Literal["drop", "duplicate", "hold", "early", "stall"]
    """``hold``: comes later than what is behind it; ``early``: before what is in front of it, without the link's delay;
    ``stall``: the link stands still, and nothing is overtaken."""
    what: Literal["data", "acks", "syn", "fin", "any"] = "data"
    """``acks`` are segments without payload, SYN, FIN and RST."""
    direction: Literal["forward", "backward", "both"] = "forward"
    copies: Literal["first", "repeats", "any"] = "any"
    """Whether the sender sends it for the first time."""
    chance: float = 1.0
    burst: float = 0.0
    """The chance that the next packet of the kind is chosen too, if it is more than ``chance``: a model of Gilbert."""
    positions: tuple[int, ...] = ()
    """Numbers of the segments of data of a flow, from 1, repeats not counted."""
    tail: int = 0
    """The last bytes of each message."""
    milliseconds: float = 0.0
    """How long it is held, how far behind the duplicate comes, or how long the link stands still."""


@dataclass(frozen=True)
class Link:
    """One of the links between client and server, in both directions."""

    delay_ms: float = 5.0
    jitter_ms: float = 0.0
    """At most so much is added to the delay, evenly distributed; the order of the packets stays."""
    rate_mbit: float = 0.0
    """0: as fast as packets come."""
    queue_packets: int = 1000
    """How many wait for a link of limited rate; what comes more is dropped."""
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class CaptureFaults:
    """What a capture does wrong though the network did right."""

    omit: float = 0.0
    """Chance that a frame is not written."""
    omit_burst: float = 0.0
    """Chance that the next one is not written either."""
    twice: float = 0.0
    """Chance that a frame is written a second time, some microseconds later."""


@dataclass(frozen=True)
class Traffic:
    """What the client does with each of its connections; the server answers."""

    flows: int = 4
    apart_ms: float = 40.0
    """Between the starts of two connections."""
    messages: int = 1
    """The client sends a request and reads the answer so many times."""
    request: int = 100_000
    response: int = 0
    """Bytes; 0: there is no answer, and the next request does not wait."""
    pause_ms: float = 0.0
    """Between two messages."""
    read_bytes: int = 0
    """The server reads so much, then pauses; 0: as fast as it can."""
    read_pause_ms: float = 0.0
    receive_buffer: int = 0
    """Bytes of the server's receive buffer, instead of what the stack's settings say."""
    idle_seconds: float = 0.0
    """Before the connection is closed."""
    keep_alive: bool = False
    """Probes after one second of silence, a second apart."""


@dataclass(frozen=True)
class Scenario:
    """One run: a stack, a way and traffic, with a seed."""

    name: str
    family: str
    stack: Stack
    links: tuple[Link, ...]
    traffic: Traffic
    seed: int
    faults: CaptureFaults = CaptureFaults()
    clocks_ms: tuple[float, ...] = ()
    """How far the clock of each capture is ahead; none: they all have the same."""

    @property
    def points(self) -> tuple[str, ...]:
        """Where captures are taken: at the ends, and between two links."""
        inner = ("middle",) if len(self.links) == 2 else tuple(f"middle{n}" for n in range(1, len(self.links)))
        return ("sender", *inner, "receiver")
