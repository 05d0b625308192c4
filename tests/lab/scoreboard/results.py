"""Measured results as JSON, counted so that the page can be made of them again without measuring."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.lab.scoreboard.cases import Case, Word, cases
from tests.lab.scoreboard.connections import KINDS, SPURIOUS, Counts, Program
from tests.lab.scoreboard.labels import Labels
from tests.support import REPOSITORY

RESULTS: Final = Path(__file__).with_name("results.json")
"""Those that ``docs/accuracy.md`` was made of."""
_RULES: Final = REPOSITORY / "processors" / "verdicts"
_FINGERPRINT_DIGITS: Final = 12
_ALMOST: Final = 1e-6
_HUNDREDTHS: Final = 100


class Cell(NamedTuple):
    """Cases that are alike in everything that the page tells apart."""

    stack: str
    point: str
    true_cause: str
    true_needed: str
    true_place: str
    hidden: str
    shows_need: bool
    shows_place: bool
    cause: str
    needed: str
    place: str
    hundredths: int
    """Confidence, rounded down."""
    label_cause: str
    label_needed: str

    @property
    def true(self) -> Word:
        """What the truth says."""
        return Word(self.true_cause, self.true_needed, self.true_place)

    @property
    def said(self) -> Word:
        """What segwatch says."""
        return Word(self.cause, self.needed, self.place)

    @property
    def label(self) -> Word:
        """What tshark says."""
        return Word(self.label_cause, self.label_needed)


class Total(NamedTuple):
    """What a program counts of a kind of event, over all connections."""

    said: int
    off: int
    """How far its counts are from the true ones, each direction of each connection for itself, added up."""


class Half(NamedTuple):
    """What was measured on one half of the scenarios."""

    rules: str
    """Fingerprint of the rules that were measured."""
    scenarios: int
    captures: int
    cells: Counter[Cell]
    true_counts: dict[str, int]
    """Events by kind."""
    counted: dict[str, dict[str, Total]]
    """By program and kind."""


class Results(NamedTuple):
    """What the page is made of."""

    programs: dict[str, str]
    """Versions of those that were found."""
    halves: dict[str, Half]
    """``stored`` and ``held_back``."""


def fingerprint() -> str:
    """Return what tells the rules from others."""
    found = hashlib.sha256()
    for path in sorted(_RULES.glob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()[:_FINGERPRINT_DIGITS]


def measure(folders: Sequence[Path], labels: Labels | None, programs: Sequence[Program]) -> Half:
    """Return what segwatch, tshark and the programs that count by connection say on some scenarios."""
    cells: Counter[Cell] = Counter()
    true: Counter[str] = Counter()
    counted: dict[str, dict[str, Total]] = {}
    captures = 0
    for folder in folders:
        for capture, found in cases(folder, labels):
            captures += 1
            cells.update(map(_cell, found))
            expected = _counts((case.true, case.flow) for case in found)
            for (_, kind), number in expected.items():
                true[kind] += number
            _add(counted, "segwatch", KINDS, _counts((case.said, case.flow) for case in found), expected)
            if labels:
                _add(counted, "tshark", KINDS, _counts((case.label, case.flow) for case in found), expected)
            for program in programs:
                _add(counted, program.name, program.kinds, program.of(capture), expected)
    return Half(fingerprint(), len(folders), captures, cells, dict(true), counted)


def _cell(case: Case) -> Cell:
    hundredths = int((case.confidence + _ALMOST) * _HUNDREDTHS)
    return Cell(case.stack, case.point, *case.true, *case.trace, *case.said, hundredths, *case.label[:2])


def _counts(words: Iterable[tuple[Word, tuple[int, bool]]]) -> Counts:
    counts: Counts = Counter()
    for said, flow in words:
        for kind, causes in KINDS.items():
            is_so = said.needed == "spurious" if kind == SPURIOUS else said.cause in causes
            counts[flow, kind] += is_so
        # A label may call a repeat spurious without a cause.
        counts[flow, "repeats"] += said == Word("unknown", "spurious")
    return counts


def _add(counted: dict[str, dict[str, Total]], name: str, kinds: Iterable[str], said: Counts, expected: Counts) -> None:
    totals = counted.setdefault(name, {})
    for kind in sorted(kinds):
        flows = {flow for flow, one in (*said, *expected) if one == kind}
        number = sum(said[flow, kind] for flow in flows)
        off = sum(abs(said[flow, kind] - expected[flow, kind]) for flow in flows)
        before = totals.get(kind, Total(0, 0))
        totals[kind] = Total(before.said + number, before.off + off)


def write(path: Path, results: Results) -> None:
    """Write results: a line for each cell, so that changes can be read."""
    halves = {name: half._asdict() | {"cells": None} for name, half in results.halves.items()}
    parts = json.dumps({"programs": results.programs, "halves": halves}, indent=1).split('"cells": null')
    for at, half in enumerate(results.halves.values()):
        lines = ",\n".join(
            json.dumps([*cell, number], separators=(",", ":")) for cell, number in sorted(half.cells.items())
        )
        parts[at] += f'"cells": [\n{lines}\n]'
    path.write_text("".join(parts) + "\n", encoding="utf-8")


def read(path: Path) -> Results:
    """Return results that were written."""
    found = json.loads(path.read_text("utf-8"))
    return Results(found["programs"], {name: _half(half) for name, half in found["halves"].items()})


def _half(fields: Mapping[str, Any]) -> Half:
    cells = Counter({Cell(*cell): number for *cell, number in fields["cells"]})
    counted = {
        name: {kind: Total(*total) for kind, total in totals.items()} for name, totals in fields["counted"].items()
    }
    return Half(**{**fields, "cells": cells, "counted": counted})
