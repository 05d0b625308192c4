"""Runs scenarios of real TCP through a middlebox, and writes captures with the truth about every repeat.

python -m tests.lab list            what there is
python -m tests.lab run NAME...     run some, into a folder; NAME may be a pattern: 'losses-*'
python -m tests.lab store           run all, or some, into the folders that the tests and the scoreboard read

Live runs need root, /dev/net/tun and bpftrace. Exit codes: 0 all is well, 1 a run does not add up, 2 wrong arguments,
3 this machine cannot run the lab.
"""

import argparse
import fnmatch
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.lab import store
from tests.lab.needs import MissingError
from tests.lab.run import Outcome, UnfinishedError, lab
from tests.lab.scenarios import FAMILIES, is_held_back, scenarios
from tests.lab.settings import Scenario

_CANNOT: Final = 3
_TERMINATED: Final = 128 + signal.SIGTERM


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name all scenarios")
    run = commands.add_parser("run", help="run scenarios into a folder")
    run.add_argument("names", nargs="+", metavar="NAME", help="name or pattern of scenarios")
    run.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets a folder for each scenario")
    stored = commands.add_parser("store", help="run scenarios into tests/lab/stored and tests/lab/held_back")
    stored.add_argument("names", nargs="*", metavar="NAME", help="name or pattern of scenarios; none: all")
    return parser


def _chosen(parser: argparse.ArgumentParser, patterns: Sequence[str]) -> list[Scenario]:
    """Return the scenarios that patterns name."""
    known = list(scenarios())
    for pattern in patterns:
        if not fnmatch.filter([one.name for one in known], pattern):
            parser.error(f"there is no scenario {pattern}; 'list' names all")
    return [one for one in known if any(fnmatch.fnmatch(one.name, pattern) for pattern in patterns)]


def _list() -> None:
    known = list(scenarios())
    for family in FAMILIES:
        sys.stdout.write(f"{family.name}: {family.about}\n")
        for one in known:
            if one.family == family.name:
                sys.stdout.write(f"  {one.name}{'  (held back)' if is_held_back(one) else ''}\n")


def _line(scenario: Scenario, outcome: Outcome) -> str:
    """Return what came of a run."""
    causes = Counter(row.cause for row in outcome.rows if row.capture == scenario.points[0])
    told = ", ".join(f"{count} {cause}" for cause, count in causes.most_common())
    lines = [f"{scenario.name}: {len(outcome.run.packets)} packets; at the sender {told or 'nothing'}"]
    lines += [f"  does not add up: {problem}" for problem in outcome.problems]
    return "\n".join(lines) + "\n"


def _run(chosen: Sequence[Scenario], out: Path | None) -> int:
    """Run scenarios; with a folder to write to, all files go there, else to those of the stored ones."""
    bad = 0
    with lab() as here:
        for scenario, outcome in store.run_all(here, chosen):
            sys.stdout.write(_line(scenario, outcome))
            sys.stdout.flush()
            bad += bool(outcome.problems)
            if out:
                store.write(out / scenario.name, scenario, outcome)
                store.write_logs(out / scenario.name, outcome)
            elif not outcome.problems:
                store.write(store.place_of(scenario), scenario, outcome)
    return int(bad > 0)


def main() -> int:
    """Run the command line; return the exit code."""
    parser = _parser()
    chosen = parser.parse_args()
    if chosen.command == "list":
        _list()
        return 0
    wanted = _chosen(parser, chosen.names or ["*"])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))  # what runs is ended, and namespaces are removed
    try:
        code = _run(wanted, chosen.out if chosen.command == "run" else None)
    except MissingError as reason:
        sys.stderr.write(f"The lab cannot run here: {reason}.\n")
        return _CANNOT
    except UnfinishedError as reason:
        sys.stderr.write(f"{reason}.\n")
        return 1
    if chosen.command == "store":
        store.forget(scenarios())
    return code


if __name__ == "__main__":
    sys.exit(main())
