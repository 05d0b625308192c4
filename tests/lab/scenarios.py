"""The scenarios: settings of the stack, times impairments with their traffic, times seeds.

Rules are for developing on ``STORED`` and for judging on ``HELD_BACK``: half of the seeds, and two stacks with all
their seeds, which nobody looks at while rules are made.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tests.lab.settings import CaptureFaults, Link, Rule, Scenario, Stack, Traffic

STACKS: Final = (
    Stack("default"),
    Stack("reno_no_frto", sysctls={"tcp_frto": "0"}, congestion="reno"),
    Stack("no_timestamps", sysctls={"tcp_timestamps": "0"}),
    Stack("no_sack", sysctls={"tcp_sack": "0"}),
    Stack("plain", sysctls={"tcp_sack": "0", "tcp_timestamps": "0", "tcp_early_retrans": "0", "tcp_frto": "0"}),
    Stack("no_rack", sysctls={"tcp_recovery": "0"}),
    Stack("no_tlp", sysctls={"tcp_early_retrans": "0"}, quick_acks=True),
    Stack("no_dsack", sysctls={"tcp_dsack": "0"}),
    Stack("small_window", receive_buffer=16_384),
    Stack("smoltcp", client="smoltcp"),
    Stack("bbr", congestion="bbr"),
    Stack("classic", sysctls={"tcp_recovery": "0", "tcp_early_retrans": "0", "tcp_frto": "0"}, congestion="reno"),
)
_ALL: Final = frozenset(stack.name for stack in STACKS)
HELD_BACK_STACKS: Final = frozenset({"bbr", "classic"})
SEEDS: Final = (1, 2)
"""Odd ones are for developing, even ones are held back."""
_MORE_SEEDS: Final = (1, 2, 3, 4, 5, 6)
"""For faults of captures, which are few: with two seeds a single one more or less is a hundredth of a half."""


class Family(NamedTuple):
    """A way and its traffic."""

    name: str
    about: str
    links: tuple[Link, ...]
    traffic: Traffic
    faults: CaptureFaults = CaptureFaults()
    stacks: frozenset[str] = _ALL
    """Which stacks it is run with."""
    seeds: tuple[int, ...] = SEEDS
    clocks_ms: tuple[float, ...] = ()


_FEW: Final = frozenset({"default", "no_timestamps", "no_sack", "plain", "bbr"})
_SEGMENT: Final = 1448

FAMILIES: Final = (
    Family(
        "losses",
        "bulk; single losses before the sensor, bursts behind it",
        (
            Link(delay_ms=4, rules=(Rule("drop", chance=0.012),)),
            Link(delay_ms=8, jitter_ms=0.5, rules=(Rule("drop", chance=0.006, burst=0.5),)),
        ),
        Traffic(flows=5, request=130_000),
    ),
    Family(
        "tails",
        "requests and answers; their last segments are lost, and some of the repeats",
        (
            Link(delay_ms=3, rules=(Rule("drop", copies="first", tail=2 * _SEGMENT, chance=0.2),)),
            Link(
                delay_ms=7,
                rules=(
                    Rule("drop", copies="first", tail=_SEGMENT, chance=0.2),
                    Rule("drop", copies="repeats", chance=0.15),
                    Rule("drop", direction="backward", chance=0.05),
                ),
            ),
        ),
        Traffic(flows=8, messages=4, request=12_000, response=600, pause_ms=15),
    ),
    Family(
        "late_acks",
        "bulk; acknowledgements are lost in long bursts and the way stands still: repeats that nobody needs",
        (
            Link(delay_ms=5, rules=(Rule("drop", what="acks", direction="backward", chance=0.05, burst=0.9),)),
            Link(
                delay_ms=10,
                rules=(
                    Rule("stall", chance=0.01, milliseconds=350),
                    Rule("drop", chance=0.004),
                ),
            ),
        ),
        Traffic(flows=5, messages=2, request=50_000, response=200),
    ),
    Family(
        "queue",
        "bulk into a slow link with a short queue",
        (
            Link(delay_ms=6),
            Link(delay_ms=6, rate_mbit=6, queue_packets=16),
        ),
        Traffic(flows=3, request=150_000, apart_ms=100),
    ),
    Family(
        "reordering",
        "bulk; segments are held back or come early",
        (
            Link(delay_ms=5, rules=(Rule("hold", chance=0.02, milliseconds=4), Rule("early", chance=0.01))),
            Link(delay_ms=10, rules=(Rule("hold", chance=0.02, milliseconds=12), Rule("drop", chance=0.004))),
        ),
        Traffic(flows=5, request=110_000),
        stacks=_FEW,
    ),
    Family(
        "duplicates",
        "bulk; the network doubles segments, and loses some",
        (
            Link(delay_ms=5, rules=(Rule("duplicate", chance=0.03, milliseconds=0.1),)),
            Link(
                delay_ms=10,
                rules=(Rule("duplicate", chance=0.03, direction="both", milliseconds=3), Rule("drop", chance=0.006)),
            ),
        ),
        Traffic(flows=4, request=110_000),
        stacks=_FEW,
    ),
    Family(
        "handshakes",
        "short connections; SYN, SYN-ACK and FIN are lost",
        (
            Link(
                delay_ms=5,
                rules=(
                    Rule("drop", what="syn", direction="both", chance=0.25),
                    Rule("drop", what="fin", direction="forward", chance=0.2),
                ),
            ),
            Link(
                delay_ms=10,
                rules=(
                    Rule("drop", what="syn", direction="both", chance=0.1),
                    Rule("drop", what="fin", direction="both", chance=0.1),
                ),
            ),
        ),
        Traffic(flows=24, request=3_000, response=3_000, apart_ms=20),
        stacks=_FEW,
    ),
    Family(
        "zero_window",
        "a server that reads slowly",
        (Link(delay_ms=5), Link(delay_ms=10, rules=(Rule("drop", chance=0.005),))),
        Traffic(flows=8, request=36_000, read_bytes=15_000, read_pause_ms=1_300, receive_buffer=8_192, apart_ms=50),
        stacks=_FEW,
    ),
    Family(
        "keep_alive",
        "silent connections with probes, some of which are lost",
        (Link(delay_ms=5, rules=(Rule("drop", what="acks", direction="both", chance=0.05),)), Link(delay_ms=10)),
        Traffic(flows=10, request=2_000, response=2_000, idle_seconds=6.5, keep_alive=True),
        stacks=_FEW,
    ),
    Family(
        "bad_captures",
        "bulk with losses, and captures that omit frames or have them twice",
        (
            Link(delay_ms=4, rules=(Rule("drop", chance=0.01),)),
            Link(delay_ms=9, rules=(Rule("drop", chance=0.01),)),
        ),
        Traffic(flows=4, request=110_000),
        CaptureFaults(omit=0.03, omit_burst=0.3, twice=0.02),
        stacks=_FEW,
        seeds=_MORE_SEEDS,
    ),
    Family(
        "hops",
        "bulk and answers over three links, each with losses; two captures between them, and clocks that differ",
        (
            Link(delay_ms=2, jitter_ms=0.3, rules=(Rule("drop", direction="both", chance=0.008),)),
            Link(
                delay_ms=9,
                jitter_ms=1,
                rules=(Rule("drop", direction="both", chance=0.008), Rule("duplicate", chance=0.008, milliseconds=0.5)),
            ),
            Link(
                delay_ms=4,
                rules=(Rule("drop", direction="both", chance=0.008), Rule("hold", chance=0.008, milliseconds=8)),
            ),
        ),
        Traffic(flows=4, messages=2, request=50_000, response=25_000),
        stacks=frozenset({"default", "no_timestamps", "bbr"}),
        clocks_ms=(0.0, 120.5, -38.25, 7.125),
    ),
)


def is_held_back(scenario: Scenario) -> bool:
    """Tell whether a scenario is for judging only."""
    return scenario.seed % 2 == 0 or scenario.stack.name in HELD_BACK_STACKS


def scenarios() -> Iterator[Scenario]:
    """Yield all scenarios."""
    for family in FAMILIES:
        for stack in STACKS:
            if stack.name in family.stacks:
                for seed in family.seeds:
                    yield scenario(family, stack, seed)


def scenario(family: Family, stack: Stack, seed: int) -> Scenario:
    """Return one of them, or one with another seed."""
    name = f"{family.name}-{stack.name}-{seed}"
    return Scenario(name, family.name, stack, family.links, family.traffic, seed, family.faults, family.clocks_ms)
