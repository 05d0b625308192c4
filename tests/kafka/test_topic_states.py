"""Differences between topics as they are and as they must be."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from segwatch.kafka.topic_states import READ, WRITE, TopicState, differences
from segwatch.kafka.topics import CHANGELOG, INTERVALS, SEGMENTS, SENSORS, TOPICS, topic_specs

ALL_RIGHTS = frozenset({READ, WRITE, "DESCRIBE"})


def perfect() -> dict[str, TopicState]:
    """Return all topics as they must be."""
    return {
        spec.name: TopicState(spec.name, spec.partitions, spec.replication, spec.configs, ALL_RIGHTS)
        for spec in topic_specs()
    }


def found(states: dict[str, TopicState]) -> list[str]:
    """Return the sentences for a user who reads and writes everything."""
    return [str(one) for one in differences(states, TOPICS, TOPICS, TOPICS)]


def changed(name: str, change: Callable[[TopicState], TopicState]) -> dict[str, TopicState]:
    """Return all topics as they must be but one."""
    states = perfect()
    return {**states, name: change(states[name])}


def test_topics_as_specified_do_not_differ() -> None:
    assert found(perfect()) == []


def test_more_partitions_are_no_difference() -> None:
    states = {spec.name: TopicState(spec.name, spec.partitions, 1, spec.configs) for spec in topic_specs(13)}
    assert found(states) == []


def test_what_kafka_does_not_say_is_no_difference() -> None:
    states = {name: replace(state, configs={}, operations=None) for name, state in perfect().items()}
    assert found(states) == []


@pytest.mark.parametrize("name", TOPICS)
def test_missing_topics(name: str) -> None:
    states = perfect()
    del states[name]
    assert found(states) == [f"Topic {name} is missing; make what is missing with: segwatch topics create."]


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        (SEGMENTS, lambda one: replace(one, partitions=4), f"equal partition counts, and have not: {SEGMENTS} 4,"),
        (CHANGELOG, lambda one: replace(one, partitions=9), f"{CHANGELOG} 9;"),
        (SENSORS, lambda one: replace(one, partitions=2), f"Topic {SENSORS} has 2 partitions and must have one;"),
        (SENSORS, lambda one: replace(one, is_hidden=True), f"This user may not see topic {SENSORS};"),
        (INTERVALS, lambda one: replace(one, operations=frozenset({READ})), f"may not write to topic {INTERVALS};"),
        (INTERVALS, lambda one: replace(one, operations=frozenset({WRITE})), f"may not read topic {INTERVALS};"),
        (
            CHANGELOG,
            lambda one: replace(one, configs={**one.configs, "cleanup.policy": "delete"}),
            f"Topic {CHANGELOG} has cleanup.policy=delete and must have compact;",
        ),
        (
            SEGMENTS,
            lambda one: replace(one, configs={**one.configs, "cleanup.policy": "compact"}),
            f"Topic {SEGMENTS} has cleanup.policy=compact and must have delete;",
        ),
        (
            SEGMENTS,
            lambda one: replace(one, configs={**one.configs, "message.timestamp.type": "CreateTime"}),
            f"Topic {SEGMENTS} has message.timestamp.type=CreateTime and must have LogAppendTime;",
        ),
        (
            CHANGELOG,
            lambda one: replace(one, configs={**one.configs, "max.message.bytes": "1048588"}),
            f"Topic {CHANGELOG} has max.message.bytes=1048588 and must have at least 8388608;",
        ),
    ],
)
def test_each_difference_is_told(name: str, change: Callable[[TopicState], TopicState], words: str) -> None:
    (told,) = found(changed(name, change))
    assert words in told


def test_own_retention_is_no_difference() -> None:
    states = changed(SEGMENTS, lambda one: replace(one, configs={**one.configs, "retention.ms": "1"}))
    assert found(states) == []


def test_rights_that_a_program_does_not_use_are_not_asked_for() -> None:
    states = {name: replace(state, operations=frozenset({WRITE})) for name, state in perfect().items()}
    assert differences(states, (SEGMENTS, SENSORS), (), (SEGMENTS, SENSORS)) == []


def test_all_differences_are_told() -> None:
    states = changed(SEGMENTS, lambda one: replace(one, partitions=4, operations=frozenset()))
    del states[SENSORS]
    assert len(found(states)) == 4
