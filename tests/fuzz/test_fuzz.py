"""Mutated frames do no harm, and the fuzzing itself would notice if they did."""

import sys
from typing import Any

import numpy as np
import pytest

from segwatch.records.findings import FINDING_TYPES, FindingColumns
from segwatch.records.segments import SEGMENT_TYPES, SegmentColumns
from segwatch.vocabulary import Label
from tests.fuzz.__main__ import FRAMES_OF_A_SESSION, fuzz, watch
from tests.fuzz.corpus import load_corpus
from tests.fuzz.invariants import BrokenInvariantError, SessionInvariants
from tests.fuzz.mutations import mutated_batch
from tests.fuzz.worker import BATCHES_OF_A_SESSION, same_segments
from tests.fuzz.worker import FRAMES_OF_A_SESSION as WORKER_FRAMES


def test_hostile_frames_compiled() -> None:
    outcome = fuzz(frames=3 * FRAMES_OF_A_SESSION, seed=2)
    assert outcome.trouble is None
    assert outcome.sessions == 3
    assert outcome.segments > 10_000


def test_hostile_frames_with_bounds_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "1")
    outcome = fuzz(frames=FRAMES_OF_A_SESSION, seed=3)
    assert outcome.trouble is None
    assert outcome.bounds_checked


def test_parent_and_worker_agree_on_sessions() -> None:
    assert FRAMES_OF_A_SESSION == WORKER_FRAMES
    assert WORKER_FRAMES % BATCHES_OF_A_SESSION == 0


def test_batches_are_sound_and_repeatable() -> None:
    corpus = load_corpus()
    for batch in range(4):
        one, two = (mutated_batch(corpus, np.random.default_rng([9, batch]), 500, 1, filler) for filler in (0, 255))
        assert (one.offset + one.caplen <= len(one.buffer)).all()
        assert one.offset[-1] + one.caplen[-1] == len(one.buffer)
        for first, second in zip(one[1:], two[1:], strict=True):
            np.testing.assert_array_equal(first, second)
        for start, length in zip(one.offset, one.caplen, strict=True):
            assert (one.buffer[start : start + length] == two.buffer[start : start + length]).all()


@pytest.mark.parametrize(
    ("program", "trouble"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crash: SIGSEGV in session 3, batch 4"),
        ("time.sleep(600)", "hang: no progress in session 3, batch 4"),
        ("sys.exit(1)", "failure in session 3, batch 4"),
        ("sys.exit(0)", None),
    ],
)
def test_a_worker_that_goes_wrong_is_noticed(program: str, trouble: str | None) -> None:
    code = f"import os, signal, sys, time; print('corpus 1 1\\nbatch 3 4', flush=True); {program}"
    outcome = watch([sys.executable, "-c", code], first_limit=5)
    assert (outcome.trouble or "").startswith(trouble or "")
    assert (outcome.trouble is None) == (trouble is None)


def _rows(count: int) -> tuple[SegmentColumns, FindingColumns]:
    segments = SegmentColumns(
        **{name: np.zeros((count, *shape), kind) for name, (kind, shape) in SEGMENT_TYPES.items()}
    )
    findings = FindingColumns(**{name: np.zeros(count, kind) for name, kind in FINDING_TYPES.items()})
    segments.frame[:] = np.arange(1, count + 1)
    return segments, findings


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("labels", Label.RETRANSMISSION | Label.OUT_OF_ORDER, "together"),
        ("labels", 1 << 20, "unknown label"),
        ("labels", Label.DUPLICATE_ACK, "without a number"),
        ("stream", 3, "left out"),
        ("rto_frame", 99, "future"),
        ("reset", 1, "no reset"),
        ("completeness", 64, "completeness"),
        ("events", 3, "SYN"),
    ],
)
def test_impossible_findings_are_noticed(column: str, value: Any, sentence: str) -> None:
    segments, findings = _rows(3)
    SessionInvariants().check(segments, findings)
    getattr(findings, column)[1] = int(value)
    with pytest.raises(BrokenInvariantError, match=sentence):
        SessionInvariants().check(segments, findings)


def test_reading_outside_of_a_frame_is_noticed() -> None:
    (one, _), (two, _) = _rows(3), _rows(3)
    same_segments(one, two)
    two.sack[0] = 7
    same_segments(one, two)
    two.mss[0] = 7
    with pytest.raises(BrokenInvariantError, match="mss depends"):
        same_segments(one, two)
