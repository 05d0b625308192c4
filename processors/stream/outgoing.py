"""Messages of findings: made of what a message of segments gave, and what they cover."""

from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from processors.stream.shard import ShardIntervals
from segwatch.memory import joined
from segwatch.messages.anomalies import Anomalies, write_anomalies
from segwatch.messages.findings import FindingsHeader
from segwatch.messages.intervals import Intervals, write_intervals
from segwatch.messages.positions import END_OF_MESSAGE, START, Coverage, Position
from segwatch.messages.verdicts import Verdicts, write_verdicts

MOST_ROWS = 2048
"""Rows of a message of findings at most."""
_SHARD_BITS, _SESSION_BITS = 32, 44
VERDICT_BITS = 10
"""Of the row of a verdict's position: its place among those that come from the same segment."""


class Kind(Enum):
    """Topics that findings go to."""

    ANOMALIES = "anomalies"
    INTERVALS = "intervals"
    VERDICTS = "verdicts"


class Outgoing(NamedTuple):
    """A message to send."""

    kind: Kind
    content: bytes
    rows: int
    coverage: Coverage


class _Part(NamedTuple):
    session: str
    sensor: str
    rows: npt.NDArray[np.int64]
    """(N,) rows of the positions, rising."""
    content: Any
    """What belongs to each of these rows."""


def _slices(rows: int) -> Iterator[slice]:
    return (slice(first, first + MOST_ROWS) for first in range(0, rows, MOST_ROWS))


def verdict_rows(sources: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return (V,) rows of the positions of verdicts, rising; ``sources``: the rows that they come from, in order."""
    places = np.arange(len(sources)) - np.searchsorted(sources, sources)
    return (sources << VERDICT_BITS) | places


class Chains:
    """The messages of findings of one partition: each begins where the one before ended."""

    def __init__(self, partition: int, rules: str) -> None:
        self._partition = partition
        self._rules = rules
        self.ends = dict.fromkeys(Kind, START)
        """Up to where the messages made so far cover everything."""

    def anomalies(self, offset: int, session: str, sensor: str, anomalies: Anomalies) -> Iterator[Outgoing]:
        """Yield the messages of the anomalies in the message at ``offset``."""
        parts = [_Part(session, sensor, anomalies.row[rows], rows) for rows in _slices(len(anomalies.row))]
        for header, part in self._headed(Kind.ANOMALIES, offset, parts):
            chosen = Anomalies(
                part.rows,
                type(anomalies.segments)(*(column[part.content] for column in anomalies.segments)),
                type(anomalies.findings)(*(column[part.content] for column in anomalies.findings)),
            )
            yield Outgoing(Kind.ANOMALIES, write_anomalies(chosen, header), len(part.rows), header.coverage)

    def intervals(self, offset: int, by_shard: list[tuple[int, list[ShardIntervals]]], own: str) -> Iterator[Outgoing]:
        """Yield the messages of the intervals that the message at ``offset`` closed; session ``own`` sent it."""
        parts = [
            _Part(
                part.session, part.sensor, part.rows[first : first + MOST_ROWS], part.content[first : first + MOST_ROWS]
            )
            for part in _by_session(by_shard, own)
            for first in range(0, len(part.rows), MOST_ROWS)
        ]
        for header, part in self._headed(Kind.INTERVALS, offset, parts):
            content = write_intervals(Intervals(part.rows, part.content), header)
            yield Outgoing(Kind.INTERVALS, content, len(part.rows), header.coverage)

    def verdicts(self, offset: int, session: str, sensor: str, verdicts: Verdicts) -> Iterator[Outgoing]:
        """Yield the messages of the verdicts that the message at ``offset`` gave."""
        parts = [
            _Part(session, sensor, verdicts.row[rows], verdicts.records[rows]) for rows in _slices(len(verdicts.row))
        ]
        for header, part in self._headed(Kind.VERDICTS, offset, parts):
            content = write_verdicts(Verdicts(part.rows, part.content), header)
            yield Outgoing(Kind.VERDICTS, content, len(part.rows), header.coverage)

    def _headed(self, kind: Kind, offset: int, parts: list[_Part]) -> Iterator[tuple[FindingsHeader, _Part]]:
        for number, part in enumerate(parts, 1):
            last_row = END_OF_MESSAGE if number == len(parts) else int(part.rows[-1])
            through = Position(offset, last_row)
            coverage = Coverage(self._partition, self.ends[kind], through)
            self.ends[kind] = through
            yield FindingsHeader(part.sensor, part.session, self._rules, coverage), part


def _by_session(by_shard: list[tuple[int, list[ShardIntervals]]], own: str) -> list[_Part]:
    """Return the intervals of each session, the sender's first; rows are rank of the session, shard, and place.

    Which sessions end with a message does not depend on the shards that take part, so neither do the ranks.
    """
    sessions = {found.session: found.sensor for _, closed in by_shard for found in closed}
    parts = []
    for rank, session in enumerate([own, *sorted(set(sessions) - {own})]):
        rows, records = [], []
        for shard, closed in by_shard:
            place = 0
            for found in closed:
                if found.session == session and len(found.records):
                    base = (rank << _SESSION_BITS) | (shard << _SHARD_BITS)
                    rows.append(base + place + np.arange(len(found.records), dtype=np.int64))
                    records.append(found.records)
                    place += len(found.records)
        if rows:
            parts.append(_Part(session, sessions[session], np.concatenate(rows), joined(records)))
    return parts
