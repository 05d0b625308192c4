"""What is said about the lab's captures, held against the truth about them."""

from pathlib import Path

import pytest

from tests.lab.store import HELD_BACK, STORED
from tests.paths.scoreboard import Score, score, traced

HOPS = sorted(STORED.glob("hops-*")) + sorted(HELD_BACK.glob("hops-*"))
CLOCKS_MS = (0.0, 120.5, -38.25, 7.125)
RIGHT = 0.995


@pytest.fixture(scope="module")
def scores() -> list[dict[str, Score]]:
    return [score(folder) for folder in HOPS]


def test_hops_are_named_right(scores: list[dict[str, Score]]) -> None:
    parts = [part for one in scores for part in one.values()]
    right, wrong = sum(part.right for part in parts), [case for part in parts for case in part.wrong]
    assert right > 80
    assert right >= RIGHT * (right + len(wrong)), wrong


def test_no_event_is_counted_twice(scores: list[dict[str, Score]]) -> None:
    assert [case for one in scores for part in one.values() for case in part.more] == []


@pytest.mark.parametrize("folder", HOPS, ids=lambda folder: folder.name)
def test_clocks_are_found_within_the_stated_uncertainty(folder: Path) -> None:
    _, paths = traced(folder)
    assert list(paths.order) == [0, 1, 2, 3]
    for clock, true in zip(paths.clocks, CLOCKS_MS, strict=True):
        assert abs(clock.offset / 1e6 - true) <= min(clock.uncertainty / 1e6, 0.1)
