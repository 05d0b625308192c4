"""Lag out of made-up offsets."""

from kafka import TopicPartition

from segwatch.kafka.lag import behind, lag, positions

A, B, C = (TopicPartition("topic", number) for number in range(3))


def test_the_furthest_of_what_is_known_counts() -> None:
    reached = positions({A: 0, B: 50, C: 7}, {A: 10, B: 20}, {A: 12}, {})
    assert reached == {A: 12, B: 50, C: 7}


def test_nothing_is_behind_at_the_end() -> None:
    found = lag({A: 10, B: 0}, {A: 10, B: 0}, {}, {})
    assert (found.messages, found.worst) == (0, None)
    assert [one.seconds for one in found.partitions] == [0.0, 0.0]


def test_messages_add_up_and_seconds_are_those_of_the_worst() -> None:
    ends = {A: 100, B: 10, C: 5}
    reached = {A: 10, B: 9, C: 5}
    found = lag(reached, ends, {A: 9_000, B: 1_000}, {A: 10_500, B: 61_000, C: 0})
    assert behind(reached, ends) == {A: 10, B: 9}
    assert found.messages == 91
    assert found.worst is not None
    assert (found.worst.partition, found.worst.seconds, found.worst.messages) == (1, 60.0, 1)
    assert [one.seconds for one in found.partitions] == [1.5, 60.0, 0.0]


def test_seconds_may_be_unknown() -> None:
    found = lag({A: 1, B: 1}, {A: 3, B: 9}, {A: 5}, {B: 5})
    assert [one.seconds for one in found.partitions] == [None, None]
    assert found.worst is not None
    assert found.worst.partition == 1


def test_clocks_that_go_back_make_no_negative_lag() -> None:
    assert lag({A: 1}, {A: 3}, {A: 5000}, {A: 4000}).partitions[0].seconds == 0.0


def test_a_position_behind_the_end_is_no_lag() -> None:
    """What was committed may be newer than the end that was asked for before."""
    assert lag({A: 12}, {A: 10}, {}, {}).messages == 0
