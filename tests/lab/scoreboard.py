"""How often verdicts are right: those on the lab's stored captures, beside the truth.

python -m tests.lab.scoreboard                write docs/accuracy.md from the scenarios for developing
python -m tests.lab.scoreboard --held-back    from those that are held back, too: only when no rule will change any more

A frame counts once: by the cause that the truth has for it, and the one that the last revision of its verdict has.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from segwatch.jobs.decoding import DecodedCapture
from segwatch.jobs.verdicts import judged
from segwatch.output.verdict_table import final
from segwatch.records.verdicts import VERDICT
from segwatch.settings import Settings
from segwatch.vocabulary import CAUSE_NAMES, NEEDED_NAMES, PLACE_NAMES
from tests.lab import store, truth
from tests.support import REPOSITORY

_NOTHING: Final = "-"
_STEPS: Final = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01)
_NO_REPEATS: Final = frozenset({"reordering", "network_duplicate", "capture_duplicate", "capture_loss"})
_HEAD: Final = """# Accuracy of the verdicts

Made by `python -m tests.lab.scoreboard`; do not edit. Real TCP through a middlebox ([lab.md](lab.md)), whose log and
the kernel's own word are the truth; the rules are in [verdicts.md](verdicts.md). Precision: of the frames that were
called so, how many were so. Recall: of those that were so, how many were called so. F1 is their harmonic mean.
"""


class Case(NamedTuple):
    """A frame that the truth or a verdict speaks of."""

    stack: str
    point: str
    """Where the capture was taken."""
    true: tuple[str, str, str]
    """Cause, need and place; the cause is ``-`` where there is nothing to say."""
    said: tuple[str, str, str]
    confidence: float

    @property
    def is_right(self) -> bool:
        """Whether cause and need are right, as far as they are said."""
        needs = self.said[1], self.true[1]
        return self.true[0] == self.said[0] and (needs[0] == needs[1] or "unknown" in needs)


def cases(folders: Iterable[Path]) -> Iterator[Case]:
    """Yield the cases of all captures of some scenarios."""
    for folder in folders:
        stack = json.loads((folder / "scenario.json").read_text("utf-8"))["stack"]["name"]
        true: dict[str, dict[int, truth.Row]] = {}
        for row in truth.read(folder / "truth.csv.gz"):
            true.setdefault(row.capture, {})[row.frame] = row
        for capture in sorted(folder.glob("*.pcap.gz")):
            point = capture.name.removesuffix(".pcap.gz")
            yield from _of_capture(capture, stack, point, true.get(point, {}))


def _of_capture(path: Path, stack: str, point: str, true: dict[int, truth.Row]) -> Iterator[Case]:
    parts = [np.zeros(0, VERDICT)]
    with DecodedCapture(str(path)) as capture:
        parts += [verdicts.copy() for _, verdicts in judged(capture, Settings.rules)]
    said = {int(row["frame"]): row for row in final(np.concatenate(parts).view(VERDICT))[::-1]}
    for frame in sorted(true.keys() | said.keys()):
        one, other = true.get(frame), said.get(frame)
        yield Case(
            stack,
            point,
            (one.cause, one.needed, one.place) if one else (_NOTHING, "unknown", "unknown"),
            (_NOTHING, "unknown", "unknown")
            if other is None
            else (CAUSE_NAMES[other["cause"]], NEEDED_NAMES[other["needed"]], PLACE_NAMES[other["place"]]),
            0.0 if other is None else float(other["confidence"]),
        )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else ""


def _causes(found: Sequence[Case]) -> str:
    pairs = Counter((case.true[0], case.said[0]) for case in found)
    rows = []
    for cause in truth.CAUSES:
        right = pairs[cause, cause]
        true = sum(count for (one, _), count in pairs.items() if one == cause)
        said = sum(count for (_, other), count in pairs.items() if other == cause)
        if true or said:
            wrong = Counter({other: count for (one, other), count in pairs.items() if one == cause != other})
            most = ", ".join(
                f"{count} {other if other != _NOTHING else 'not seen'}" for other, count in wrong.most_common(3)
            )
            rows.append((cause, true, _share(right, said), _share(right, true), _share(2 * right, true + said), most))
    return _table(("cause", "cases", "precision", "recall", "F1", "taken for"), rows)


def _said(found: Sequence[Case], column: int, words: Sequence[str]) -> str:
    """Return how often need (1) or place (2) is right, of repeats that both the truth and a verdict speak of."""
    repeats = [
        case for case in found if _NOTHING not in {case.true[0], case.said[0]} and case.true[0] not in _NO_REPEATS
    ]
    if column == 2:  # the place of what was not lost is nowhere
        repeats = [case for case in repeats if case.true[1] == case.said[1] == "needed"]
    rows = []
    for word in words:
        true = [case for case in repeats if case.true[column] == word]
        told = [case for case in true if case.said[column] != "unknown"]
        right = sum(case.said[column] == word for case in told)
        rows.append((word, len(true), _share(right, len(told)), len(true) - len(told)))
    return _table(("truth", "cases", "right, of those told", "unknown"), rows)


def _settings(found: Sequence[Case]) -> str:
    points = sorted({case.point for case in found})
    rows = []
    for stack in sorted({case.stack for case in found}):
        cells = []
        for point in points:
            here = [case for case in found if (case.stack, case.point) == (stack, point)]
            cells.append(f"{_share(sum(case.true[0] == case.said[0] for case in here), len(here))} ({len(here)})")
        rows.append((stack, *cells))
    return _table(("stack", *points), rows)


def _reliability(found: Sequence[Case]) -> str:
    rows = []
    for low, high in pairwise(_STEPS):
        here = [case for case in found if case.said[0] != _NOTHING and low <= case.confidence < high]
        right = sum(case.is_right for case in here)
        rows.append((f"{low:.1f} to {min(high, 1):.1f}", len(here), _share(right, len(here))))
    return _table(("confidence", "verdicts", "right"), rows)


def page(found: Sequence[Case], title: str) -> str:
    """Return the part of the page about some cases."""
    return "\n".join(
        (
            f"## {title}\n",
            _causes(found),
            "Whether a repeat was needed:\n",
            _said(found, 1, ("needed", "spurious")),
            "Where it was lost, of those that were needed and called so:\n",
            _said(found, 2, ("before_sensor", "after_sensor")),
            "Share of frames whose cause is right, by stack and place of the sensor (frames):\n",
            _settings(found),
            "How often verdicts are right in cause and need, by their confidence:\n",
            _reliability(found),
        )
    )


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab.scoreboard", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--held-back", action="store_true", help="measure on the scenarios that are held back, too")
    parser.add_argument("-o", "--output", type=Path, default=REPOSITORY / "docs" / "accuracy.md", metavar="PATH")
    chosen = parser.parse_args()
    parts = [_HEAD, page(list(cases(sorted(store.STORED.iterdir()))), "Scenarios for developing")]
    if chosen.held_back:
        parts.append(page(list(cases(sorted(store.HELD_BACK.iterdir()))), "Scenarios held back"))
    chosen.output.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
