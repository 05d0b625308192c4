"""Segments with the same label that are told of in one sentence."""

from typing import Final, NamedTuple

import numpy as np

from segwatch.explain.ledger import Ledger
from segwatch.vocabulary import Label

MOST_GROUPS: Final = 40
"""A story with more parts than these is told by label instead of by time."""


class Group(NamedTuple):
    """Segments of one side with one label, in order."""

    label: Label
    side: int
    rows: list[int]
    is_scattered: bool = False
    """Whether other things happened between these segments."""


def groups(ledger: Ledger) -> list[Group]:
    """Return all labelled segments, each under each of its labels once, in the order in which they begin.

    Neighbours of a kind are together; where that makes too many groups, all of a kind are.
    """
    found = _neighbours(ledger)
    return found if len(found) <= MOST_GROUPS else _kinds(ledger)


def _neighbours(ledger: Ledger) -> list[Group]:
    found: list[Group] = []
    before: tuple[int, Label] | None = None
    at_hand: dict[Label, Group] = {}
    for row in np.flatnonzero(ledger.findings.labels).tolist():
        kind = int(ledger.side[row]), Label(int(ledger.findings.labels[row]))
        if kind != before:
            at_hand = {label: Group(label, kind[0], []) for label in kind[1]}
            found.extend(at_hand.values())
            before = kind
        if len(found) > MOST_GROUPS:
            break
        for group in at_hand.values():
            group.rows.append(row)
    return found


def _kinds(ledger: Ledger) -> list[Group]:
    found = []
    for label in Label:
        for side in (0, 1):
            rows = np.flatnonzero(ledger.labelled(label) & ledger.rows(side)).tolist()
            if rows:
                found.append(Group(label, side, rows, is_scattered=True))
    return sorted(found, key=lambda group: group.rows[0])
