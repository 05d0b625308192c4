"""What the view of the network says of the lab's scenarios with four sensors, held against their truth."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any, Final, NamedTuple

from sinks.writer import Writer
from tests.lab import truth
from tests.network.stored import store
from tests.paths.scoreboard import read_sensor

QUERY: Final = (
    "SELECT sensors, frames, cause, hop_from, hop_to, dst_port = server_port AS is_forward FROM network_verdicts "
    "WHERE src_ip IN %(hosts)s"
)


class LabScore(NamedTuple):
    """Of one scenario."""

    lost: int
    """Losses with the right hop."""
    made: int
    """Copies and reordered segments with the right hop."""
    wrong: tuple[str, ...]
    twice: int
    """Frames that are in more than one event."""


def store_scenario(writer: Writer, folder: Path, run: int) -> list[IPv6Address]:
    """Store what the sensors at the points saw, under the points' names; return the hosts."""
    points = _points(folder)
    return store(writer, [read_sensor(folder / f"{point}.pcap.gz").segments for point in points], run, points)


def _points(folder: Path) -> list[str]:
    points: list[str] = json.loads((folder / "scenario.json").read_text("utf-8"))["points"]
    return points


def score(folder: Path, events: Iterable[Mapping[str, Any]]) -> LabScore:
    """Compare the events of a scenario with what the middlebox did; each loss, copy and late segment is one case."""
    points = _points(folder)
    of_frame: dict[tuple[str, int], list[Mapping[str, Any]]] = defaultdict(list)
    for event in events:
        for sensor, frame in zip(event["sensors"], event["frames"], strict=True):
            of_frame[sensor, frame].append(event)
    cases: dict[tuple[str, str], tuple[Mapping[str, Any], int]] = {}
    wrong = []
    for row in truth.read(folder / "truth.csv.gz"):
        evidence = dict(pair.split("=") for pair in row.evidence.split())
        is_made = row.cause in ("network_duplicate", "reordering")
        if row.needed != "needed" and not is_made:
            continue
        found = of_frame.get((row.capture, row.frame), [])
        if not found:
            wrong.append(f"{row} has no event")
            continue
        case = row.cause if is_made else "lost", str(sorted(found[0]["frames"]))
        link = int(evidence["link"]) if "link" in evidence and not is_made else _link_before(points, row, found[0])
        kept = cases.get(case)
        if kept is None or not is_made:
            cases[case] = found[0], link
    lost = made = 0
    for (kind, _), (event, link) in cases.items():
        ends = (points[link], points[link + 1]) if event["is_forward"] else (points[link + 1], points[link])
        if (event["hop_from"], event["hop_to"]) == ends:
            lost, made = lost + (kind == "lost"), made + (kind != "lost")
        else:
            wrong.append(f"{kind} {ends} {event}")
    return LabScore(lost, made, tuple(wrong), sum(len(some) > 1 for some in of_frame.values()))


def _link_before(points: list[str], row: truth.Row, event: Mapping[str, Any]) -> int:
    """Return the link before the first point that has what was copied or overtaken."""
    first = points.index(row.capture)
    return first - 1 if event["is_forward"] else first
