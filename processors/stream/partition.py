"""One partition of the topic of segments: its position, its shards, its checkpoints.

Rules of the position (a stream processor may be given some messages again, others too early):

* at or below the durable checkpoint: acknowledge and skip;
* above it, but below ``next``: applied and not yet durable: skip;
* ``next`` itself: apply;
* above ``next``: do not touch; ask for ``next``.

A checkpoint is a value for every shard that changed, then one for the partition. The partition's value names the offset
of each shard's value: a shard whose value is that one did not change up to the partition's offset. Any other value
counts for its own offset. So whatever mixture of values is read back, each shard is what it was at its offset.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

import numpy as np

from processors.engine import Scratch
from processors.stream.checks import check_message
from processors.stream.codec import POSITION_KEY, CheckpointError, decode, encode
from processors.stream.gather import Gatherer, RowsByShard
from processors.stream.outgoing import Chains, Kind, Outgoing, verdict_rows
from processors.stream.pieces import Pieces, Write
from processors.stream.settings import StreamSettings
from processors.stream.shard import Shard, ShardIntervals, stream_numbers
from segwatch.memory import joined
from segwatch.messages.anomalies import Anomalies
from segwatch.messages.errors import MessageError
from segwatch.messages.partitioning import conversation_hashes
from segwatch.messages.positions import Position
from segwatch.messages.segments import SegmentsHeader, read_segments
from segwatch.messages.verdicts import Verdicts
from segwatch.records.findings import FindingColumns, empty_findings, take_findings
from segwatch.records.segments import take_segments


class Step(Enum):
    """What to do with a message."""

    ACKNOWLEDGE = "acknowledge"
    SKIP = "skip"
    APPLY = "apply"
    SEEK = "seek"


class Applied(NamedTuple):
    """What a message gave."""

    outgoing: list[Outgoing]
    segments: int
    refused: MessageError | None = None
    """Why the message could not be read: it belongs to the dead letters."""
    repeated: bool = False
    """Whether a sensor sent the message twice."""
    missing: int = 0
    """Messages that the sensor sent before this one and that did not come: it had to give them up."""
    forgotten: int = 0
    """Conversations that were forgotten because there were too many."""


class Partition:
    """Applies the messages of one partition."""

    def __init__(self, number: int, settings: StreamSettings, scratch: Scratch) -> None:
        self._number = number
        self._settings = settings
        self._shards = [Shard(number, shard, settings, scratch) for shard in range(settings.shards)]
        self._gatherer = Gatherer(settings.shards)
        self._findings = empty_findings(0)
        self._chains = Chains(number, settings.rules)
        self._pieces = Pieces()
        self.durable = -1
        """Offset that the last durable checkpoint covers."""
        self.is_fresh = True
        """Whether no checkpoint was ever read or made: then the log may begin anywhere."""

    @property
    def next(self) -> int:
        """Offset of the next message to apply."""
        return 1 + min(shard.applied for shard in self._shards)

    @property
    def conversations(self) -> int:
        """Conversations in memory."""
        return sum(shard.conversations for shard in self._shards)

    def step(self, offset: int) -> Step:
        """Return what to do with the message at ``offset``."""
        if offset <= self.durable:
            return Step.ACKNOWLEDGE
        if offset < self.next:
            return Step.SKIP
        return Step.APPLY if offset == self.next else Step.SEEK

    def begin_at(self, offset: int) -> None:
        """Accept that the log begins at ``offset``: what stood before is gone."""
        for shard in self._shards:
            shard.applied = max(shard.applied, offset - 1)

    def apply(self, offset: int, timestamp: int, content: bytes) -> Applied:
        """Analyse the message at ``offset`` (it must be ``next``); ``timestamp`` is Kafka's, in milliseconds."""
        behind = [shard for shard in self._shards if shard.applied < offset]
        try:
            header, segments = read_segments(content)
            hashes = conversation_hashes(segments)
            check_message(self._number, self._settings, header, segments, hashes, timestamp)
        except MessageError as error:
            return self._passed_over(behind, offset, Applied([], 0, refused=error))
        if behind[0].is_repetition(header):
            return self._passed_over(behind, offset, Applied([], 0, repeated=True))
        known = behind[0].sessions.get(header.session)
        missing = header.batch - known.batch - 1 if known else 0
        rows = self._gatherer.sort(segments, hashes)
        findings = self._cleared_findings(len(segments.ts))
        closed = []
        for shard in behind:
            part = slice(*rows.starts[shard.number : shard.number + 2].tolist())
            mine = take_segments(rows.segments, part), take_findings(findings, part)
            closed.append((shard.number, shard.apply(offset, timestamp, header, *mine)))
        outgoing = self._outgoing(offset, header, rows, findings, closed)
        outgoing += self._judged(offset, header, rows, behind)
        forgotten = sum(shard.forgotten for shard in behind)
        return Applied(outgoing, len(segments.ts), missing=missing, forgotten=forgotten)

    def _passed_over(self, behind: list[Shard], offset: int, applied: Applied) -> Applied:
        for shard in behind:
            shard.skip(offset)
        return applied

    def _cleared_findings(self, rows: int) -> FindingColumns:
        """Return memory for findings in which no row says anything: shards that do not take part leave it so."""
        if rows > len(self._findings.labels):
            self._findings = empty_findings(2 * rows)
        findings = take_findings(self._findings, slice(0, rows))
        findings.labels[:] = 0
        findings.reset[:] = 0
        return findings

    def _outgoing(
        self,
        offset: int,
        header: SegmentsHeader,
        rows: RowsByShard,
        findings: FindingColumns,
        closed: list[tuple[int, list[ShardIntervals]]],
    ) -> list[Outgoing]:
        found = np.flatnonzero(findings.labels | findings.reset)
        found = found[np.argsort(rows.order[found])]
        messages: list[Outgoing] = []
        if len(found):
            chosen = take_findings(findings, found)
            shards = np.searchsorted(rows.starts, found, "right") - 1
            chosen.stream[:] = stream_numbers(chosen.stream, self._number, shards, self._settings)
            anomalies = Anomalies(rows.order[found], take_segments(rows.segments, found), chosen)
            messages += self._chains.anomalies(offset, header.session, header.sensor, anomalies)
        if any(part for _, part in closed):
            messages += self._chains.intervals(offset, closed, header.session)
        return messages

    def _judged(self, offset: int, header: SegmentsHeader, rows: RowsByShard, behind: list[Shard]) -> list[Outgoing]:
        """Return the messages of the verdicts that shards gave, in the order of the segments that they come from."""
        found = [(shard.number, shard.judged) for shard in behind if shard.judged is not None]
        if not found:
            return []
        sources = np.concatenate([rows.order[rows.starts[number] + judged.sources] for number, judged in found])
        records = joined([judged.records for _, judged in found])
        shards = np.repeat([number for number, _ in found], [len(judged.records) for _, judged in found])
        records["stream"] = stream_numbers(records["stream"], self._number, shards, self._settings)
        order = np.argsort(sources, kind="stable")
        verdicts = Verdicts(verdict_rows(sources[order]), records[order])
        return list(self._chains.verdicts(offset, header.session, header.sensor, verdicts))

    def _key(self, name: int | str) -> bytes:
        return f"{self._number}/{name}".encode()

    def checkpoint(self) -> list[Write]:
        """Return what to write, in this order; ``is_durable`` must follow once that is done.

        All that was sent before must be acknowledged before they are written. Nothing is returned while some shards
        are behind others.
        """
        if len({shard.applied for shard in self._shards}) > 1 or self._shards[0].applied <= self.durable:
            return []
        changed = (shard for shard in self._shards if shard.changed)
        writes = [one for shard in changed for one in self._pieces.write(self._key(shard.number), shard.write())]
        about = {
            "partitions": self._settings.partitions,
            "shards": [shard.stored for shard in self._shards],
            "ends": {kind.value: list(end) for kind, end in self._chains.ends.items()},
            "table": self._shards[0].time_table(),
        }
        return [*writes, *self._pieces.write(self._key(POSITION_KEY), encode(about, []))]

    def is_durable(self) -> None:
        """Take the last checkpoint for written."""
        self.durable = self._shards[0].applied
        self.is_fresh = False

    def load(self, read: Callable[[bytes], bytes | None]) -> None:
        """Become what the checkpoints say; ``read`` returns the value of a key. Raises ``CheckpointError``."""
        for shard in self._shards:
            value = self._pieces.read(self._key(shard.number), read)
            if value is not None:
                shard.read(value)
                self.is_fresh = False
        value = self._pieces.read(self._key(POSITION_KEY), read)
        if value is not None:
            about, _ = decode(value)
            self._check_settings(about)
            self._chains.ends = {kind: Position(*about["ends"][kind.value]) for kind in Kind}
            table = about["table"]
            for shard, stored in zip(self._shards, about["shards"], strict=True):
                if shard.stored == stored and shard.applied < table["applied"]:
                    shard.move_to(table)
            self.is_fresh = False
        self.durable = self.next - 1

    def _check_settings(self, about: dict[str, Any]) -> None:
        stored = about["partitions"], len(about["shards"])
        if stored != (self._settings.partitions, self._settings.shards):
            raise CheckpointError(
                f"The checkpoints are of {stored[0]} partitions with {stored[1]} shards each, and this processor is "
                f"set to {self._settings.partitions} with {self._settings.shards}; docs/reliability.md says how to "
                "change over."
            )
