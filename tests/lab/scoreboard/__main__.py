"""Measures how often verdicts are right, and writes docs/accuracy.md.

python -m tests.lab.scoreboard                measure the scenarios for developing
python -m tests.lab.scoreboard --held-back    those that are held back, too: only when no rule will change any more
python -m tests.lab.scoreboard --page         make the page again of what was measured

What was measured is kept in tests/lab/scoreboard/results.json. tshark, tcptrace and Tstat (the variable TSTAT names its
program) are measured beside segwatch where they are found; the page says which were not.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.lab import store
from tests.lab.scoreboard import connections, labels, results
from tests.lab.scoreboard.page import HELD_BACK, STORED, page
from tests.support import REPOSITORY

HALVES: Final = {STORED: store.STORED, HELD_BACK: store.HELD_BACK}


def measure(path: Path, halves: Mapping[str, Path]) -> None:
    """Measure with all programs that are found; each half is kept when it is done, in place of what there was of it."""
    tshark, counting = labels.find(), connections.find()
    programs = {program.name: program.version for program in counting}
    if tshark is not None:
        programs["tshark"] = tshark.version
    for name, folder in halves.items():
        found = {name: results.measure(sorted(folder.iterdir()), tshark, counting)}
        known = results.read(path).halves if path.exists() else {}
        results.write(path, results.Results(programs, known | found))


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab.scoreboard", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--held-back", action="store_true", help="measure the scenarios that are held back, too")
    what.add_argument("--page", action="store_true", help="measure nothing")
    parser.add_argument("--results", type=Path, default=results.RESULTS, metavar="PATH", help="what was measured")
    parser.add_argument("-o", "--output", type=Path, default=REPOSITORY / "docs" / "accuracy.md", metavar="PATH")
    chosen = parser.parse_args()
    if not chosen.page:
        measure(chosen.results, HALVES if chosen.held_back else {STORED: store.STORED})
    chosen.output.write_text(page(results.read(chosen.results)), encoding="utf-8")


if __name__ == "__main__":
    main()
