"""One scenario of real TCP, where this machine can run it."""

from collections import Counter
from pathlib import Path

import pytest

from tests.lab import store, truth
from tests.lab.needs import MissingError
from tests.lab.reading import read
from tests.lab.run import Outcome, lab
from tests.lab.settings import Link, Rule, Scenario, Stack, Traffic

LOST_AT = (15, 40, 70)
"""Numbers of the segments of data that the links drop."""


@pytest.fixture(scope="module")
def lossy() -> tuple[Scenario, Outcome]:
    """A scenario with three links, each of which drops a segment of each connection; and its run."""
    links = tuple(Link(rules=(Rule("drop", copies="first", positions=(at,)),)) for at in LOST_AT)
    chosen = Scenario("live-1", "live", Stack("default"), links, Traffic(flows=2, request=150_000), 1)
    try:
        with lab() as here:
            return chosen, here.run(chosen)
    except MissingError as reason:
        pytest.skip(f"the lab cannot run here: {reason}")


def test_kernel_and_middlebox_agree(lossy: tuple[Scenario, Outcome]) -> None:
    assert lossy[1].problems == []


def test_repeats_have_a_cause_and_a_place(lossy: tuple[Scenario, Outcome]) -> None:
    repeats = [row for row in lossy[1].rows if row.needed == "needed"]
    assert {row.cause for row in repeats} <= {"fast_retransmit", "tail_loss_probe", "rto", "recovery"}
    places = {
        point: Counter(row.place for row in repeats if row.capture == point)
        for point in ("sender", "middle1", "middle2", "receiver")
    }
    assert places == {
        "sender": {"after_sensor": 6},
        "middle1": {"before_sensor": 2, "after_sensor": 4},
        "middle2": {"before_sensor": 4, "after_sensor": 2},
        "receiver": {"before_sensor": 6},
    }


def test_what_is_written_can_be_read(lossy: tuple[Scenario, Outcome], tmp_path: Path) -> None:
    chosen, outcome = lossy
    store.write(tmp_path, chosen, outcome)
    assert truth.read(tmp_path / "truth.csv.gz") == outcome.rows
    for point, capture in zip(chosen.points, outcome.captures, strict=True):
        frames = read(tmp_path / f"{point}.pcap.gz")
        packets = [outcome.run.packets[one.packet] for one in capture.frames]
        assert [frame.header for frame in frames] == [packet.header for packet in packets]
        assert [frame.length for frame in frames] == [len(packet.frame) for packet in packets]
