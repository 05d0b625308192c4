"""How long batches wait: the work of inserting them stays within a part of the time."""

import pytest

from sinks.consumer.pace import LONGEST_SECONDS, MINUTE_SECONDS, SHORTEST_SECONDS, InsertPace

MANY = 100


def _pace(insert_seconds: float, shortest: float = SHORTEST_SECONDS, longest: float = LONGEST_SECONDS) -> InsertPace:
    pace = InsertPace(shortest, longest)
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


@pytest.mark.parametrize("insert_seconds", [0.001, 3.0])
def test_rows_of_minutes_wait_longer_whatever_an_insert_takes(insert_seconds: float) -> None:
    pace = _pace(insert_seconds, MINUTE_SECONDS, MINUTE_SECONDS)
    assert pace.wait_seconds(8) == MINUTE_SECONDS > LONGEST_SECONDS


def test_a_single_slow_insert_changes_little() -> None:
    pace = _pace(0.01)
    pace.inserted(0.4)
    assert pace.wait_seconds(2) < LONGEST_SECONDS
