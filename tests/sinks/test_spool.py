"""The spool gives back what it was given, whatever the limit and the batches."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sinks.spool
from segwatch.errors import StoreError
from segwatch.records.findings import take_findings
from segwatch.records.segments import take_segments
from sinks.spool import FindingSpool
from tests.sinks.rows import some_findings, some_intervals, some_segments, some_verdicts

ROWS = 60
BLOCK = 7


def _spool(cuts: Sequence[int], memory_bytes: int) -> FindingSpool:
    segments, findings, intervals = some_segments(ROWS), some_findings(ROWS), some_intervals(ROWS)
    verdicts = some_verdicts(ROWS)
    spool = FindingSpool(memory_bytes)
    edges = [0, *sorted(cuts), ROWS]
    for start, end in pairwise(edges):
        rows = slice(start, end)
        spool.add_anomalies(take_segments(segments, rows), take_findings(findings, rows))
        spool.add_intervals(intervals[rows])
        spool.add_verdicts(verdicts[rows])
        spool.add_segments(take_segments(segments, rows))
    return spool


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, ROWS)), memory_bytes=st.sampled_from([0, 1000, 5000, 1 << 20]))
def test_blocks_do_not_depend_on_batches_and_memory(cuts: list[int], memory_bytes: int) -> None:
    with pytest.MonkeyPatch.context() as patch, _spool(cuts, memory_bytes) as spool:
        patch.setattr(sinks.spool, "BLOCK_ROWS", BLOCK)
        assert spool.in_memory <= memory_bytes
        assert (spool.anomalies, spool.intervals, spool.verdicts, spool.segments) == (ROWS, ROWS, ROWS, ROWS)
        segments, findings, intervals = some_segments(ROWS), some_findings(ROWS), some_intervals(ROWS)
        for _ in range(2):  # it can be read twice
            for number, (one, other) in enumerate(spool.anomaly_blocks()):
                rows = slice(number * BLOCK, (number + 1) * BLOCK)
                expected = [*take_segments(segments, rows), *take_findings(findings, rows)]
                assert all(map(np.array_equal, [*one, *other], expected))
            assert [len(block) for block in spool.interval_blocks()] == [BLOCK] * (ROWS // BLOCK) + [ROWS % BLOCK]
            assert np.array_equal(np.concatenate(list(spool.interval_blocks())), intervals)
            assert np.array_equal(np.concatenate(list(spool.verdict_blocks())), some_verdicts(ROWS))
            blocks = list(spool.segment_blocks())
            assert all(
                np.array_equal(np.concatenate(parts), column)
                for parts, column in zip(zip(*blocks, strict=True), segments, strict=True)
            )


def test_file_has_no_name(tmp_path: Path) -> None:
    with FindingSpool(0, tmp_path) as spool:
        spool.add_intervals(some_intervals(10))
        assert list(tmp_path.iterdir()) == []
        assert len(next(spool.interval_blocks())) == 10


def test_full_disk_is_a_sentence() -> None:
    spool = FindingSpool(0, Path("/proc/self/fd"))
    with pytest.raises(StoreError, match="cannot be kept in a temporary file in /proc/self/fd"):
        spool.add_intervals(some_intervals(1))
