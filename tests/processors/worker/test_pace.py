"""How often checkpoints are written: a part of the worker's time, however many partitions it has."""

import pytest

from processors.worker.pace import LONGEST_SECONDS, QUIET_SECONDS, SHORTEST_SECONDS, CheckpointPace

_PARTITIONS = 4


def _is_due_in_traffic(pace: CheckpointPace, now: float) -> bool:
    return pace.is_due(now, last_message=now)


def test_small_checkpoints_come_every_few_seconds() -> None:
    pace = CheckpointPace(100.0)
    assert not _is_due_in_traffic(pace, 100.0 + SHORTEST_SECONDS - 0.1)
    assert _is_due_in_traffic(pace, 100.0 + SHORTEST_SECONDS)
    pace.written(105.0, 105.01, _PARTITIONS)
    assert not _is_due_in_traffic(pace, 105.01 + SHORTEST_SECONDS - 0.1)
    assert _is_due_in_traffic(pace, 105.01 + SHORTEST_SECONDS)


@pytest.mark.parametrize("seconds", [0.5, 1.2])
def test_those_of_all_partitions_take_a_tenth_of_the_time(seconds: float) -> None:
    paces = [CheckpointPace(0.0) for _ in range(_PARTITIONS)]
    now, spent = SHORTEST_SECONDS, 0.0
    while now < 1000:
        for pace in paces:
            if _is_due_in_traffic(pace, now):
                pace.written(now, now + seconds, _PARTITIONS)
                now, spent = now + seconds, spent + seconds
        now += 0.1
    assert 0.05 < spent / now < 0.11


def test_no_checkpoint_waits_for_ever() -> None:
    pace = CheckpointPace(0.0)
    pace.written(0.0, 60.0, _PARTITIONS)
    assert _is_due_in_traffic(pace, 60.0 + LONGEST_SECONDS)


def test_the_last_messages_before_a_pause_do_not_wait_for_a_long_checkpoint() -> None:
    pace = CheckpointPace(0.0)
    pace.written(5.0, 5.5, _PARTITIONS)
    assert not pace.is_due(5.5 + SHORTEST_SECONDS, last_message=5.6 + SHORTEST_SECONDS - QUIET_SECONDS)
    assert pace.is_due(5.5 + SHORTEST_SECONDS, last_message=5.5 + SHORTEST_SECONDS - QUIET_SECONDS)
    assert not pace.is_due(5.5 + SHORTEST_SECONDS - 0.1, last_message=5.5)


def test_long_checkpoints_are_rare_also_where_messages_come_seldom() -> None:
    pace = CheckpointPace(0.0)
    pace.written(5.0, 8.0, _PARTITIONS)
    assert not pace.is_due(8.0 + 29.9, last_message=8.0)
    assert pace.is_due(8.0 + 30.0, last_message=8.0)
