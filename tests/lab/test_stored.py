"""What is stored of the lab: whole, small, and enough of each cause."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.lab import truth
from tests.lab.endpoint import PORT
from tests.lab.headers import distance
from tests.lab.reading import read
from tests.lab.scenarios import is_held_back, scenarios
from tests.lab.store import HELD_BACK, STORED, place_of

FOLDERS = sorted([*STORED.glob("*"), *HELD_BACK.glob("*")])
WITHOUT_FAULTS = [folder for folder in FOLDERS if not folder.name.startswith("bad_captures")]
MOST_BYTES = 7 << 20
LEAST_CASES = 50


def _described(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "scenario.json").read_text(encoding="utf-8"))
    return found


def test_every_scenario_is_stored_where_it_belongs() -> None:
    known = list(scenarios())
    assert {place_of(one) for one in known} == set(FOLDERS)
    assert sum(is_held_back(one) for one in known) > len(known) / 2


def test_the_stored_files_are_small() -> None:
    assert sum(path.stat().st_size for folder in FOLDERS for path in folder.iterdir()) < MOST_BYTES


@pytest.mark.parametrize("half", [STORED, HELD_BACK], ids=["stored", "held_back"])
def test_each_half_has_enough_of_each_cause(half: Path) -> None:
    cases = Counter(row.cause for folder in half.iterdir() for row in truth.read(folder / "truth.csv.gz"))
    assert {cause: cases[cause] for cause in truth.CAUSES if cases[cause] < LEAST_CASES} == {"unknown": 0}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_rows_are_about_frames_of_the_captures(folder: Path) -> None:
    described = _described(folder)
    rows = truth.read(folder / "truth.csv.gz")
    for point in described["points"]:
        frames = read(folder / f"{point}.pcap.gz")
        assert len(frames) == described["frames"][point]
        assert [frame.time for frame in frames] == sorted(frame.time for frame in frames)
        numbers = [row.frame for row in rows if row.capture == point]
        assert numbers == sorted(set(numbers))
        assert not numbers or numbers[-1] <= len(frames)


@pytest.mark.parametrize("folder", WITHOUT_FAULTS, ids=lambda folder: folder.name)
def test_every_repeat_at_the_sender_has_its_row(folder: Path) -> None:
    """Where captures are without faults of their own, what was sent before is a repeat, and nothing else is."""
    ends: dict[tuple[int, int], int] = {}
    repeats, forward = set(), set()
    for number, frame in enumerate(read(folder / "sender.pcap.gz"), 1):
        header = frame.header
        flow = header.sport, header.dport
        if header.dport != PORT or not header.span:
            continue
        forward.add(number)
        end = (header.seq + header.span) % 2**32
        if flow in ends and distance(ends[flow], header.seq) < 0:
            repeats.add(number)
        if flow not in ends or distance(ends[flow], end) > 0:
            ends[flow] = end
    told = {row.frame for row in truth.read(folder / "truth.csv.gz") if row.capture == "sender"}
    assert repeats == told & forward


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_causes_go_with_the_state_of_the_connection(folder: Path) -> None:
    may = {
        "ca=open": {"tail_loss_probe", "syn_retry"},
        "ca=disorder": {"tail_loss_probe"},
        "ca=cwr": {"tail_loss_probe"},
        "ca=recovery": {"fast_retransmit", "recovery"},
        "ca=loss": {"rto", "recovery", "syn_retry"},
    }
    for row in truth.read(folder / "truth.csv.gz"):
        state = row.evidence.split()[0]
        assert row.cause in may.get(state, {row.cause}), row
