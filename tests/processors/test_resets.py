"""Each class of reset, from the shortest conversation that shows it."""

import pytest

from processors.engine import Engine
from segwatch.vocabulary import Reset
from tests.processors.builder import CLIENT, SERVER, Segment, columns, filled_findings, handshake, reset_of

_OPEN = handshake()
_REQUEST = Segment(20, CLIENT, "PA", 1001, 5001, length=100)
_ANSWER = Segment(30, SERVER, "PA", 5001, 1101, length=500)
_TALK = [*_OPEN, _REQUEST, _ANSWER]

CASES = {
    "the server refuses a SYN": (
        [Segment(0, CLIENT, "S", 1000), Segment(1, SERVER, "RA", 0, 1001, window=0)],
        Reset.REFUSED,
    ),
    "the server refuses the repeated SYN again": (
        [
            Segment(0, CLIENT, "S", 1000),
            Segment(1, SERVER, "RA", 0, 1001, window=0),
            Segment(500, CLIENT, "S", 1000),
            Segment(501, SERVER, "RA", 0, 1001, window=0),
        ],
        Reset.REPEATED,
    ),
    "the client takes its SYN back": (
        [*_OPEN[:2], Segment(7, CLIENT, "R", 1001, 0, window=0)],
        Reset.HANDSHAKE_ABORTED,
    ),
    "the server drops a half-finished handshake": (
        [*_OPEN[:2], Segment(7000, SERVER, "R", 5001, 0, window=0)],
        Reset.HANDSHAKE_ABORTED,
    ),
    "the client closes with a reset": ([*_TALK, Segment(40, CLIENT, "RA", 1101, 5501)], Reset.ABORTED_BY_CLIENT),
    "the server closes with a reset": ([*_TALK, Segment(40, SERVER, "RA", 5501, 1101)], Reset.ABORTED_BY_SERVER),
    "data after the close": (
        [*_TALK, Segment(40, CLIENT, "FA", 1101, 5501), Segment(41, SERVER, "A", 5501, 1102, length=100),
         Segment(42, CLIENT, "R", 1102, 0, window=0)],
        Reset.AFTER_FIN,
    ),
    "the server has forgotten the connection": (
        [Segment(0, CLIENT, "PA", 1001, 5001, length=100), Segment(1, SERVER, "R", 5001, 0, window=0)],
        Reset.HALF_OPEN,
    ),
    "the client knows nothing of the connection that answers its SYN": (
        [Segment(0, CLIENT, "S", 1000), Segment(1, SERVER, "A", 9000, 77), Segment(2, CLIENT, "R", 77, 0, window=0)],
        Reset.HALF_OPEN,
    ),
    "a reset after two silent minutes": ([*_TALK, Segment(120_030, SERVER, "RA", 5501, 1101)], Reset.AFTER_IDLE),
    "a reset far outside of the window": (
        [*_TALK, Segment(40, SERVER, "R", 5501 + 900_000, 0, window=0)],
        Reset.OFF_SEQUENCE,
    ),
    "a reset below the window": ([*_TALK, Segment(40, SERVER, "R", 4000, 0, window=0)], Reset.OFF_SEQUENCE),
    "keep-alives without an answer": (
        [*_TALK, Segment(60_000, CLIENT, "A", 1100, 5501), Segment(75_000, CLIENT, "A", 1100, 5501),
         Segment(90_000, CLIENT, "RA", 1101, 5501)],
        Reset.KEEP_ALIVE_FAILURE,
    ),
    "a keep-alive that is answered with a reset": (
        [*_TALK, Segment(60_000, CLIENT, "A", 1100, 5501), Segment(60_001, SERVER, "R", 5501, 0, window=0)],
        Reset.KEEP_ALIVE_FAILURE,
    ),
    "the SYN/ACK was not captured": (
        [_OPEN[0], _OPEN[2], _REQUEST, _ANSWER, Segment(40, SERVER, "RA", 5501, 1101)],
        Reset.ABORTED_BY_SERVER,
    ),
    "the server's side alone was captured": (
        [_OPEN[1], _ANSWER, Segment(40, SERVER, "RA", 5501, 1101)],
        Reset.ABORTED_BY_SERVER,
    ),
    "the client's side alone was captured": (
        [_OPEN[0], _OPEN[2], _REQUEST, Segment(40, CLIENT, "FA", 1101, 5501), Segment(50, CLIENT, "R", 1102, 0)],
        Reset.AFTER_FIN,
    ),
    "a repeated last byte, then a reset": (
        [*_OPEN, Segment(20, CLIENT, "PA", 1001, 5001, length=1), Segment(220, CLIENT, "PA", 1001, 5001, length=1),
         Segment(230, SERVER, "RA", 5001, 1002)],
        Reset.ABORTED_BY_SERVER,
    ),
    "a stale reset before the connection": (
        [Segment(0, CLIENT, "R", 77, 0), *handshake(10), Segment(50, CLIENT, "RA", 1001, 5001)],
        Reset.ABORTED_BY_CLIENT,
    ),
    "a second reset": (
        [*_TALK, Segment(40, CLIENT, "RA", 1101, 5501), Segment(41, CLIENT, "R", 1101, 0, window=0)],
        Reset.REPEATED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_class(name: str) -> None:
    described, expected = CASES[name]
    findings = filled_findings(len(described))
    Engine().analyze(columns(described), findings)
    assert reset_of(findings, len(described) - 1) is expected


def test_other_segments_have_no_class() -> None:
    findings = filled_findings(len(_TALK))
    Engine().analyze(columns(_TALK), findings)
    assert {reset_of(findings, row) for row in range(len(_TALK))} == {Reset.NONE}


def test_every_class_has_a_case() -> None:
    assert {expected for _, expected in CASES.values()} == set(Reset) - {Reset.NONE}
