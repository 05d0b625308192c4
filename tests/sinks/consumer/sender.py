"""What a processor sends of its findings while it dies now and then and its sends fail."""

import random
from collections.abc import Iterator
from typing import NamedTuple

from segwatch.messages.positions import END_OF_MESSAGE, START, Position


class Sent(NamedTuple):
    """A message of findings."""

    after: Position
    through: Position
    rows: range
    """Rows of the source message ``through.offset``."""


def unsteadily(chance: random.Random, messages: int, rows: int) -> Iterator[Sent | None]:
    """Yield all findings of ``messages`` source messages with ``rows`` each, as they reach the log; ``None`` is poison.

    After a send that failed, a few messages more may reach the log; then it begins again, at a place before.
    """
    acknowledged = START
    while acknowledged < Position(messages - 1, END_OF_MESSAGE):
        whole = acknowledged.offset if acknowledged.row == END_OF_MESSAGE else acknowledged.offset - 1
        after = Position(chance.randint(-1, whole), END_OF_MESSAGE)
        failed_for = -1
        for sent in _steadily(chance, after, messages, rows):
            if failed_for == 0:
                break
            if failed_for < 0 and chance.random() < 0.1:
                failed_for = chance.randrange(3)
                continue
            if chance.random() < 0.1:
                yield None
            yield sent
            if failed_for < 0:
                acknowledged = max(acknowledged, sent.through)
            else:
                failed_for -= 1


def _steadily(chance: random.Random, after: Position, messages: int, rows: int) -> Iterator[Sent]:
    """Yield the findings behind a place, cut anyhow."""
    for offset in range(after.offset + 1, messages):
        first = 0
        if chance.random() < 0.5:
            first = chance.randrange(rows) + 1
            middle = Position(offset, first - 1)
            yield Sent(after, middle, range(first))
            after = middle
        through = Position(offset, END_OF_MESSAGE)
        yield Sent(after, through, range(first, rows))
        after = through
