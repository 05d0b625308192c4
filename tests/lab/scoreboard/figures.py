"""Figures out of counted cases: precision, recall and F1; shares that are right; reliability."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from tests.lab.scenarios import STACKS
from tests.lab.scoreboard.cases import NOTHING, Word
from tests.lab.scoreboard.results import Cell
from tests.lab.scoreboard.traces import REPEATS

Cells = Mapping[Cell, int]
ENOUGH: Final = 50
"""Cases that a bar asks for."""
LINUX, LESS, OTHER = "Linux with SACK and timestamps", "Linux without SACK or timestamps", "smoltcp"
BARS: Final = {LINUX: 0.99, LESS: 0.95, OTHER: 0.95}
"""Least F1 of a cause, by group of stacks."""
POINTS: Final = ("sender", "middle", "receiver")


def _group(name: str) -> str:
    stack = next(stack for stack in STACKS if stack.name == name)
    if stack.client != "linux":
        return OTHER
    is_less = "0" in {stack.sysctls.get("tcp_sack"), stack.sysctls.get("tcp_timestamps")}
    return LESS if is_less else LINUX


GROUPS: Final = {stack.name: _group(stack.name) for stack in STACKS}
"""Group by stack."""


def only(cells: Cells, keep: Callable[[Cell], bool]) -> Cells:
    """Return the cells that are to be kept."""
    return {cell: number for cell, number in cells.items() if keep(cell)}


def having(cells: Cells, **fields: object) -> Cells:
    """Return the cells whose fields have some values."""
    return only(cells, lambda cell: all(getattr(cell, name) == value for name, value in fields.items()))


def shown(cells: Cells) -> Cells:
    """Return the cells without what their captures cannot show."""
    return having(cells, hidden="")


class Score(NamedTuple):
    """Of one word: how often it is true, how often it is said, and how often both."""

    true: int
    said: int
    right: int

    @property
    def precision(self) -> float | None:
        """Of what was called so, the share that was so."""
        return self.right / self.said if self.said else None

    @property
    def recall(self) -> float | None:
        """Of what was so, the share that was called so."""
        return self.right / self.true if self.true else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both."""
        return 2 * self.right / (self.true + self.said) if self.true else None


def said(cell: Cell) -> Word:
    """Return what segwatch says."""
    return cell.said


def label(cell: Cell) -> Word:
    """Return what tshark says."""
    return cell.label


def score(cells: Cells, cause: str, word: Callable[[Cell], Word] = said) -> Score:
    """Return the score of a cause."""
    return _score((cell.true_cause == cause, word(cell).cause == cause, number) for cell, number in cells.items())


def score_of_repeats(cells: Cells, word: Callable[[Cell], Word] = said) -> Score:
    """Return the score of frames being repeats at all, whatever the cause."""
    return _score((_repeats(cell.true), _repeats(word(cell)), number) for cell, number in cells.items())


def _repeats(word: Word) -> bool:
    return word.cause in REPEATS or word.needed == "spurious"


def _score(frames: Iterable[tuple[bool, bool, int]]) -> Score:
    true = said_so = right = 0
    for is_so, is_said, number in frames:
        true += number * is_so
        said_so += number * is_said
        right += number * (is_so and is_said)
    return Score(true, said_so, right)


class Share(NamedTuple):
    """How often a word is right where it is told."""

    cases: int
    told: int
    right: int

    @property
    def right_of_told(self) -> float | None:
        """The share."""
        return self.right / self.told if self.told else None


def need(cells: Cells, word: str, of: Callable[[Cell], Word] = said) -> Share:
    """Return how often the need of repeats is right, of those that are ``word``, where a need is told."""
    return _share((of(cell).needed, word, number) for cell, number in cells.items() if _is_repeat(cell, word))


def _is_repeat(cell: Cell, needed: str) -> bool:
    return cell.true_cause in REPEATS and cell.true_needed == needed and not cell.hidden


def place(cells: Cells, word: str) -> Share:
    """Return how often the place of needed repeats is right, of those that are ``word``, where a place is told."""
    return _share(
        (cell.place, word, number)
        for cell, number in cells.items()
        if _is_repeat(cell, "needed") and cell.true_place == word
    )


def _share(words: Iterable[tuple[str, str, int]]) -> Share:
    numbers = Counter[str]()
    for one, true, number in words:
        numbers["cases"] += number
        numbers["told"] += number * (one != "unknown")
        numbers["right"] += number * (one == true)
    return Share(numbers["cases"], numbers["told"], numbers["right"])


def is_right(cell: Cell) -> bool:
    """Tell whether cause, need and place of a verdict are right, as far as it and the truth tell them."""
    pairs = zip(cell.true[1:], cell.said[1:], strict=True)
    return cell.true_cause == cell.cause and all(one == other or "unknown" in {one, other} for one, other in pairs)


class Decile(NamedTuple):
    """Verdicts of similar confidence."""

    verdicts: int
    right: int
    confidence: float
    """Their mean."""

    @property
    def share(self) -> float | None:
        """How many are right."""
        return self.right / self.verdicts if self.verdicts else None


def reliability(cells: Cells) -> list[Decile]:
    """Return the ten deciles of confidence; of all verdicts, whatever the captures show."""
    found = []
    spoken = only(cells, lambda cell: cell.cause != NOTHING)
    for tenth in range(10):
        here = {cell: number for cell, number in spoken.items() if min(cell.hundredths // 10, 9) == tenth}
        verdicts = sum(here.values())
        right = sum(number for cell, number in here.items() if is_right(cell))
        mean = sum(number * cell.hundredths for cell, number in here.items()) / verdicts / 100 if verdicts else 0.0
        found.append(Decile(verdicts, right, mean))
    return found
