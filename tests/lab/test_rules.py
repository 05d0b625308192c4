"""What rules choose, and when links let packets out."""

import random
from collections.abc import Iterator

import pytest

from tests.lab.headers import ACK, FIN, SYN, Header, distance, parse
from tests.lab.links import LinkSide
from tests.lab.rules import Chooser, Place, Progress, kind
from tests.lab.settings import Link, Rule

MILLISECOND = 1_000_000


def _header(seq: int = 0, length: int = 0, flags: int = ACK) -> Header:
    return Header(b"\0\0\0\1", b"\0\0\0\2", 1, 2, seq, 0, flags, 100, length, 0, 54)


def _places(message: int, *lengths: int) -> Iterator[Place]:
    """Yield the places of the segments of a flow after its SYN."""
    progress, seq = Progress(message), 2**32 - 5
    progress.note(_header(seq, flags=SYN))
    seq += 1
    for length in lengths:
        yield progress.note(_header(seq % 2**32, length))
        seq += length


def _chosen(rule: Rule, count: int = 1, *, place: Place | None = None, flags: int = ACK, length: int = 10) -> int:
    chooser = Chooser(rule, "forward", random.Random(1))  # noqa: S311
    return sum(chooser.chooses(_header(0, length, flags), place or Place(True, 1, 0)) for _ in range(count))


def test_kinds_of_segments() -> None:
    assert [kind(_header(0, 5, flags)) for flags in (ACK, ACK | FIN, SYN, 4)] == ["data", "data", "syn", "reset"]
    assert [kind(_header(0, 0, flags)) for flags in (ACK, ACK | FIN)] == ["acks", "fin"]


def test_segments_are_counted_once() -> None:
    progress = Progress(0)
    progress.note(_header(0, flags=SYN))
    places = [progress.note(_header(seq, 10)) for seq in (1, 11, 1, 21)]
    assert [place.position for place in places] == [1, 2, 2, 3]
    assert [place.is_first for place in places] == [True, True, False, True]


def test_the_end_of_each_message_is_known() -> None:
    assert [place.bytes_left for place in _places(100, 40, 40, 20, 60, 40)] == [60, 20, 0, 40, 0]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule("drop"), 1),
        (Rule("drop", what="acks"), 0),
        (Rule("drop", what="any"), 1),
        (Rule("drop", direction="backward"), 0),
        (Rule("drop", direction="both"), 1),
        (Rule("drop", copies="first"), 1),
        (Rule("drop", copies="repeats"), 0),
        (Rule("drop", positions=(1, 5)), 1),
        (Rule("drop", positions=(2, 5)), 0),
        (Rule("drop", tail=10), 1),
        (Rule("drop", chance=0.0), 0),
    ],
)
def test_a_rule_is_for_some_packets(rule: Rule, expected: int) -> None:
    assert _chosen(rule) == expected


def test_a_rule_without_chance_takes_all() -> None:
    assert _chosen(Rule("drop"), 10) == 10


def test_a_rule_for_tails_leaves_the_rest() -> None:
    assert _chosen(Rule("drop", tail=10), place=Place(True, 1, 10)) == 0


def test_chance_chooses_its_share() -> None:
    assert 900 < _chosen(Rule("drop", chance=0.1), 10_000) < 1100


def test_bursts_are_longer_than_chance_makes_them() -> None:
    """Good for 1 / 0.02 packets on the average, bad for 1 / (1 - 0.8)."""
    assert 700 < _chosen(Rule("drop", chance=0.02, burst=0.8), 10_000) < 1150


def _enter(side: LinkSide, now: float, frame_bytes: int = 1000) -> list[tuple[str, float]]:
    outs = side.enter(int(now * MILLISECOND), frame_bytes, _header(0, 10), Place(True, 1, 0))
    return [(out.what, out.due / MILLISECOND if out.due >= 0 else -1) for out in outs]


def test_a_link_delays() -> None:
    assert _enter(LinkSide(Link(delay_ms=3), "forward", ""), 10) == [("forwarded", 13)]


def test_jitter_keeps_the_order() -> None:
    side = LinkSide(Link(delay_ms=3, jitter_ms=10), "forward", "seed")
    dues = [_enter(side, now)[0][1] for now in range(50)]
    assert dues == sorted(dues)
    assert {round(due - now - 3) for now, due in enumerate(dues)} > {4, 5}


def test_a_slow_link_queues_and_drops() -> None:
    side = LinkSide(Link(delay_ms=1, rate_mbit=8, queue_packets=2), "forward", "")
    assert [_enter(side, 0)[0] for _ in range(3)] == [("forwarded", 2), ("forwarded", 3), ("queue", -1)]
    assert _enter(side, 1.5) == [("forwarded", 4)]


def test_what_is_held_comes_later_than_what_is_behind_it() -> None:
    side = LinkSide(Link(delay_ms=3, rules=(Rule("hold", milliseconds=9, positions=(1,)),)), "forward", "")
    assert _enter(side, 0) == [("held", 12)]
    assert side.enter(MILLISECOND, 1000, _header(0, 10), Place(True, 2, 0))[0].due == 4 * MILLISECOND


def test_what_is_early_has_no_delay() -> None:
    assert _enter(LinkSide(Link(delay_ms=3, rules=(Rule("early"),)), "forward", ""), 5) == [("early", 5)]


def test_a_link_stands_still() -> None:
    side = LinkSide(Link(delay_ms=3, rules=(Rule("stall", milliseconds=100, positions=(1,)),)), "forward", "")
    assert _enter(side, 0) == [("forwarded", 103)]
    assert side.enter(MILLISECOND, 1000, _header(0, 10), Place(True, 2, 0))[0].due == 103 * MILLISECOND


def test_a_duplicate_follows() -> None:
    side = LinkSide(Link(delay_ms=3, rules=(Rule("duplicate", milliseconds=2),)), "forward", "")
    assert _enter(side, 0) == [("forwarded", 3), ("duplicate", 5)]


def test_the_same_seed_drops_the_same() -> None:
    sides = [LinkSide(Link(rules=(Rule("drop", chance=0.3),)), "forward", seed) for seed in "aab"]
    runs = [[_enter(side, now)[0][0] for now in range(60)] for side in sides]
    assert runs[0] == runs[1] != runs[2]


def test_sequence_numbers_go_round() -> None:
    assert distance(2**32 - 10, 5) == 15
    assert distance(5, 2**32 - 10) == -15


def test_other_frames_are_no_segments() -> None:
    assert parse(b"") is None
    assert parse(bytes(100)) is None
