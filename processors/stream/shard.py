"""A shard: a part of a partition's conversations, with everything that influences what is found of them.

Each shard knows how far it was applied, and the capture sessions as they were then. So shards whose checkpoints are of
different age can be brought up to date by the same messages, each from where it is.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from processors.engine import Engine, Scratch
from processors.intervals import minute_of
from processors.stream.codec import Arrays, decode, encode
from processors.stream.settings import StreamSettings
from processors.verdicts.engine import Verdicts
from segwatch.memory import copied, joined
from segwatch.messages.segments import SegmentsHeader
from segwatch.records.findings import FindingColumns
from segwatch.records.intervals import INTERVAL
from segwatch.records.segments import SegmentColumns

_MILLISECONDS_A_MINUTE = 60_000
_STREAM_NUMBERS = 1 << 31

_FREED_SHARE = 4
"""Of the limit of conversations this part is free after some were forgotten, so that this is rare."""


@dataclass
class Session:
    """A capture session as a shard knows it."""

    sensor: str
    clock: int
    """Nanoseconds since the epoch: nothing captured before will come any more."""
    batch: int
    """Number of its last message."""
    seen: int
    """Kafka's time of its last message, milliseconds since the epoch."""


class ShardIntervals(NamedTuple):
    """Intervals of one session that a message closed in one shard."""

    session: str
    sensor: str
    records: npt.NDArray[Any]
    """(N,) of ``INTERVAL``."""


class ShardVerdicts(NamedTuple):
    """V verdicts that a message gave in one shard."""

    records: npt.NDArray[Any]
    """(V,) of ``VERDICT``; their streams have the numbers that they have within the shard."""
    sources: npt.NDArray[np.int32]
    """(V,) the row, among those of the shard, of the segment that each comes from: they never fall."""


def stream_numbers(
    streams: npt.NDArray[np.int32], partition: int, shards: Any, settings: StreamSettings
) -> npt.NDArray[np.int32]:
    """Return (N,) numbers of conversations that no two shards share, so that sums over a session count each once.

    ``streams``: numbers within a shard, -1 for none; ``shards``: the shard of all, or (N,) of each.
    """
    unique = streams.astype(np.int64) * (settings.partitions * settings.shards) + partition * settings.shards + shards
    return np.where(streams < 0, streams, unique % _STREAM_NUMBERS).astype(np.int32)


class Shard:
    """Applies messages, in the order of their offsets."""

    def __init__(self, partition: int, number: int, settings: StreamSettings, scratch: Scratch) -> None:
        self._settings = settings
        self._scratch = scratch
        self.number = number
        self._partition = partition
        self.applied = -1
        """Offset of the last message that was applied."""
        self.stored = -1
        """Offset that the shard's checkpoint has; older than ``applied`` where nothing changed since."""
        self.changed = False
        self.forgotten = 0
        """Conversations that went on, perhaps, and were forgotten for the last message: there were too many."""
        self.judged: ShardVerdicts | None = None
        """Verdicts that the last message gave."""
        self.sessions: dict[str, Session] = {}
        self._engines: dict[str, Engine] = {}
        self._checked = 0

    @property
    def conversations(self) -> int:
        """Conversations in memory."""
        return sum(engine.remembered for engine in self._engines.values())

    def apply(
        self, offset: int, timestamp: int, header: SegmentsHeader, segments: SegmentColumns, findings: FindingColumns
    ) -> list[ShardIntervals]:
        """Analyse the shard's rows of the message at ``offset``, and let time pass; ``findings`` get what is found.

        ``timestamp`` is Kafka's, in milliseconds. Returns closed intervals, those of the message's own session first.
        The message must not be a repetition (``is_repetition``).
        """
        self.applied = offset
        self.forgotten = 0
        self.judged = None
        session = self.sessions.setdefault(header.session, Session(header.sensor, header.watermark, -1, timestamp))
        before, session.clock = session.clock, max(session.clock, header.watermark)
        session.batch, session.seen = header.batch, timestamp
        closed = [self._analyse(header.session, segments, findings)] if len(segments.ts) else []
        if header.last:
            closed += self._finish(header.session)
        elif minute_of(session.clock) != minute_of(before):
            closed += self._advance(header.session, session.clock)
        closed += self._limit(header.session)
        found = [ShardIntervals(header.session, header.sensor, _joined(closed))] if closed else []
        return found + self._finish_silent(timestamp)

    def is_repetition(self, header: SegmentsHeader) -> bool:
        """Whether the message, or a later one of its session, was applied before: a sensor sent it twice."""
        session = self.sessions.get(header.session)
        return session is not None and header.batch <= session.batch

    def skip(self, offset: int) -> None:
        """Pass over a message that says nothing new."""
        self.applied = offset

    def _analyse(self, session: str, segments: SegmentColumns, findings: FindingColumns) -> npt.NDArray[Any]:
        engine = self._engines.get(session)
        if engine is None:
            engine = self._engines[session] = self._new_engine()
        self.changed = True
        closed = self._numbered(engine.analyze(segments, findings))
        if len(engine.judged.rows):
            self.judged = ShardVerdicts(copied(engine.judged.rows), engine.judged.sources.copy())
        return closed

    def _new_engine(self) -> Engine:
        verdicts = Verdicts(self._scratch.judged)
        return Engine(self._settings.rules, self._settings.timeouts, self._scratch, verdicts)

    def _advance(self, session: str, clock: int) -> Iterator[npt.NDArray[Any]]:
        engine = self._engines.get(session)
        if engine is None:
            return
        closed, removed = engine.advance(clock)
        self.changed = self.changed or len(closed) > 0 or removed > 0
        yield self._numbered(closed)

    def _limit(self, session: str) -> Iterator[npt.NDArray[Any]]:
        """Keep to the limit of conversations, at the expense of the session whose message passed it."""
        most = self._settings.most_conversations // self._settings.shards
        engine, conversations = self._engines.get(session), self.conversations
        if engine is None or conversations <= most:
            return
        excess = conversations - most + most // _FREED_SHARE
        closed, self.forgotten = engine.forget(max(engine.remembered - excess, 1))
        self.changed = True
        yield self._numbered(closed)

    def _finish(self, session: str) -> Iterator[npt.NDArray[Any]]:
        engine = self._engines.pop(session, None)
        if engine is not None:
            self.changed = True
            for closed in engine.finish_in_blocks():
                yield self._numbered(closed)

    def _finish_silent(self, timestamp: int) -> list[ShardIntervals]:
        """End the sessions that have been silent for too long by Kafka's time, in a fixed order."""
        minute = timestamp // _MILLISECONDS_A_MINUTE
        if minute == self._checked:
            return []
        self._checked = minute
        limit = timestamp - 1000 * self._settings.session_timeout
        found = []
        for name in sorted(name for name, session in self.sessions.items() if session.seen < limit):
            records = _joined(list(self._finish(name)))
            found.append(ShardIntervals(name, self.sessions.pop(name).sensor, records))
        return found

    def _numbered(self, records: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a copy of intervals whose streams have numbers that no two shards share."""
        copy = copied(records)
        if len(copy):
            copy["stream"] = stream_numbers(copy["stream"], self._partition, self.number, self._settings)
        return copy

    def write(self) -> bytes:
        """Return the shard's checkpoint, and regard it as stored."""
        engines = list(self._engines)
        states = [self._engines[name].state() for name in engines]
        about = {
            "applied": self.applied,
            "checked": self._checked,
            "engines": engines,
            "sessions": {name: asdict(session) for name, session in self.sessions.items()},
        }
        self.stored, self.changed = self.applied, False
        return encode(about, states)

    def read(self, value: bytes) -> None:
        """Become what a checkpoint says. Raises ``CheckpointError``."""
        about, states = decode(value)
        self.applied = self.stored = about["applied"]
        self._checked = about["checked"]
        self.sessions = {name: Session(**session) for name, session in about["sessions"].items()}
        self._engines = {name: self._restored(state) for name, state in zip(about["engines"], states, strict=True)}

    def _restored(self, state: Arrays) -> Engine:
        engine = self._new_engine()
        engine.restore(state)
        return engine

    def time_table(self) -> dict[str, Any]:
        """Return what is true of all shards that were applied equally far, as JSON can say it."""
        return {
            "applied": self.applied,
            "checked": self._checked,
            "sessions": {name: asdict(session) for name, session in self.sessions.items()},
        }

    def move_to(self, table: dict[str, Any]) -> None:
        """Become as ``time_table`` of another shard was: between its offset and that of this shard nothing changed."""
        self.applied, self._checked = table["applied"], table["checked"]
        self.sessions = {name: Session(**session) for name, session in table["sessions"].items()}


def _joined(blocks: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    some = [block for block in blocks if len(block)]
    if len(some) > 1:
        return joined(some)
    return some[0] if some else np.zeros(0, INTERVAL)
