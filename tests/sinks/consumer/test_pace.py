"""How long batches wait: the work of inserting them stays within a part of the time."""

import pytest

from sinks.consumer.pace import LONGEST_MINUTE_SECONDS, LONGEST_SECONDS, SHORTEST_SECONDS, InsertPace

MANY = 100


def _pace(insert_seconds: float, longest: float = LONGEST_SECONDS) -> InsertPace:
    pace = InsertPace(longest)
    for _ in range(MANY):
        pace.inserted(insert_seconds)
    return pace


def test_batches_wait_shortly_where_inserts_take_no_time() -> None:
    assert InsertPace().wait_seconds(8) == SHORTEST_SECONDS
    assert _pace(0.001).wait_seconds(8) == SHORTEST_SECONDS


def test_inserts_take_a_sixth_of_the_time() -> None:
    assert _pace(0.03).wait_seconds(8) == pytest.approx(6 * 8 * 0.03, rel=0.01)


def test_rows_never_wait_for_long() -> None:
    assert _pace(3.0).wait_seconds(8) == LONGEST_SECONDS


def test_rows_of_minutes_may_wait_longer() -> None:
    pace = _pace(3.0, LONGEST_MINUTE_SECONDS)
    assert pace.wait_seconds(8) == LONGEST_MINUTE_SECONDS > LONGEST_SECONDS


def test_a_single_slow_insert_changes_little() -> None:
    pace = _pace(0.01)
    pace.inserted(0.4)
    assert pace.wait_seconds(2) < LONGEST_SECONDS
