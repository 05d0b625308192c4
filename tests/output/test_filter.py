"""The language of --where: its grammar, its meaning, its complaints."""

import ipaddress
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segwatch.errors import UsageError
from segwatch.output.filter import matching_rows
from segwatch.output.filter_language import Both, Either, Not, Port, Stream, parse
from segwatch.records.findings import FindingColumns, empty_findings
from segwatch.records.segments import SegmentColumns, empty_segments
from segwatch.vocabulary import Flag, Label, Quality, Reset

ENDS = (
    ("10.0.0.1", 1000, "10.0.0.2", 443),
    ("10.0.0.2", 443, "10.0.0.1", 1000),
    ("192.168.7.9", 1000, "10.0.0.1", 80),
    ("2001:db8::1", 5, "2001:db8:1::2", 443),
    ("::ffff:10.0.0.1", 5, "::1", 443),
)
LABELS = (0, Label.RETRANSMISSION, Label.ZERO_WINDOW | Label.RETRANSMISSION, 0, Label.DUPLICATE_ACK)
RESETS = (Reset.NONE, Reset.NONE, Reset.REFUSED, Reset.ABORTED_BY_CLIENT, Reset.NONE)
FLAGS = (Flag.SYN, Flag.SYN | Flag.ACK, Flag.RST, Flag.RST | Flag.ACK, Flag.ACK)


def made_up() -> tuple[SegmentColumns, FindingColumns]:
    """Return a row for each of ``ENDS``."""
    segments, findings = empty_segments(len(ENDS)), empty_findings(len(ENDS))
    for column in (*segments, *findings):
        column[...] = 0
    for row, (source, sport, destination, dport) in enumerate(ENDS):
        for column, text in ((segments.src, source), (segments.dst, destination)):
            address = ipaddress.ip_address(text)
            packed = address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed
            column[row] = np.frombuffer(packed, np.uint64)
            segments.quality[row] = Quality.IPV6 if address.version == 6 else 0
        segments.sport[row], segments.dport[row], segments.flags[row] = sport, dport, FLAGS[row]
        findings.labels[row], findings.reset[row], findings.stream[row] = LABELS[row], RESETS[row], row
    return segments, findings


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("host 10.0.0.1", [0, 1, 2]),
        ("src host 10.0.0.1", [0]),
        ("dst host 10.0.0.1", [1, 2]),
        ("net 10.0.0.0/24", [0, 1, 2]),
        ("src net 192.168.0.0/16", [2]),
        ("net 0.0.0.0/0", [0, 1, 2]),
        ("net ::/0", [3, 4]),
        ("net 2001:db8::/47", [3]),
        ("host ::ffff:10.0.0.1", [4]),
        ("HOST 2001:DB8::1", [3]),
        ("port 1000", [0, 1, 2]),
        ("src port 443", [1]),
        ("label retransmission", [1, 2]),
        ("label any", [1, 2, 4]),
        ("label duplicate-ack", [4]),
        ("reset any", [2, 3]),
        ("reset refused", [2]),
        ("flag rst", [2, 3]),
        ("flag rst and not flag ack", [2]),
        ("stream 3", [3]),
        ("not label any", [0, 3]),
        ("port 80 or port 5 and flag rst", [2, 3]),
        ("(port 80 or port 5) and label any", [2, 4]),
        ("not(port 80)or(port 80)", [0, 1, 2, 3, 4]),
        ("not not stream 1", [1]),
    ],
)
def test_meaning(condition: str, rows: list[int]) -> None:
    """Each test chooses the rows that it names, of the right IP version."""
    assert np.flatnonzero(matching_rows(parse(condition), *made_up())).tolist() == rows


def test_and_binds_tighter_than_or() -> None:
    """Precedence as in most languages."""
    a, b, c = Stream(1), Port("either", 2), Stream(3)
    assert parse("stream 1 or port 2 and stream 3") == Either(a, Both(b, c))
    assert parse("stream 1 and port 2 or stream 3") == Either(Both(a, b), c)
    assert parse("not stream 1 and port 2") == Both(Not(a), b)


@pytest.mark.parametrize(
    ("condition", "position", "reason"),
    [
        ("", 0, "expected host"),
        ("host", 4, "expected an IPv4 or IPv6 address"),
        ("host 10.0.0", 5, "expected an IPv4 or IPv6 address"),
        ("host 10.0.0.0/8", 5, "net takes one"),
        ("net 10.0.0.0/33", 4, "expected a prefix"),
        ("port 65536", 5, "0 to 65535"),
        ("port -1", 5, "0 to 65535"),
        ("label lost", 6, "lost_segment"),
        ("flag any", 5, "syn"),
        ("reset soon", 6, "refused"),
        ("src label any", 4, "expected host, net or port"),
        ("(port 1", 7, 'expected ")"'),
        ("port 1)", 6, '"and"'),
        ("port 1 port 2", 7, '"and"'),
        ("port 1 and", 10, "expected host"),
        ("not", 3, "expected host"),
        ("stream 1 xor stream 2", 9, '"and"'),
        ("port ٣", 5, "0 to 65535"),
        ("not " * 60 + "port 1", 200, "nested"),
        ("(" * 5000, 50, "nested"),
    ],
)
def test_a_mark_stands_under_what_is_wrong(condition: str, position: int, reason: str) -> None:
    """The complaint names what was expected, and the caret stands where."""
    with pytest.raises(UsageError) as caught:
        parse(condition)
    first, shown, mark = str(caught.value).split("\n")
    assert reason in first
    assert shown == f"  {condition}"
    assert mark == " " * (2 + position) + "^"


_WORDS = ["host", "net", "port", "label", "reset", "flag", "stream", "src", "dst", "and", "or", "not", "(", ")", "any"]


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from([*_WORDS, "1", "10.0.0.1", "syn"]), st.text(max_size=5)), max_size=12))
def test_any_text_is_understood_or_refused(words: list[str]) -> None:
    """Nothing else than UsageError comes out, and what is understood can be evaluated."""
    try:
        condition = parse(" ".join(words))
    except UsageError:
        return
    assert len(matching_rows(condition, *made_up())) == len(ENDS)


def _random_condition() -> st.SearchStrategy[tuple[str, Callable[[int], bool]]]:
    leaf = st.sampled_from(range(len(ENDS))).map(lambda stream: (f"stream {stream}", lambda row: row == stream))
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            inner.map(lambda one: (f"not ({one[0]})", lambda row: not one[1](row))),
            st.tuples(inner, inner).map(
                lambda two: (f"({two[0][0]}) and ({two[1][0]})", lambda row: two[0][1](row) and two[1][1](row))
            ),
            st.tuples(inner, inner).map(
                lambda two: (f"({two[0][0]}) or ({two[1][0]})", lambda row: two[0][1](row) or two[1][1](row))
            ),
        ),
        max_leaves=8,
    )


@settings(deadline=None)
@given(_random_condition())
def test_nested_conditions_are_logic(condition: tuple[str, Callable[[int], bool]]) -> None:
    """And, or, not and parentheses mean what they say."""
    text, meaning = condition
    expected = [meaning(row) for row in range(len(ENDS))]
    assert matching_rows(parse(text), *made_up()).tolist() == expected


@pytest.mark.parametrize("word", ["or", "and"])
def test_thousands_of_tests_are_no_depth(word: str) -> None:
    """A list made by a program is long, not nested."""
    numbers = [str(number) for number in range(5000)]
    condition = parse(f" {word} ".join(f"port {number}" for number in numbers))
    assert matching_rows(condition, *made_up()).tolist() == [word == "or"] * len(ENDS)
