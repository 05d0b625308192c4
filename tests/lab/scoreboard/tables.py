"""Tables in Markdown."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

_THOUSAND: Final = 1000
_ALMOST: Final = 1e-9


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; None is an empty cell, shares have three places, and large numbers commas."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_text, line)) + " |" for line in lines) + "\n"


def met(is_met: bool | None) -> str:
    """Return whether a bar is met, in a word; empty where there is nothing to hold against it."""
    return {None: "", True: "met", False: "**missed**"}[is_met]


def share(value: float) -> str:
    """Return a share with three places, cut: it never looks better than it is."""
    return f"{math.floor(value * _THOUSAND + _ALMOST) / _THOUSAND:.3f}"


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return share(cell)
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
