"""Runs of scenarios as folders of files, which need no root to be read."""

import gzip
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tests.lab import captures, truth
from tests.lab.run import Lab, Outcome, UnfinishedError, described
from tests.lab.scenarios import is_held_back
from tests.lab.settings import Scenario

STORED: Final = Path(__file__).with_name("stored")
"""For developing."""
HELD_BACK: Final = Path(__file__).with_name("held_back")
"""For judging: nothing may be learned from these."""
_TRIES: Final = 3
_MILLISECOND: Final = 1_000_000


def write(folder: Path, scenario: Scenario, outcome: Outcome) -> None:
    """Write captures, settings and truth of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    clocks = scenario.clocks_ms or (0.0,) * len(scenario.points)
    for point, capture, ahead in zip(scenario.points, outcome.captures, clocks, strict=True):
        offset = outcome.clock_offset + int(ahead * _MILLISECOND)
        captures.write(folder / f"{point}.pcap.gz", capture.frames, outcome.run.packets, offset)
    lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in described(scenario, outcome).items())
    (folder / "scenario.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    truth.write(folder / "truth.csv.gz", outcome.rows)


def write_logs(folder: Path, outcome: Outcome) -> None:
    """Write what the links did, a line for each packet and link, and what the kernel said."""
    heads = "time\tlink\tpacket\tcopy\twhat\tdue\tdirection\tsport\tdport\tseq\tack\tlength\tflags\tip_id\n"
    with gzip.open(folder / "middlebox.tsv.gz", "wt", encoding="utf-8") as file:
        file.write(heads)
        for action in outcome.run.actions:
            packet = outcome.run.packets[action.packet]
            header = packet.header
            fields = (
                *action, packet.direction, header.sport, header.dport, header.seq, header.ack, header.length,
                header.flags, header.ip_id,
            )  # fmt: skip
            file.write("\t".join(map(str, fields)) + "\n")
    with gzip.open(folder / "kernel.tsv.gz", "wt", encoding="utf-8") as file:
        for kind, events in outcome.run.word._asdict().items():
            file.writelines("\t".join(map(str, (kind, *event))) + "\n" for event in events)


def run_all(lab: Lab, chosen: Iterable[Scenario]) -> Iterator[tuple[Scenario, Outcome]]:
    """Yield the runs of scenarios.

    One that does not add up is run again, and given as it is after some tries; raise UnfinishedError if it never ends.
    """
    for scenario in chosen:
        yield scenario, _run(lab, scenario, _TRIES - 1)


def _run(lab: Lab, scenario: Scenario, more_tries: int) -> Outcome:
    try:
        outcome = lab.run(scenario)
    except UnfinishedError:
        if not more_tries:
            raise
        return _run(lab, scenario, more_tries - 1)
    return _run(lab, scenario, more_tries - 1) if outcome.problems and more_tries else outcome


def place_of(scenario: Scenario) -> Path:
    """Return the folder of a stored scenario."""
    return (HELD_BACK if is_held_back(scenario) else STORED) / scenario.name


def forget(known: Iterable[Scenario]) -> None:
    """Remove stored folders of scenarios that are no more."""
    names = {scenario.name for scenario in known}
    for folder in (*STORED.glob("*"), *HELD_BACK.glob("*")):
        if folder.name not in names:
            shutil.rmtree(folder)
