"""Many chains of three hops, and how often their events are named right: ``python -m tests.paths.trial``."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from segwatch.records.paths import PathEvent
from tests.lab.store import HELD_BACK, STORED
from tests.paths.chain import chances, make, sent_in
from tests.paths.chain_score import ALIKE, KINDS, score

LEFT_OUT: Final = ("hops-", "bad_captures-")
"""Scenarios with other captures, and with captures that do not have all that was sent."""
PLAIN: Final = ("no_timestamps", "plain", "smoltcp")
"""Stacks without timestamps."""
HALVES: Final = ("developing", "held back")
TOLD_BY: Final = ("IP identifications", "timestamps only", "neither")
"""What tells equal packets apart."""
SENSORS: Final = ("keep everything", "miss some or have some twice")


class Run(NamedTuple):
    """One scenario with one seed."""

    half: str
    folder: Path
    seed: int


class Figures(NamedTuple):
    """Counts of one kind of event."""

    right: int = 0
    wrong: int = 0
    more: int = 0
    twice: int = 0
    hidden: int = 0
    unsure: int = 0
    unsure_right: int = 0
    alike: tuple[int, ...] = (0,) * len(ALIKE)

    def plus(self, other: "Figures") -> "Figures":
        """Return the sum."""
        counts = (one + another for one, another in zip(self[:-1], other[:-1], strict=True))
        alike = tuple(one + another for one, another in zip(self.alike, other.alike, strict=True))
        return Figures(*counts, alike=alike)


Group = tuple[str, str, str, PathEvent]
"""Half, what tells packets apart, what the sensors do, and the event."""
Table = dict[Group, Figures]


def runs(seeds: int, every: int = 1) -> Iterator[Run]:
    """Yield the runs: odd seeds with scenarios for developing, even ones with those that are held back."""
    for seed in range(1, seeds + 1):
        half, store = (HALVES[0], STORED) if seed % 2 else (HALVES[1], HELD_BACK)
        folders = sorted(folder for folder in store.iterdir() if not folder.name.startswith(LEFT_OUT))
        for folder in folders[seed // 2 % every :: every]:
            yield Run(half, folder, seed)


def figures(some: Iterator[Run], *, by_headers: bool) -> Table:
    """Return the figures of runs."""
    table: Table = {}
    sent = {}
    for half, folder, seed in some:
        if folder not in sent:
            sent[folder] = sent_in(folder)
        about = chances(seed)
        is_plain = any(stack in folder.name for stack in PLAIN)
        told_by = TOLD_BY[0 if about.has_ip_id and "smoltcp" not in folder.name else 2 if is_plain else 1]
        sensors = SENSORS[about.missed + about.twice > 0]
        for kind, one in score(make(sent[folder], about, seed), by_headers=by_headers).items():
            counts = Figures(
                one.right, len(one.wrong), len(one.more), len(one.twice), one.hidden, one.unsure, one.unsure_right,
                one.alike,
            )  # fmt: skip
            key = half, told_by, sensors, kind
            table[key] = table.get(key, Figures()).plus(counts)
    return table


def total(table: Table, *wanted: str | PathEvent) -> Figures:
    """Return the sum of the groups that have all of this."""
    result = Figures()
    for key, one in table.items():
        if {*wanted} <= {*key}:
            result = result.plus(one)
    return result


def _line(name: str, one: Figures) -> str:
    cases = one.right + one.wrong
    share = f"{100 * one.right / cases:.2f}" if cases else ""
    counts = (one.more, one.twice, one.hidden, one.unsure, one.unsure_right)
    return f"| {name} | {cases:,} | {one.right:,} | {share} | {' | '.join(f'{count:,}' for count in counts)} |"


def _lines(table: Table) -> Iterator[str]:
    columns = ("cases", "right", "%", "more", "of these twice", "hidden", "may be", "of these are")
    yield f"| | {' | '.join(columns)} |"
    yield "| --- |" + " ---: |" * len(columns)
    for half in HALVES:
        yield _line(f"{half}: **lost**", total(table, half, PathEvent.LOST))
        for told_by in TOLD_BY:
            for sensors in SENSORS:
                one = total(table, half, told_by, sensors, PathEvent.LOST)
                yield _line(f"{half}: lost; {told_by}; sensors {sensors}", one)
        for kind in KINDS[1:]:
            yield _line(f"{half}: {kind.name.lower()}", total(table, half, kind))
    yield "\n| lost, and counted twice: rows that nothing tells apart, as | " + " | ".join(HALVES) + " |"
    yield "| --- |" + " ---: |" * len(HALVES)
    by_half = [total(table, half, PathEvent.LOST).alike for half in HALVES]
    for number, name in enumerate(ALIKE):
        yield f"| {name} | " + " | ".join(f"{alike[number]:,}" for alike in by_half) + " |"


def main() -> None:
    """Print the figures as a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.paths.trial", description=__doc__)
    parser.add_argument("--seeds", type=int, default=24, help="how many seeds, half of them held back (24)")
    parser.add_argument("--every", type=int, default=1, help="take one scenario of so many for each seed (1)")
    parser.add_argument("--one-by-one", action="store_true", help="ask also which of several equal packets it was")
    options = parser.parse_args()
    table = figures(runs(options.seeds, options.every), by_headers=not options.one_by_one)
    sys.stdout.write("\n".join(_lines(table)) + "\n")


if __name__ == "__main__":
    main()
