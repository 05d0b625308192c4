"""Health is progress: what counts is whether waiting work moves."""

import pytest

from segwatch.telemetry.health import Health, Look

LIMIT = 120.0


def seen(*looks: tuple[float, int, int]) -> Health:
    """Return the health after looks of (time, position, waiting)."""
    health = Health(0.0, LIMIT)
    for now, position, waiting in looks:
        health.observe(Look(position, waiting), now)
    return health


def test_a_process_that_has_nothing_to_do_is_healthy_for_ever() -> None:
    health = seen((1, 10, 0), (100_000, 10, 0))
    assert health.verdict(200_000).is_healthy
    assert health.still(200_000) == 0


def test_a_process_that_was_never_looked_at_is_healthy() -> None:
    assert Health(0.0, LIMIT).verdict(1000).is_healthy


def test_a_backlog_that_shrinks_slowly_is_healthy() -> None:
    health = seen(*((100.0 * turn, turn, 1_000_000 - turn) for turn in range(50)))
    assert health.verdict(49 * 100 + LIMIT).is_healthy


def test_work_that_does_not_move_is_told_in_words() -> None:
    health = seen((0, 10, 3), (60, 10, 4), (121, 10, 7))
    assert health.verdict(120).is_healthy
    verdict = health.verdict(121)
    assert not verdict.is_healthy
    assert verdict.sentence == "7 messages wait, and nothing has moved for 121 seconds."


def test_the_limit_begins_when_work_comes_not_when_something_moved_last() -> None:
    health = seen((0, 10, 0), (5000, 10, 0), (5001, 10, 8), (5100, 10, 8))
    assert health.verdict(5001 + LIMIT).is_healthy
    assert not health.verdict(5002 + LIMIT).is_healthy


@pytest.mark.parametrize("position", [11, 9])
def test_any_movement_counts_a_loss_of_partitions_too(position: int) -> None:
    health = seen((0, 10, 5), (100, position, 5))
    assert health.verdict(100 + LIMIT).is_healthy
    assert not health.verdict(101 + LIMIT).is_healthy


def test_what_is_done_heals() -> None:
    health = seen((0, 10, 5), (500, 10, 5))
    assert not health.verdict(500).is_healthy
    health.observe(Look(15, 0), 501)
    assert health.verdict(501).is_healthy
