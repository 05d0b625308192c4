"""Conversations that are forgotten because there are too many: those that have been silent longest."""

from dataclasses import replace

import numpy as np
import pytest

from processors.engine import Engine
from segwatch.records.findings import take_findings
from segwatch.records.segments import take_segments
from tests.processors.builder import CLIENT, SERVER, Segment, columns, filled_findings, handshake


def exchange(at: float, port: int, seq: int = 1) -> list[Segment]:
    """Return a segment with data and its acknowledgment."""
    return [
        Segment(at, CLIENT, "PA", seq, 1, 100, client_port=port),
        Segment(at + 1, SERVER, "A", 1, seq + 100, client_port=port),
    ]


def test_the_silent_ones_go_with_their_intervals() -> None:
    ports = range(1000, 1020)
    described = [segment for number, port in enumerate(ports) for segment in exchange(10 * number, port)]
    described += exchange(500, 1003, 101)
    engine = Engine()
    engine.analyze(columns(described), filled_findings(len(described)))
    closed, removed = engine.forget(5)
    assert (removed, engine.remembered, engine.conversations) == (15, 5, 20)
    assert sorted(closed["client_port"].tolist()) == sorted(set(ports) - {1003, 1016, 1017, 1018, 1019})
    assert closed["sent"]["segments"].sum() == 30
    still_open = engine.open_intervals()
    assert sorted(still_open["client_port"][still_open["flow"] >= 0].tolist()) == [1003, 1016, 1017, 1018, 1019]


def test_others_go_on_as_if_nothing_had_happened() -> None:
    ports = range(1000, 1020)
    first = [segment for number, port in enumerate(ports) for segment in exchange(10 * number, port)]
    then = [segment for number, port in enumerate(ports) for segment in exchange(1000 + 10 * number, port, 1)]
    segments = columns(first + then)
    whole, part = filled_findings(len(segments.ts)), filled_findings(len(then))
    Engine().analyze(segments, whole)
    engine = Engine()
    engine.analyze(take_segments(segments, slice(0, len(first))), filled_findings(len(first)))
    engine.forget(10)
    engine.analyze(take_segments(segments, slice(len(first), None)), part)
    kept = np.isin(segments.sport[len(first) :], ports[10:]) | np.isin(segments.dport[len(first) :], ports[10:])
    assert (part.labels[kept] == whole.labels[len(first) :][kept]).all()
    assert (part.stream[kept] == whole.stream[len(first) :][kept]).all()
    # A forgotten one begins anew, so its repeated data is no retransmission.
    assert not part.labels[~kept].any()
    assert whole.labels[len(first) :][~kept].any()
    assert engine.conversations == 30


@pytest.mark.parametrize("keep", [2, 100])
def test_nothing_goes_where_few_are_remembered(keep: int) -> None:
    engine = Engine()
    engine.analyze(columns(exchange(0, 1000) + exchange(5, 1001)), filled_findings(4))
    closed, removed = engine.forget(keep)
    assert (len(closed), removed, engine.remembered) == (0, 0, 2)


def _sources(first: int, count: int, at: float) -> list[Segment]:
    """Return the first segments of ``count`` conversations, a tenth of a millisecond apart."""
    return [
        Segment(at=at + number / 10, sender=CLIENT, flags="S", seq=1, client_port=first + number)
        for number in range(count)
    ]


def test_conversations_of_one_moment_are_forgotten_in_their_order() -> None:
    engine = Engine()
    segments = columns([replace(one, at=0) for one in _sources(1024, 8, 0)])
    engine.analyze(segments, filled_findings(8))
    assert sorted(engine.forget(3)[0]["client_port"].tolist()) == list(range(1024, 1029))


def test_a_flood_of_sources_leaves_the_labels_of_a_busy_conversation_as_they_are() -> None:
    quiet = [*handshake(), Segment(20, CLIENT, "PA", 1001, 5001, 100)]
    quiet += [Segment(30 + 5 * number, CLIENT, "PA", 1001, 5001, 100) for number in range(20)]
    flood = _sources(20_000, 2_000, 0)
    described = sorted([*quiet, *flood], key=lambda one: one.at)
    segments = columns(described)
    ours = np.flatnonzero((segments.sport < 20_000) | (segments.sport >= 22_000))
    assert len(ours) == len(quiet)
    findings, engine = filled_findings(len(described)), Engine()
    forgotten = 0
    for first in range(0, len(described), 50):
        part = slice(first, first + 50)
        engine.analyze(take_segments(segments, part), take_findings(findings, part))
        if engine.remembered > 500:
            forgotten += engine.forget(375)[1]
    assert forgotten > 1000
    alone = filled_findings(len(ours))
    Engine().analyze(take_segments(segments, ours), alone)
    assert findings.labels[ours].tolist() == alone.labels.tolist()
    assert findings.rto[ours].tolist() == alone.rto.tolist()
