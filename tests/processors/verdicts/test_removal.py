"""What is remembered of conversations that are over, or too many, comes back, and no verdict changes by it."""

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.engine import Engine, Timeouts
from processors.verdicts.engine import Verdicts
from segwatch.records.findings import empty_findings
from segwatch.records.segments import SegmentColumns, take_segments
from segwatch.records.verdicts import VERDICT
from tests.processors.builder import CLIENT, SERVER, Segment, columns, hostile_segments
from tests.processors.verdicts.talk import troubled_segments

SECOND = 1_000_000_000
TIMEOUTS = Timeouts(idle=SECOND, closed=SECOND // 5)


def _judged(engine: Engine, segments: SegmentColumns) -> npt.NDArray[Any]:
    engine.analyze(segments, empty_findings(len(segments.ts)))
    return engine.judged.rows.copy()


def _row_by_row(segments: SegmentColumns, *, advance: bool) -> npt.NDArray[Any]:
    """Judge row by row; with ``advance`` let time pass explicitly after each row."""
    engine, parts = Engine(timeouts=TIMEOUTS, verdicts=Verdicts()), [np.zeros(0, VERDICT)]
    for row in range(len(segments.ts)):
        parts.append(_judged(engine, take_segments(segments, slice(row, row + 1))))
        if advance:
            engine.advance(int(segments.ts[row]))
    return np.concatenate(parts)


@settings(deadline=None, max_examples=100)
@given(st.one_of(hostile_segments(), troubled_segments()), st.integers(1, 4))
def test_when_memory_is_given_back_changes_no_verdict(described: list[Segment], clients: int) -> None:
    for number, segment in enumerate(described):
        object.__setattr__(segment, "client", 1 + number // 5 % clients)
    segments = columns(described)
    np.maximum.accumulate(segments.ts, out=segments.ts)
    kept, removed = (_row_by_row(segments, advance=advance) for advance in (False, True))
    for name in VERDICT.names or ():
        assert np.array_equal(kept[name], removed[name]), name


def _trouble(at: float, client: int) -> list[Segment]:
    """A loss of many segments, which takes a verdict for each that can still be amended."""
    sent = [Segment(at + number, CLIENT, "A", 1000 * number, 1, 1000, client=client) for number in range(12)]
    told = [Segment(at + 20, SERVER, "A", 1, 0, sack=(5000, 12000), client=client)] * 4
    again = [Segment(at + 25, CLIENT, "A", 1000 * number, 1, 1000, client=client) for number in range(5)]
    return [*sent, *told, *again]


def _sizes(engine: Engine) -> dict[str, int]:
    return {name: len(array) for name, array in engine.state().items() if name.startswith("verdicts.")}


def test_memory_comes_back() -> None:
    engine = Engine(timeouts=TIMEOUTS, verdicts=Verdicts())
    sizes = []
    for minute in range(6):
        described = [one for client in range(1, 9) for one in _trouble(minute * 60_000, client)]
        assert len(_judged(engine, columns(described))) >= 8 * 5
        sizes.append(_sizes(engine))
        engine.advance(int(columns(described).ts.max()) + 60 * SECOND)
    assert sizes[-1] == sizes[0]
    assert _sizes(engine)["verdicts.senders"] == 0


def test_what_is_forgotten_begins_anew_and_what_stays_goes_on() -> None:
    """The conversation that stays has another number then, and its earlier segments are still known."""
    engine = Engine(verdicts=Verdicts())
    first, second = (_trouble(at, client)[:12] for client, at in ((1, 0), (2, 100)))
    _judged(engine, columns([*first, *second]))
    _, forgotten = engine.forget(1)
    assert forgotten == 1
    again = columns([Segment(600, CLIENT, "A", 11_000, 1, 1000, client=client) for client in (1, 2)])
    again.frame[:] += len(first) + len(second)
    verdicts = _judged(engine, again)
    assert verdicts["client"].tobytes() == again.src[1].tobytes()
    assert verdicts["original_frame"].tolist() == [24]
