"""How segments are cut into batches, and whether state was read back between them, changes nothing."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.engine import Engine
from segwatch.records.findings import FindingColumns, take_findings
from segwatch.records.intervals import INTERVAL
from segwatch.records.segments import SegmentColumns, take_segments
from tests.processors.builder import Segment, columns, filled_findings, hostile_segments


def _analysed(segments: SegmentColumns, cuts: list[int], *, read_back: bool) -> tuple[FindingColumns, bytes]:
    """Return the findings and the closed intervals (as bytes) of segments cut at the given rows."""
    rows = len(segments.ts)
    findings = filled_findings(rows)
    engine = Engine()
    closed = []
    for begin, end in zip([0, *cuts], [*cuts, rows], strict=True):
        part = slice(begin, end)
        closed.append(engine.analyze(take_segments(segments, part), take_findings(findings, part)).copy())
        if read_back:
            taken = engine.state()
            engine = Engine()
            engine.restore(taken)
    closed.append(engine.finish())
    return findings, np.concatenate(closed).astype(INTERVAL).tobytes()


@settings(deadline=None, max_examples=150)
@given(hostile_segments(), st.data())
def test_cuts_change_nothing(described: list[Segment], data: st.DataObject) -> None:
    segments = columns(described)
    rows = len(described)
    whole, whole_intervals = _analysed(segments, [], read_back=False)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, rows - 1)), max_size=rows))) if rows > 1 else []
    for some_cuts in (cuts, list(range(1, rows))):
        for read_back in (False, True):
            parts, parts_intervals = _analysed(segments, some_cuts, read_back=read_back)
            for name, left, right in zip(whole._fields, whole, parts, strict=True):
                assert np.array_equal(left, right), name
            assert whole_intervals == parts_intervals


def test_pools_grow_in_the_middle_of_a_batch() -> None:
    """Thousands of conversations with unacknowledged data in one batch, and the same one row at a time."""
    described = [
        Segment(at=row * 0.01, sender="client", flags="PA", seq=1 + 100 * (row // 3000), ack=1, length=100,
                client_port=1024 + row % 3000)
        for row in range(9000)
    ]  # fmt: skip
    segments = columns(described)
    whole, whole_intervals = _analysed(segments, [], read_back=False)
    parts, parts_intervals = _analysed(segments, list(range(1, 9000, 7)), read_back=False)
    assert whole.stream.max() == 2999
    for name, left, right in zip(whole._fields, whole, parts, strict=True):
        assert np.array_equal(left, right), name
    assert whole_intervals == parts_intervals


@settings(deadline=None, max_examples=30)
@given(hostile_segments(), st.integers(1, 4))
def test_finding_may_be_ahead_of_the_analysis(described: list[Segment], step: int) -> None:
    """All conversations are found before the first segment is analysed, and state is read back in between."""
    segments = columns(described)
    rows = len(described)
    whole, whole_intervals = _analysed(segments, [], read_back=False)
    parts = [slice(begin, begin + step) for begin in range(0, rows, step)]
    findings = filled_findings(rows)
    engine = Engine()
    found = [engine.flows.find(take_segments(segments, part)) for part in parts]
    closed = []
    for part, numbers in zip(parts, found, strict=True):
        taken = engine.state()
        engine = Engine()
        engine.restore(taken)
        closed.append(
            engine.analyze_found(take_segments(segments, part), numbers, take_findings(findings, part)).copy()
        )
    closed.append(engine.finish())
    for name, left, right in zip(whole._fields, whole, findings, strict=True):
        assert np.array_equal(left, right), name
    assert whole_intervals == np.concatenate(closed).astype(INTERVAL).tobytes()
