"""The page ``docs/accuracy.md``."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tests.lab.scoreboard import half_page
from tests.lab.scoreboard.bars import (
    APART,
    Figure,
    at_each_point,
    of_causes,
    of_held_back_stacks,
    of_words,
    pairs,
)
from tests.lab.scoreboard.figures import BARS, ENOUGH, POINTS
from tests.lab.scoreboard.results import Half, Results
from tests.lab.scoreboard.tables import met, share, table
from tests.lab.scoreboard.words import HEAD, READING

STORED, HELD_BACK = "stored", "held_back"
TITLES: Final = {STORED: "For developing", HELD_BACK: "Held back"}
PROGRAMS: Final = ("tshark", "tcptrace", "Tstat")


def page(results: Results) -> str:
    """Return the page; the half that is held back is on it if it was measured with the same rules as the other."""
    return "\n".join(_parts(results))


def _parts(results: Results) -> Iterator[str]:
    stored, held_back = results.halves[STORED], results.halves.get(HELD_BACK)
    found = {name: half for name, half in ((STORED, stored), (HELD_BACK, held_back)) if half is not None}
    is_old = held_back is not None and held_back.rules != stored.rules
    if is_old:
        del found[HELD_BACK]
    yield HEAD
    yield " ".join((*_programs(results), f"Fingerprint of the rules: `{stored.rules}`.")) + "\n"
    if HELD_BACK not in found:
        why = "was last measured with other rules, and is left out" if is_old else "was not measured"
        yield f"The half that is held back {why}.\n"
    yield "## Bars\n"
    yield _bars(list(found.values()), [TITLES[name].lower() for name in found])
    if HELD_BACK in found:
        yield "## Both halves\n"
        yield _halves(stored, found[HELD_BACK])
    yield READING
    for name, half in found.items():
        yield half_page.page(half, TITLES[name])


def _programs(results: Results) -> Iterator[str]:
    for name in PROGRAMS:
        version = results.programs.get(name)
        yield f"{name} {version}." if version else f"{name} was not found, so it has no figures here."


def _bars(halves: Sequence[Half], names: Sequence[str]) -> str:
    rows: list[tuple[object, ...]] = []
    for group, bar in BARS.items():
        for where, found in (
            ("all positions together", [list(of_causes(half.cells, group, POINTS)) for half in halves]),
            ("each position for itself", [list(at_each_point(half.cells, group)) for half in halves]),
        ):
            what = f"{group}, {where}: F1 of each cause with {ENOUGH} cases or more"
            rows.append((what, bar, *map(_many, found), _all_met(found)))
    words = [{figure.name: figure for figure in of_words(half.cells)} for half in halves]
    for name in words[0]:
        of_name = [[figures[name]] if name in figures else [] for figures in words]
        rows.append((name, of_name[0][0].least, *(_value(found) for found in of_name), _all_met(of_name)))
    return table(("what", "at least", *names, ""), rows)


def _many(figures: Sequence[Figure]) -> str:
    missed = [figure for figure in figures if not figure.is_met]
    words = "; ".join(f"{figure.name} {share(figure.value)}" for figure in missed)
    return f"{len(figures) - len(missed)} of {len(figures)}" + (f"; missed: {words}" if missed else "")


def _value(figures: Sequence[Figure]) -> float | None:
    return figures[0].value if figures else None


def _all_met(figures: Iterable[Sequence[Figure]]) -> str:
    flat = [figure for some in figures for figure in some]
    return met(all(figure.is_met for figure in flat) if flat else None)


def _halves(stored: Half, held_back: Half) -> str:
    rows = [
        (pair.name, pair.stored, pair.held_back, f"{pair.apart:+.3f}", met(pair.is_met), pair.known_stacks)
        for pair in pairs(stored.cells, held_back.cells)
    ]
    others = ", ".join(f"{figure.name} {share(figure.value)}" for figure in of_held_back_stacks(held_back.cells))
    head = ("what", *(TITLES[name].lower() for name in (STORED, HELD_BACK)), "difference", f"at most {APART} apart")
    head = (*head, "held back, only stacks that are for developing, too")
    return f"{table(head, rows)}\nF1 on the stacks of which all is held back: {others}.\n"
