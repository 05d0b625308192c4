"""One scenario of real TCP, where this machine can run it."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab import store, truth
from tests.lab.needs import MissingError
from tests.lab.reading import read
from tests.lab.run import Outcome, lab
from tests.lab.scenarios import FAMILIES, STACKS, scenario
from tests.lab.settings import Scenario, Traffic

LOSSES = next(family for family in FAMILIES if family.name == "losses")


@pytest.fixture(scope="module")
def lossy() -> tuple[Scenario, Outcome]:
    """A scenario with losses before and behind the sensor, and its run."""
    short = replace(scenario(LOSSES, STACKS[0], 1), traffic=Traffic(flows=2, request=150_000))
    try:
        with lab() as here:
            return short, here.run(short)
    except MissingError as reason:
        pytest.skip(f"the lab cannot run here: {reason}")


def test_kernel_and_middlebox_agree(lossy: tuple[Scenario, Outcome]) -> None:
    assert lossy[1].problems == []


def test_repeats_have_a_cause_and_a_place(lossy: tuple[Scenario, Outcome]) -> None:
    repeats = [row for row in lossy[1].rows if row.needed == "needed"]
    assert {"fast_retransmit", "tail_loss_probe", "rto", "recovery"} & {row.cause for row in repeats}
    assert {row.place for row in repeats if row.capture == "sender"} == {"after_sensor"}
    assert {row.place for row in repeats if row.capture == "receiver"} == {"before_sensor"}


def test_what_is_written_can_be_read(lossy: tuple[Scenario, Outcome], tmp_path: Path) -> None:
    chosen, outcome = lossy
    store.write(tmp_path, chosen, outcome)
    assert truth.read(tmp_path / "truth.csv.gz") == outcome.rows
    for point, capture in zip(chosen.points, outcome.captures, strict=True):
        frames = read(tmp_path / f"{point}.pcap.gz")
        packets = [outcome.run.packets[one.packet] for one in capture.frames]
        assert [frame.header for frame in frames] == [packet.header for packet in packets]
        assert [frame.length for frame in frames] == [len(packet.frame) for packet in packets]
