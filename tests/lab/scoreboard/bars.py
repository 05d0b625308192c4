"""The figures that are held against bars: of each half, and of both beside each other."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tests.lab import truth
from tests.lab.scenarios import HELD_BACK_STACKS
from tests.lab.scoreboard.figures import (
    BARS,
    ENOUGH,
    GROUPS,
    LINUX,
    POINTS,
    Cells,
    having,
    need,
    only,
    place,
    reliability,
    score,
    shown,
)

RIGHT: Final = 0.99
"""Of what is said of need and place."""
SURE: Final = 0.95
"""Of the verdicts with confidence 0.9 to 1."""
_ALMOST: Final = 1e-9
APART: Final = 0.01
"""How far the halves may be from each other."""


class Figure(NamedTuple):
    """A measured share and the least that it should be."""

    name: str
    value: float
    least: float

    @property
    def is_met(self) -> bool:
        """Whether it is large enough."""
        return self.value >= self.least


def of_group(cells: Cells, group: str) -> Cells:
    """Return the cells of a group of stacks that captures can show."""
    return only(shown(cells), lambda cell: GROUPS[cell.stack] == group)


def of_causes(cells: Cells, group: str, points: Sequence[str]) -> Iterator[Figure]:
    """Yield F1 of each cause that has enough cases in a group of stacks, at some positions together."""
    here = only(of_group(cells, group), lambda cell: cell.point in points)
    for cause in truth.CAUSES:
        found = score(here, cause)
        if found.f1 is not None and found.true >= ENOUGH:
            at = f" at the {points[0]}" if len(points) == 1 else ""
            yield Figure(cause + at, found.f1, BARS[group])


def at_each_point(cells: Cells, group: str) -> Iterator[Figure]:
    """Yield F1 of each cause that has enough cases at a position, position by position."""
    for point in POINTS:
        yield from of_causes(cells, group, (point,))


def of_words(cells: Cells) -> Iterator[Figure]:
    """Yield how often need, place and confidence are right, where the capture holds the evidence."""
    evident = having(shown(cells), shows_need=True)
    for word in ("needed", "spurious"):
        yield from _figure(f"{word}: right, of those told", need(evident, word).right_of_told, RIGHT)
    blind = need(having(shown(cells), shows_need=False), "spurious")
    if blind.cases >= ENOUGH:
        yield Figure(
            "spurious, but no sign of it: not called needed", 1 - (blind.told - blind.right) / blind.cases, RIGHT
        )
    evident = having(shown(cells), shows_place=True)
    for word in ("before_sensor", "after_sensor"):
        yield from _figure(f"{word}: right, of those told", place(evident, word).right_of_told, RIGHT)
    yield from _figure("confidence 0.9 to 1: right", reliability(cells)[-1].share, SURE)


def _figure(name: str, value: float | None, least: float) -> Iterator[Figure]:
    if value is not None:
        yield Figure(name, value, least)


class Pair(NamedTuple):
    """A figure of both halves."""

    name: str
    stored: float
    held_back: float
    known_stacks: float | None
    """Of what is held back on the stacks that are for developing, too; None where that is too little."""

    @property
    def apart(self) -> float:
        """How much better the half for developing is."""
        return self.stored - self.held_back

    @property
    def is_met(self) -> bool:
        """Whether they are close to each other."""
        return abs(self.apart) <= APART


def pairs(stored: Cells, held_back: Cells) -> Iterator[Pair]:
    """Yield the figures that both halves have enough cases for."""
    others = dict(_figures(held_back))
    known = dict(_figures(only(held_back, lambda cell: cell.stack not in HELD_BACK_STACKS)))
    for name, value in _figures(stored):
        if name in others:
            yield Pair(name, value, others[name], known.get(name))


def _figures(cells: Cells) -> Iterator[tuple[str, float]]:
    for group in BARS:
        for figure in of_causes(cells, group, POINTS):
            yield f"{group}: {figure.name}, F1", figure.value
    for figure in of_words(cells):
        yield figure.name, figure.value


def of_held_back_stacks(held_back: Cells) -> Iterator[Figure]:
    """Yield F1 of the causes on the stacks of which nothing is for developing."""
    yield from of_causes(only(held_back, lambda cell: cell.stack in HELD_BACK_STACKS), LINUX, POINTS)


def worse(before: Cells, now: Cells) -> list[str]:
    """Return the figures that are worse than before, in words."""
    values = dict(_figures(now))
    return [
        f"{name}: {values.get(name, 0.0):.4f} after {old:.4f}"
        for name, old in _figures(before)
        if values.get(name, 0.0) < old - _ALMOST
    ]
