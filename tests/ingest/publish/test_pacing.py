"""The pace of a capture that is published as if it were live."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.publish.pacing import Pace

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def test_the_fastest_pace_waits_for_nothing() -> None:
    assert Pace(None).due(np.array([START, START + 3600 * SECOND]), 5.0) == (2, 0.0)


def test_gaps_are_kept() -> None:
    ts = START + np.array([0, 1, 2, 30]) * SECOND
    pace = Pace(1.0)
    assert pace.due(ts, 100.0) == (1, 1.0)
    assert pace.due(ts[1:], 100.5) == (0, 0.5)
    assert pace.due(ts[1:], 102.0) == (2, 28.0)
    assert pace.due(ts[3:], 130.0) == (1, 0.0)


def test_gaps_are_shortened() -> None:
    ts = START + np.array([0, 10, 20]) * SECOND
    pace = Pace(10.0)
    assert pace.due(ts, 7.0) == (1, 1.0)
    assert pace.due(ts[1:], 8.0) == (1, 1.0)


def test_times_that_go_back_are_due_with_the_one_before() -> None:
    ts = START + np.array([0, 5, 3, 5, 6]) * SECOND
    pace = Pace(1.0)
    assert pace.due(ts, 0.0) == (1, 5.0)
    assert pace.due(ts[1:], 5.0) == (3, 1.0)


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=50), st.floats(0.01, 1000))
def test_every_segment_becomes_due_and_never_early(offsets: list[int], speed: float) -> None:
    ts = START + np.array(offsets)
    pace = Pace(speed)
    now, row = 1000.0, 0
    while row < len(ts):
        rows, wait = pace.due(ts[row:], now)
        elapsed = (now - 1000.0) * speed * SECOND
        assert np.all(ts[row : row + rows] - ts[0] <= elapsed + 1)
        assert rows or wait > 0 or row + rows == len(ts)
        row += rows
        now += wait * 1.0001 + 1e-6
