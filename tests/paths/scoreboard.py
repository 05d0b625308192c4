"""Events between captures of the lab, held against its truth: ``python -m tests.paths.scoreboard FOLDER...``."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from processors.paths.network import Paths, Sensor, trace
from segwatch.jobs.decoding import DecodedCapture
from segwatch.records.paths import NOWHERE, PathEvent
from segwatch.records.segments import join_segments, take_segments
from tests.lab import truth

_HALF: Final = 1 << 31


class Score(NamedTuple):
    """How many of the truth's cases have their event, and what else there is."""

    right: int
    """Cases with one event, at the right hop."""
    wrong: list[str]
    """Cases with another hop or without an event."""
    more: list[str]
    """Events that are the second of a case, or belong to none. Losses of spurious repeats are not among them: nothing
    replaces these, so the truth has no row for their loss."""


class Case(NamedTuple):
    """Something that happened to a packet according to the truth."""

    kind: PathEvent
    packet: int
    """Row of the packet columns: the one that was lost, the copy or the one that was overtaken."""
    origin: int
    target: int


def traced(folder: Path) -> tuple[list[str], Paths]:
    """Return the names of a scenario's captures, and what is found out about them."""
    names: list[str] = json.loads((folder / "scenario.json").read_text("utf-8"))["points"]
    return names, trace([read_sensor(folder / f"{name}.pcap.gz") for name in names])


def read_sensor(path: Path) -> Sensor:
    """Return what a capture has."""
    with DecodedCapture(str(path)) as capture:
        parts = [take_segments(batch, np.arange(len(batch.ts))) for batch in capture]
        content = capture.content()
    return Sensor(join_segments(parts), content.first, content.last)


class _Scenario:
    def __init__(self, folder: Path) -> None:
        self.names, self.paths = traced(folder)
        self._packets = self._by_frame()
        self._rows = truth.read(folder / "truth.csv.gz")

    def _by_frame(self) -> dict[tuple[str, int], int]:
        found = {}
        for packet, rows in enumerate(self.paths.packets.row):
            for sensor, row in enumerate(rows):
                if row != NOWHERE:
                    found[self.names[sensor], int(self.paths.segments.frame[row])] = packet
        return found

    def spurious(self) -> set[int]:
        """Return the packets that are spurious repeats."""
        return {self._packets[row.capture, row.frame] for row in self._rows if row.needed == "spurious"}

    def cases(self) -> Iterator[Case]:
        """Yield what happened to packets with data according to the truth, each once."""
        seen = set()
        for row in self._rows:
            packet = self._packets[row.capture, row.frame]
            evidence = dict(pair.split("=") for pair in row.evidence.split())
            sensor = self.names.index(row.capture)
            forward = bool(self.paths.packets.is_forward[packet])
            if row.needed == "needed":
                link = int(evidence["link"])
                ends = (link, link + 1) if forward else (link + 1, link)
                case = Case(PathEvent.LOST, self._lost_before(packet, ends[0]), *ends)
            elif row.cause == "network_duplicate":
                case = self._first_copy(evidence["packet"])
            elif row.cause == "reordering":
                case = Case(PathEvent.REORDERED, packet, sensor - 1 if forward else sensor + 1, sensor)
            else:
                continue
            if case not in seen:
                seen.add(case)
                yield case

    def _first_copy(self, number: str) -> Case:
        """Return the making of a copy: the first capture that has it (only the way forward doubles)."""
        for sensor, name in enumerate(self.names):
            for row in self._rows:
                if row.capture == name and row.cause == "network_duplicate" and f"packet={number} " in row.evidence:
                    return Case(PathEvent.DUPLICATED, self._packets[name, row.frame], sensor - 1, sensor)
        raise AssertionError(number)

    def _lost_before(self, repeat: int, sensor: int) -> int:
        """Return the packet that a repeat replaces: the last with some of its bytes that a sensor saw before it.

        All of these were lost, or it would not be needed; the truth names the link of the last.
        """
        packets, segments = self.paths.packets, self.paths.segments
        row = packets.row[repeat].max()
        at = packets.row[repeat, sensor]
        latest = self.paths.segments.ts[at] if at != NOWHERE else np.iinfo(np.int64).max
        found, before = NOWHERE, np.iinfo(np.int64).min
        same = (packets.conversation == packets.conversation[repeat]) & (packets.side == packets.side[repeat])
        for packet in np.flatnonzero(same & (packets.row[:, sensor] != NOWHERE)):
            other = packets.row[packet, sensor]
            apart = int(segments.seq[row]) - int(segments.seq[other])
            apart = (apart + _HALF) % (2 * _HALF) - _HALF
            overlaps = -int(segments.payload_len[row]) < apart < int(segments.payload_len[other])
            if overlaps and packet != repeat and before < segments.ts[other] < latest:
                found, before = int(packet), int(segments.ts[other])
        return found


def score(folder: Path) -> dict[str, Score]:
    """Return the score of each kind of event."""
    scenario = _Scenario(folder)
    events, packets, segments = scenario.paths.events, scenario.paths.packets, scenario.paths.segments
    found = Counter(
        Case(PathEvent(kind), packet, origin, target)
        for kind, packet, origin, target, _ in zip(*(column.tolist() for column in events), strict=True)
        if segments.payload_len[packets.row[packet].max()]
    )
    result = {}
    cases, spurious = set(scenario.cases()), scenario.spurious()
    for kind in (PathEvent.LOST, PathEvent.DUPLICATED, PathEvent.REORDERED):
        true = {case for case in cases if case.kind is kind}
        right = [case for case in true if found[case]]
        unknown = spurious if kind is PathEvent.LOST else set()
        others = {case for case in found if case.kind is kind and case not in true and case.packet not in unknown}
        twice = {case for case in found if case.kind is kind and found[case] > 1}
        wrong, more = sorted(true - set(right)), sorted(others | twice)
        result[kind.name.lower()] = Score(len(right), [str(case) for case in wrong], [str(case) for case in more])
    return result


def main(folders: list[str]) -> None:
    """Print the scores of scenarios."""
    for folder in folders:
        for kind, one in score(Path(folder)).items():
            sys.stdout.write(f"{Path(folder).name} {kind}: right {one.right}, wrong {one.wrong}, more {one.more}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
