"""A small part of the trial: the lab's scenarios with four sensors, and some chains, against the truth."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.local_server import LocalServer
from sinks.store import Store
from tests.lab.store import HELD_BACK, STORED
from tests.network.trial import chains, scenarios
from tests.paths.trial import HALVES, Run

RIGHT = 0.995
FOLDERS = [STORED / "hops-default-1", HELD_BACK / "hops-bbr-2"]
RUNS = [
    Run(HALVES[0], STORED / "losses-default-1", 3),
    Run(HALVES[0], STORED / "tails-no_rack-1", 5),
    Run(HALVES[1], HELD_BACK / "losses-no_timestamps-2", 6),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    server = LocalServer(Path(tmp_path_factory.mktemp("local")))
    with Store(server.wait_ready()) as opened:
        yield opened
    server.stop()


def test_hops_of_the_lab_are_named_right_and_nothing_is_twice(store: Store) -> None:
    found = scenarios(store, FOLDERS, 40_000)
    assert [problem for one in found for problem in one.wrong] == []
    assert sum(one.twice for one in found) == 0
    assert sum(one.lost for one in found) > 20
    assert sum(one.made for one in found) > 10


def test_hops_of_chains_are_named_right_and_nothing_is_twice(store: Store) -> None:
    table, problems = chains(store, iter(RUNS))
    right, wrong = sum(one.right for one in table.values()), sum(one.wrong for one in table.values())
    assert right > 30
    assert right >= RIGHT * (right + wrong), problems
    assert sum(one.twice for one in table.values()) == 0, problems
