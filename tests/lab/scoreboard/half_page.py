"""The part of the page about one half of the scenarios."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from tests.lab import truth
from tests.lab.scoreboard.bars import SURE, of_group
from tests.lab.scoreboard.cases import NOTHING
from tests.lab.scoreboard.connections import KINDS
from tests.lab.scoreboard.figures import (
    BARS,
    ENOUGH,
    GROUPS,
    POINTS,
    Cells,
    Share,
    having,
    label,
    need,
    only,
    place,
    reliability,
    score,
    score_of_repeats,
    shown,
)
from tests.lab.scoreboard.results import Half
from tests.lab.scoreboard.tables import met, share, table
from tests.lab.scoreboard.traces import HIDDEN, REPEATS
from tests.lab.scoreboard.words import COUNTED, FRAMES, STACKS, WORDS_BY_POSITION

_FALSE_ALARM: Final = "false alarm"
NEEDS: Final = ("needed", "spurious")
PLACES: Final = ("before_sensor", "after_sensor")


def page(half: Half, title: str) -> str:
    """Return the part of the page about a half."""
    return "\n".join((f"## {title}\n", *_parts(half)))


def _parts(half: Half) -> Iterator[str]:
    cells = half.cells
    frames = sum(number for cell, number in cells.items() if cell.true_cause != NOTHING)
    yield f"{half.scenarios} scenarios, {half.captures} captures, {frames:,} cases.\n"
    if set(half.counted) == {"segwatch"}:
        yield "No other program was measured on these.\n"
    for group, bar in BARS.items():
        if of_group(cells, group):
            yield f"### Causes: {group}\n"
            yield _causes(cells, group, bar)
    yield "### Taken for something else\n"
    yield _confusions(cells)
    yield "### Was it needed?\n"
    yield _needs(cells, has_labels="tshark" in half.counted)
    yield "### Where was it lost?\n"
    yield _places(cells)
    yield "### Confidence\n"
    yield _reliability(cells)
    yield "### Stacks\n"
    yield STACKS
    yield _stacks(cells)
    yield "### Stacks and positions\n"
    yield FRAMES
    yield _positions(cells)
    yield WORDS_BY_POSITION
    yield _words_by_position(cells)
    if "tshark" in half.counted:
        yield "### Beside tshark, frame by frame\n"
        yield _labels(cells)
    yield "### Beside programs that count by connection\n"
    yield COUNTED
    yield _counted(half)
    yield "### What captures cannot show\n"
    yield _hidden(cells)


def _causes(cells: Cells, group: str, bar: float) -> str:
    here = of_group(cells, group)
    everything = only(cells, lambda cell: GROUPS[cell.stack] == group)
    rows = []
    for cause in truth.CAUSES:
        found, of_all = score(here, cause), score(everything, cause)
        if found.true or found.said:
            at = [score(having(here, point=point), cause) for point in POINTS]
            judged = [one.f1 for one in (found, *at) if one.f1 is not None and one.true >= ENOUGH]
            is_met = all(value >= bar for value in judged) if judged else None
            numbers = (found.true, found.precision, found.recall, found.f1)
            ways = (_share_of(one.f1, one.true) for one in at)
            rows.append((cause, *numbers, *ways, of_all.f1, met(is_met)))
    head = ("cause", "cases", "precision", "recall", "F1", *(f"F1 at the {point} (cases)" for point in POINTS))
    return table((*head, "F1, with what cannot be seen", f"F1 at least {bar}, everywhere"), rows)


def _confusions(cells: Cells) -> str:
    found: Counter[tuple[str, str]] = Counter()
    for cell, number in shown(cells).items():
        found[cell.true_cause, cell.cause] += number
    rows = []
    for cause in (*truth.CAUSES, NOTHING):
        wrong = Counter({said: number for (true, said), number in found.items() if true == cause != said})
        words = (f"{number} {'nothing' if said == NOTHING else said}" for said, number in wrong.most_common())
        if wrong:
            rows.append((_FALSE_ALARM if cause == NOTHING else cause, wrong.total(), ", ".join(words)))
    return table(("truth", "wrong", "taken for"), rows)


def _needs(cells: Cells, *, has_labels: bool) -> str:
    rows = []
    for word in NEEDS:
        for evident in (True, False):
            here = having(cells, shows_need=evident)
            found = need(here, word)
            if found.cases:
                name = word if evident else f"{word}, but the capture has no sign of it"
                rows.append((name, *_row(found), *(_row(need(here, word, label))[1:] if has_labels else ())))
    labelled = ("tshark: right, of those told", "tshark: not told") if has_labels else ()
    return table(("truth", "repeats", "right, of those told", "not told", *labelled), rows)


def _row(found: Share) -> tuple[int, float | None, int]:
    return found.cases, found.right_of_told, found.cases - found.told


def _places(cells: Cells) -> str:
    rows = []
    for word in PLACES:
        for evident in (True, False):
            here = having(cells, shows_place=evident)
            found = place(here, word)
            if found.cases:
                rows.append((word if evident else f"{word}, but the capture has no sign of it", *_row(found)))
    return table(("truth", "needed repeats", "right, of those told", "not told"), rows)


def _reliability(cells: Cells) -> str:
    rows = []
    for tenth, found in enumerate(reliability(cells)):
        if found.verdicts:
            is_met = found.share is not None and found.share >= SURE if tenth == 9 else None
            name = f"{tenth / 10:.1f} to {(tenth + 1) / 10:.1f}"
            rows.append((name, found.verdicts, found.confidence, found.share, met(is_met)))
    return table(("confidence", "verdicts", "mean confidence", "right", f"at least {SURE} of 0.9 to 1"), rows)


def _stacks(cells: Cells) -> str:
    rows = []
    here = shown(cells)
    causes = [cause for cause in truth.CAUSES if score(here, cause).true]
    for stack in _stacks_of(here):
        of_stack = having(here, stack=stack)
        scores = [score(of_stack, cause) for cause in causes]
        words = (
            *(need(of_stack, word).right_of_told for word in NEEDS),
            *(place(of_stack, word).right_of_told for word in PLACES),
        )
        rows.append((stack, *(_share_of(one.f1, one.true) for one in scores), *words))
    return table(("stack", *causes, *NEEDS, *PLACES), rows)


def _stacks_of(cells: Cells) -> list[str]:
    return [name for name in GROUPS if any(cell.stack == name for cell in cells)]


def _positions(cells: Cells) -> str:
    rows = []
    here = only(shown(cells), lambda cell: {cell.true_cause, cell.cause} != {NOTHING})
    for stack in _stacks_of(here):
        cells_of = (having(here, point=point, stack=stack) for point in POINTS)
        rows.append((stack, GROUPS[stack], *map(_right_causes, cells_of)))
    return table(("stack", "group", *POINTS), rows)


def _words_by_position(cells: Cells) -> str:
    rows = []
    for point in POINTS:
        here = having(cells, point=point)
        found = (*(need(here, word) for word in NEEDS), *(place(here, word) for word in PLACES))
        rows.append((point, *(_share_of(one.right_of_told, one.told) for one in found)))
    return table(("position", *NEEDS, *PLACES), rows)


def _right_causes(cells: Cells) -> str | None:
    whole = sum(cells.values())
    right = sum(number for cell, number in cells.items() if cell.true_cause == cell.cause)
    return _share_of(right / whole if whole else None, whole)


def _share_of(value: float | None, cases: int) -> str | None:
    return None if value is None else f"{share(value)} ({cases})"


def _labels(cells: Cells) -> str:
    here = shown(cells)
    pairs = [("a repeat of any cause", score_of_repeats(here), score_of_repeats(here, label))]
    pairs += [(cause, score(here, cause), score(here, cause, label)) for cause in truth.CAUSES]
    rows = [
        (name, ours.true, ours.f1, theirs.precision, theirs.recall, theirs.f1, theirs.said)
        for name, ours, theirs in pairs
        if ours.true or theirs.said
    ]
    head = ("cause", "cases", "segwatch: F1", "tshark: precision", "recall", "F1", "called so")
    return table(head, rows)


def _counted(half: Half) -> str:
    rows = []
    for kind in KINDS:
        true = half.true_counts.get(kind, 0)
        numbers = []
        for totals in half.counted.values():
            total = totals.get(kind)
            numbers.append(f"{total.said:,} ({100 * total.off / true:.1f} %)" if total and true else None)
        rows.append((kind, true, *numbers))
    return table(("kind of event", "truth", *half.counted), rows)


def _hidden(cells: Cells) -> str:
    rows = []
    for reason, words in HIDDEN.items():
        here = having(cells, hidden=reason)
        by_cause: Counter[str] = Counter()
        for cell, number in here.items():
            by_cause[cell.true_cause] += number
        silent = sum(number for cell, number in here.items() if cell.cause == NOTHING)
        right = sum(number for cell, number in here.items() if cell.cause == cell.true_cause)
        causes = ", ".join(f"{number} {cause}" for cause, number in by_cause.most_common())
        rows.append((words, by_cause.total(), causes, silent, right, by_cause.total() - silent - right))
    repeats = sum(number for cell, number in cells.items() if cell.true_cause in REPEATS)
    head = (f"why (of {repeats:,} repeats)", "cases", "causes", "nothing said", "right", "wrong")
    return table(head, rows)
