"""A batch: messages a to b of one partition, inserted as one block under one token."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from segwatch.memory import joined_columns
from segwatch.messages.dead_letters import DeadLetter
from segwatch.messages.positions import Coverage
from sinks.consumer.intake import Mark, Verdict, first_new_row, verdict
from sinks.consumer.intent import Intent, Progress
from sinks.consumer.kinds import Columns, Content
from sinks.encoding import Coded
from sinks.writer import Origin

_LAST_SECOND = 2**32 - 1


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        """Return the text that stands in tokens and in the log."""
        return f"{self.topic}/{self.partition}"


class Message(NamedTuple):
    """A message as it stands in Kafka."""

    offset: int
    timestamp: int
    """Kafka's own time, milliseconds since the epoch."""
    value: bytes
    coverage: Coverage | None = None
    """What the Kafka headers of findings say that it covers."""


class Refused(NamedTuple):
    """A message that could not be read."""

    letter: DeadLetter
    value: bytes


@dataclass
class Batch:
    """What was taken of messages ``first`` to ``last``; all of it follows from the messages and ``before``."""

    place: Place
    first: int
    before: Mark
    """The mark before the first message."""
    began: int
    """Kafka's time of the first message, milliseconds since the epoch."""
    last: int = -1
    mark: Mark = None
    """The mark after the last message."""
    rows: int = 0
    bytes: int = 0
    """Size of the messages."""
    doubles: int = 0
    """Rows that were taken before."""
    gaps: int = 0
    """Messages that follow a missing one."""
    refused: list[Refused] = field(default_factory=list)
    refused_bytes: int = 0
    """Size of their messages."""
    _parts: list[tuple[str, str, Columns]] = field(default_factory=list)

    @property
    def token(self) -> str:
        """Deduplication token of the block.

        The time tells it from the same offsets of a topic that was deleted and made anew.
        """
        return f"{self.place}/{self.first}-{self.last}/{self.began}"

    @property
    def intended(self) -> Progress:
        """What is committed with offset ``first`` before the rows are inserted."""
        return Progress(self.before, Intent(self.last, self.began))

    @property
    def done(self) -> Progress:
        """What is committed with offset ``last + 1`` after the rows were inserted."""
        return Progress(self.mark)

    def add(self, message: Message, content: Content) -> None:
        """Take what is new in the next message."""
        self._pass(message)
        first = 0
        if content.coverage is not None and content.row is not None:
            found = verdict(self.mark, content.coverage)
            if found is Verdict.GAP:
                self.gaps += 1
                return
            first = first_new_row(self.mark, content.coverage.through.offset, content.row)
            self.doubles += first
            if found is Verdict.DOUBLE:
                return
            self.mark = content.coverage.through
        if first < content.rows:
            self._parts.append((content.sensor, content.session, [column[first:] for column in content.columns]))
            self.rows += content.rows - first

    def refuse(self, message: Message, letter: DeadLetter) -> None:
        """Put the next message, which cannot be read, to those for the dead letters."""
        self._pass(message)
        self.refused.append(Refused(letter, message.value))
        self.refused_bytes += len(message.value)
        coverage = message.coverage
        if coverage and coverage.partition == self.place.partition and verdict(self.mark, coverage) is Verdict.TAKE:
            # A processor sent it, and what is in it is in the dead letters now: what follows must not wait for it.
            self.mark = coverage.through

    def columns(self) -> Columns:
        """Return the rows of all messages."""
        return joined_columns([part[2] for part in self._parts])

    def origin(self) -> Origin:
        """Return where the rows come from."""
        rows = np.array([len(columns[0]) for _, _, columns in self._parts])
        sensors = _for_rows([sensor for sensor, _, _ in self._parts], rows)
        sessions = _for_rows([session for _, session, _ in self._parts], rows)
        return Origin(sensors, sessions, self._stored())

    def _pass(self, message: Message) -> None:
        self.last = message.offset
        self.bytes += len(message.value)

    def _stored(self) -> date:
        return datetime.fromtimestamp(min(max(self.began // 1000, 0), _LAST_SECOND), UTC).date()


def _for_rows(names: list[str], rows: npt.NDArray[np.int64]) -> str | Coded:
    """Return the column of one name a part, for ``rows`` rows of each."""
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    if len(places) == 1:
        return names[0]
    return Coded(tuple(places), np.repeat([places[name] for name in names], rows))
