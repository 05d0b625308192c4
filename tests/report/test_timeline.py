"""Sums over time, however long a capture is."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segwatch.records.findings import empty_findings
from segwatch.records.segments import empty_segments
from segwatch.report.timeline import BINS, Timeline

_SPAN = 400 * 86_400 * 10**9


@given(st.lists(st.lists(st.integers(0, _SPAN), min_size=1, max_size=6), min_size=1, max_size=4))
def test_nothing_is_lost_while_bins_become_wider(batches: list[list[int]]) -> None:
    timeline = Timeline()
    for offsets in batches:
        segments, findings = empty_segments(len(offsets)), empty_findings(len(offsets))
        for column in (*segments, *findings):
            column[:] = 0
        segments.ts[:] = 10**18 + np.array(offsets)
        segments.payload_len[:] = 3
        timeline.add(segments, findings)
    seconds = timeline.width / 1e9
    count = sum(map(len, batches))
    assert len(timeline.times()) <= BINS
    assert round(sum(timeline.rates()["segments"]) * seconds) == count
    assert round(sum(timeline.rates()["bits"]) * seconds) == 24 * count
    assert sum(timeline.rates()["resets"]) == 0
