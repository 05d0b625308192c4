"""Hostile traffic, live: a short version of ``python -m tests.live.hostile``."""

from pathlib import Path

import numpy as np
import pytest

from segwatch.records.segments import take_segments
from tests.live.hostile import PARTITIONS, Plan, trial
from tests.live.hostile_frames import Attack, is_honest, prepare
from tests.live.long_conversation import partition_with_one

ATTACK = Attack(mutated=16_384, lying=10_000, syns=20_000)
PLAN = Plan(ATTACK, rate=5_000, most_conversations=2400, watch_conversations=4000)


@pytest.mark.usefixtures("kafka_installed")
def test_hostile_frames_harm_no_honest_conversation(tmp_path: Path) -> None:
    told = trial(tmp_path, PLAN)
    sensor, watch = told["sensor"], told["watch"]
    assert told["differences"] == {"captured": [], "pipeline": [], "watch": []}
    assert told["honest_findings"] > 0
    assert (sensor["kernel_drops"], sensor["shed_segments"]) == (0, 0)
    assert (watch["kernel_drops"], watch["shed_segments"]) == (0, 0)
    assert sensor["frames"] > 0.9 * told["frames"]
    assert told["dead_letters"] == 0
    assert told["forgotten"] >= ATTACK.syns - PARTITIONS * PLAN.most_conversations
    assert told["most_remembered"] <= PARTITIONS * PLAN.most_conversations
    assert watch["forgotten_conversations"] >= ATTACK.syns - PLAN.watch_conversations


def test_honest_conversations_are_told_apart() -> None:
    prepared = prepare(Attack(mutated=100, lying=100, syns=100))
    assert is_honest(prepared.honest).all()
    assert len(np.unique(take_segments(prepared.honest, slice(None)).dport)) > 1
    assert len(prepared.frames.length) == 300 + len(prepared.honest.ts)


def test_a_conversation_with_very_many_segments_takes_no_more_memory() -> None:
    told = partition_with_one(400_000)
    assert told["segments"] == 400_000
    assert told["conversations"] == 1
    assert told["messages_of_findings"] > 0
    assert told["at_the_end"]["checkpoint_bytes"] < 1.5 * told["after_an_eighth"]["checkpoint_bytes"]
