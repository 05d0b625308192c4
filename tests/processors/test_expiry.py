"""Conversations that are over in a stream that never ends: what comes later is another one, and memory comes back."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings

from processors.engine import Engine, Timeouts
from segwatch.records.findings import FindingColumns, take_findings
from segwatch.records.segments import SegmentColumns, take_segments
from segwatch.vocabulary import Label
from tests.processors.builder import (
    CLIENT,
    SERVER,
    START,
    Segment,
    columns,
    filled_findings,
    handshake,
    hostile_segments,
    labels_of,
)

SECOND = 1_000_000_000
TIMEOUTS = Timeouts(idle=60 * SECOND, closed=SECOND)


def _analysed(
    segments: SegmentColumns, engine: Engine, *, advance: bool
) -> tuple[FindingColumns, npt.NDArray[np.void]]:
    """Analyse row by row; with ``advance`` let time pass explicitly after each row."""
    findings = filled_findings(len(segments.ts))
    closed = []
    for row in range(len(segments.ts)):
        part = slice(row, row + 1)
        closed.append(engine.analyze(take_segments(segments, part), take_findings(findings, part)).copy())
        if advance:
            closed.append(engine.advance(int(segments.ts[row]))[0].copy())
    intervals = np.concatenate([*closed, engine.finish()])
    intervals["flow"] = 0
    return findings, intervals[np.lexsort((intervals["first"], intervals["start"], intervals["stream"]))]


@settings(deadline=None, max_examples=150)
@given(hostile_segments())
def test_when_memory_is_given_back_changes_nothing(described: list[Segment]) -> None:
    segments = columns(described)
    np.maximum.accumulate(segments.ts, out=segments.ts)
    kept, kept_intervals = _analysed(segments, Engine(timeouts=TIMEOUTS), advance=False)
    removed, removed_intervals = _analysed(segments, Engine(timeouts=TIMEOUTS), advance=True)
    for name, left, right in zip(kept._fields, kept, removed, strict=True):
        assert np.array_equal(left, right), name
    assert kept_intervals.tobytes() == removed_intervals.tobytes()


@pytest.mark.parametrize(("silence", "conversations"), [(59_000, 1), (61_000, 2)])
def test_a_silent_conversation_is_over_after_the_timeout(silence: float, conversations: int) -> None:
    described = [*handshake(), Segment(10 + silence, CLIENT, "PA", 1001, 5001, 100)]
    engine = Engine(timeouts=TIMEOUTS)
    findings, _ = _analysed(columns(described), engine, advance=False)
    assert engine.conversations == conversations
    assert findings.stream[-1] == conversations - 1


def test_a_closed_conversation_is_over_sooner_and_its_ports_are_not_called_reused() -> None:
    described = [*handshake(), Segment(20, SERVER, "R", 5001), *handshake(5000, client_isn=77)]
    segments = columns(described)
    findings, _ = _analysed(segments, Engine(timeouts=TIMEOUTS), advance=False)
    assert findings.stream.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert labels_of(findings, 4) == Label(0)
    for_ever, _ = _analysed(segments, Engine(), advance=False)
    assert labels_of(for_ever, 4) == Label.REUSED_PORTS


def test_memory_of_conversations_comes_back() -> None:
    engine = Engine(timeouts=TIMEOUTS)
    for minute in range(10):
        described = [
            Segment(
                at=minute * 120_000 + port / 10, sender=CLIENT, flags="PA", seq=1, ack=1, length=100, client_port=port
            )
            for port in range(1024, 1424)
        ]
        segments = columns(described)
        engine.analyze(segments, filled_findings(len(described)))
        engine.advance(START + (minute * 120 + 119) * SECOND)
    state = engine.state()
    assert engine.conversations == 4000
    assert len(state["conversations"]) == 0
    assert len(state["unacked"]) <= 2 * 400


def test_an_open_interval_keeps_its_conversation() -> None:
    engine = Engine(timeouts=Timeouts(idle=1, closed=1))
    segments = columns(handshake())
    engine.analyze(segments, filled_findings(3))
    closed, removed = engine.advance(int(segments.ts[-1]) + 1000)
    assert (len(closed), removed) == (0, 0)
    closed, removed = engine.advance(int(segments.ts[-1]) + 61 * SECOND)
    assert (len(closed), removed) == (1, 1)
