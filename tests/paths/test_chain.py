"""A small part of the trial with chains of three hops (``tests.paths.trial``)."""

import numpy as np
import pytest

from segwatch.records.paths import PathEvent
from tests.lab.store import STORED
from tests.paths.chain import HOPS, NEVER, Chances, Sent, chances, make, sent_in
from tests.paths.chain_score import score
from tests.paths.trial import HALVES, SENSORS, TOLD_BY, Table, figures, runs, total

RIGHT = 0.995
SEEDS, EVERY = 8, 12


@pytest.fixture(scope="module")
def sent() -> Sent:
    return sent_in(STORED / "losses-default-1")


def _quiet() -> Chances:
    """Return a chain on which nothing happens."""
    return chances(1)._replace(
        lost=0.0, lost_repeated=0.0, burst=0.0, doubled=0.0, held=0.0, missed=0.0, missed_burst=0.0, twice=0.0,
        blind=None, ends_early=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def table() -> Table:
    return figures(runs(SEEDS, EVERY), by_headers=True)


@pytest.mark.parametrize("half", HALVES)
def test_hops_are_named_right(table: Table, half: str) -> None:
    lost = total(table, half, PathEvent.LOST)
    assert lost.right > 200
    assert lost.right >= RIGHT * (lost.right + lost.wrong)


def test_nothing_is_counted_twice_where_packets_can_be_told_apart(table: Table) -> None:
    found = total(table, TOLD_BY[0], SENSORS[0], PathEvent.LOST)
    assert found.right > 50
    assert found.more == 0


def test_what_is_counted_twice_is_equal_to_something_else(table: Table) -> None:
    for half in HALVES:
        lost = total(table, half, PathEvent.LOST)
        *_, nothing = lost.alike
        assert (sum(lost.alike), nothing) == (lost.twice, 0)
        assert lost.unsure >= lost.unsure_right


def test_nothing_is_found_where_nothing_happened(sent: Sent) -> None:
    found = score(make(sent, _quiet(), 1), by_headers=False)
    assert all((one.right, one.wrong, one.more) == (0, (), ()) for one in found.values())


def test_the_truth_knows_what_the_chain_did(sent: Sent) -> None:
    """What is lost on a hop comes by no place behind it, copies come by behind the hop that made them."""
    passed = make(sent, _quiet()._replace(lost=0.05, doubled=0.05), 1).passed
    for instance, hop in enumerate(passed.lost):
        came = passed.time[instance] != NEVER
        assert came[passed.born[instance] + 1 : hop + 1].all()
        assert not came[hop + 1 :].any()
    assert 0.03 < np.mean(passed.lost[passed.born < 0] == 0) < 0.07
    assert {*passed.lost.tolist()} == {*range(HOPS + 1)}
