"""Chains of three hops and the lab's, judged sensor by sensor, in a store: ``python -m tests.network.trial``."""

import argparse
import sys
from collections.abc import Iterable, Mapping
from ipaddress import IPv6Address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from sinks.local_server import LocalServer
from sinks.store import Store
from sinks.writer import Writer
from tests.lab.store import HELD_BACK, STORED
from tests.network import chain, lab, score, stored
from tests.paths.chain import SENSORS
from tests.paths.trial import HALVES, PLAIN, Run, runs

TOLD_BY: Final = ("IP identifications or timestamps", "the same; mostly SYN and SYN/ACK lost", "neither")


class Figures(NamedTuple):
    """Counts of losses that hosts repeated."""

    right: int = 0
    wrong: int = 0
    one_way: int = 0
    one_way_wrong: int = 0
    hidden: int = 0
    events: int = 0
    twice: int = 0

    def plus(self, other: "Figures") -> "Figures":
        """Return the sum."""
        return Figures(*(one + another for one, another in zip(self, other, strict=True)))


Table = dict[tuple[str, str], Figures]
"""By half and by what tells packets apart."""


_HEAD: Final = (
    "| | losses | hop right | % | one direction: right | of | events | twice | hidden |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
)


def ask(store: Store, query: str, hosts: list[IPv6Address]) -> list[Mapping[str, Any]]:
    """Return the rows of a query about the conversations of some hosts."""
    rows, columns = store.client.execute(query, {"hosts": [str(host) for host in hosts]}, with_column_types=True)
    return [dict(zip((name for name, _ in columns), row, strict=True)) for row in rows]


def chains(store: Store, some: Iterable[Run]) -> tuple[Table, list[str]]:
    """Store and score chains; return the figures, and what is wrong."""
    writer = Writer(store.client, store.address)
    table: Table = {}
    problems = []
    for number, (half, folder, seed) in enumerate(some, start=1):
        about = chain.settings(seed)
        made = chain.make(folder, about, seed)
        hosts = stored.store(writer, [one.segments for one in made.sensors], number, stored.names(SENSORS))
        one = score.score(made, ask(store, score.QUERY, hosts))
        has_timestamps = not any(stack in folder.name for stack in PLAIN)
        is_marked = has_timestamps or (about.has_ip_id and "smoltcp" not in folder.name)
        key = half, TOLD_BY[(1 if folder.name.startswith("handshakes-") else 0) if is_marked else 2]
        counts = Figures(one.right, len(one.wrong), *one[2:6], len(one.twice))
        table[key] = table.get(key, Figures()).plus(counts)
        problems += [f"{folder.name} {seed}: {problem}" for problem in (*one.wrong, *one.twice)]
    return table, problems


def scenarios(store: Store, folders: Iterable[Path], first_run: int) -> list[lab.LabScore]:
    """Store and score scenarios of the lab with four sensors."""
    writer = Writer(store.client, store.address)
    found = []
    for run, folder in enumerate(folders, start=first_run):
        hosts = lab.store_scenario(writer, folder, run)
        found.append(lab.score(folder, ask(store, lab.QUERY, hosts)))
    return found


def hops() -> list[Path]:
    """Return the lab's scenarios with four sensors."""
    return sorted(STORED.glob("hops-*")) + sorted(HELD_BACK.glob("hops-*"))


def _line(name: str, one: Figures) -> str:
    cases, one_way = one.right + one.wrong, one.one_way + one.one_way_wrong
    share = f"{100 * one.right / cases:.2f}" if cases else ""
    counts = (one.one_way, one_way, one.events, one.twice, one.hidden)
    return f"| {name} | {cases:,} | {one.right:,} | {share} | {' | '.join(f'{count:,}' for count in counts)} |"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.network.trial", description=__doc__)
    parser.add_argument("--seeds", type=int, default=8, help="how many seeds, half of them held back (8)")
    parser.add_argument("--every", type=int, default=2, help="take one scenario of so many for each seed (2)")
    parser.add_argument("--problems", action="store_true", help="print each loss with another hop")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        server = LocalServer(Path(folder))
        try:
            with Store(server.wait_ready()) as store:
                real = scenarios(store, hops(), 40_000)
                table, problems = chains(store, runs(options.seeds, options.every))
        finally:
            server.stop()
    lost, made, wrong = (sum(counts) for counts in zip(*((s.lost, s.made, len(s.wrong)) for s in real), strict=True))
    twice = sum(one.twice for one in real)
    sys.stdout.write(f"The lab: {lost} losses and {made} copies and late ones right, {wrong} wrong, {twice} twice\n\n")
    sys.stdout.write(_HEAD)
    for half in HALVES:
        for told_by in TOLD_BY:
            sys.stdout.write(_line(f"{half}; {told_by}", table.get((half, told_by), Figures())) + "\n")
    if options.problems:
        sys.stdout.write("\n".join((*problems, *(problem for one in real for problem in one.wrong))) + "\n")


if __name__ == "__main__":
    main()
