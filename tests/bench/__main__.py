"""``python -m tests.bench [PART ...]``: measure, and write docs/benchmarks.md."""

import argparse
import os
import sys
from pathlib import Path

from tests.bench.captures import Captures
from tests.bench.measure import ProgramFailedError
from tests.bench.parts import PARTS, room_is_there
from tests.bench.report import keep, page
from tests.support import REPOSITORY


def main() -> int:
    """Run the command line; 1 if a part could not be measured."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="Measure segwatch beside other programs."
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; without one: all")
    parser.add_argument("--packets", type=int, default=2_000_000, help="packets of the full bulk capture")
    parser.add_argument("--flows", type=int, default=200_000, help="conversations of the full flows capture")
    parser.add_argument("--history", type=int, default=100_000_000, help="anomalies in the store of the part history")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--peers", default="", help="which programs beside segwatch, separated by commas; without it: all"
    )
    parser.add_argument("--folder", type=Path, default=REPOSITORY / ".bench", help="where the captures are kept")
    parser.add_argument("--page", type=Path, default=REPOSITORY / "docs" / "benchmarks.md")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if not room_is_there(arguments.folder, arguments.packets, arguments.flows):
        parser.error(f"too little room in {arguments.folder} for the captures; --packets and --flows make them smaller")
    captures = Captures(arguments.folder, arguments.packets, arguments.flows, arguments.history)
    load = os.getloadavg()[0]
    failed = False
    for part in arguments.parts or PARTS:
        sys.stdout.write(f"{part} ...\n")
        sys.stdout.flush()
        try:
            tables = PARTS[part](captures, arguments.rounds, [name for name in arguments.peers.split(",") if name])
        except ProgramFailedError as error:
            sys.stdout.write(f"{part} could not be measured: {error}\n")
            failed = True
            continue
        written = page(keep(arguments.folder / "results.json", part, tables, arguments.rounds, load))
        arguments.page.write_text(written, "utf-8")
    if arguments.page.exists():
        sys.stdout.write(arguments.page.read_text("utf-8"))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
