"""Handling messages one by one, after seven rules that make a Faust worker lossless.

1. State lives in the engines; the table holds its checkpoints (``stream.partition``).
2. The position is our own: Faust delivers some messages again, leaves some out after a rebalance, and may begin a
   partition in the middle (``Partition.step``). What it left out at the end of a partition, no later message tells:
   so quiet partitions are looked after (``look_after_quiet``).
3. A checkpoint: findings acknowledged, values written and acknowledged, and only then the messages acknowledged, in
   order and without a gap (Faust skips a gap of one).
4. Findings are sent at once. After a crash some are sent again: each names its origin, so readers drop them.
5. No exception leaves the agent: Faust acknowledges a message whose agent raised. What cannot be read goes to the dead
   letters; any other error ends the process, and whoever supervises it starts it again.
6. Of Faust no ``take``, windowed or global tables, standby replicas or transactions: each has open defects.
7. Being alive means that offsets move (``positions``, ``segwatch.telemetry``).
"""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any, Final

import faust
from aiokafka.errors import IllegalStateError
from faust.exceptions import ConsumerNotStarted
from faust.types import TP, EventT, Message
from kafka import TopicPartition

from processors.engine import Scratch
from processors.stream.outgoing import Kind
from processors.stream.partition import Applied, Partition, Step
from processors.stream.settings import StreamSettings
from processors.worker import metrics
from processors.worker.pace import CheckpointPace
from processors.worker.work import PartitionWork
from segwatch.errors import BusError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.reading import first_offset
from segwatch.kafka.topics import ANOMALIES, CHANGELOG, DEAD_LETTERS, INTERVALS, SEGMENTS, VERDICTS
from segwatch.messages.dead_letters import DeadLetter
from segwatch.messages.errors import MessageError
from segwatch.steps import reached

SEEK_SECONDS: Final = 3.0
"""Between two requests for the same position: a seek takes effect after what was fetched before has passed."""
MOST_SEEKS: Final = 3
"""Seeks to the same position that bring nothing, before Kafka is asked apart from Faust what stands there."""
STEPS: Final = (
    "processor: before apply",
    "processor: after apply",
    "processor: after send",
    "processor: findings acknowledged",
    "processor: after table write",
    "processor: before ack",
    "processor: after ack",
)
"""Named steps of the cycle, in order."""
FINDINGS_TOPICS: Final = {Kind.ANOMALIES: ANOMALIES, Kind.INTERVALS: INTERVALS, Kind.VERDICTS: VERDICTS}

_log = logging.getLogger("segwatch.processor")


class StreamWorker:
    """Applies messages to the partitions that are assigned, and writes their checkpoints."""

    def __init__(
        self, app: faust.App, address: KafkaAddress, table: Any, settings: StreamSettings, shortest_pause: float
    ) -> None:
        self._app = app
        self._address = address
        self._table = table
        self._settings = settings
        self._shortest_pause = shortest_pause
        self._scratch = Scratch()
        self._works: dict[int, PartitionWork] = {}
        self._has_table = False
        """Whether the table has been read since partitions were assigned."""
        self._findings = {kind: app.topic(name, value_serializer="raw") for kind, name in FINDINGS_TOPICS.items()}
        self._changelog = app.topic(CHANGELOG, key_serializer="raw", value_serializer="raw")
        self._dead_letters = app.topic(DEAD_LETTERS, value_serializer="raw")

    def forget(self) -> None:
        """Forget all partitions: others have worked or will work on them (rule 2). Nothing is done until ``begin``."""
        self._works.clear()
        self._has_table = False
        metrics.forget_partitions()

    def begin(self) -> None:
        """Go on: the table says what the checkpoints of the assigned partitions are."""
        self._works.clear()
        self._has_table = True

    def positions(self) -> dict[TopicPartition, int | None]:
        """Return the next offset of each partition that is assigned, ``None`` before its first message; any thread."""
        works = dict(self._works)
        try:
            assigned = self._app.consumer.assignment()
        except ConsumerNotStarted:
            return {}
        numbers = [tp.partition for tp in assigned if tp.topic == SEGMENTS]
        return {
            TopicPartition(SEGMENTS, number): works[number].partition.next if number in works else None
            for number in numbers
        }

    async def handle(self, event: EventT[bytes]) -> None:
        """Do with a message what its partition's position says."""
        message = event.message
        if not self._has_table:
            return  # a message of before the rebalance: it comes again
        work = self._works.get(message.partition) or self._load(message.partition)
        async with work.lock:
            if not work.has_right_log:
                tp = TP(message.topic, message.partition)
                _check_end(work, tp, (await self._app.consumer.highwaters(tp))[tp])
            work.last_seen = time.monotonic()
            step = work.partition.step(message.offset)
            if step is Step.SEEK:
                step = await self._seek(work, message)
            metrics.MESSAGES.labels(step.value).inc()
            if step is Step.ACKNOWLEDGE:
                event.ack()
                work.has_acknowledged = True
            elif step is Step.APPLY:
                await self._apply(work, message)
                if work.pace.is_due(time.monotonic(), work.last_seen):
                    await self._checkpoint(message.partition, work)

    def _load(self, number: int) -> PartitionWork:
        partition = Partition(number, self._settings, self._scratch)
        partition.load(self._table.get)
        work = self._works[number] = PartitionWork(partition, CheckpointPace(time.monotonic(), self._shortest_pause))
        _log.info("Partition %d continues at offset %d", number, partition.next)
        return work

    async def _seek(self, work: PartitionWork, message: Message) -> Step:
        """Ask for the message that should have come; take the one at hand where the log begins with it."""
        now = time.monotonic()
        if now - work.last_seek < SEEK_SECONDS:
            return Step.SEEK
        work.last_seek = now
        tp = TP(message.topic, message.partition)
        wanted = work.partition.next
        begins = (await self._app.consumer.earliest_offsets(tp))[tp]
        if begins > wanted:
            self._pass_deleted(work, tp, begins)
            if work.partition.step(message.offset) is Step.APPLY:
                return Step.APPLY
        await self._ask_for(work, tp, work.partition.next)
        return work.partition.step(message.offset)

    @staticmethod
    def _pass_deleted(work: PartitionWork, tp: TP, begins: int) -> None:
        """Go on where the log begins, and tell what stood before and was not read."""
        wanted = work.partition.next
        if begins > wanted and not work.partition.is_fresh:
            metrics.LOST_MESSAGES.inc(begins - wanted)
            _log.error(
                "partition %d: Kafka deleted %d messages before they were read (offsets %d to %d): processors were "
                "away for longer than the topic keeps", tp.partition, begins - wanted, wanted, begins - 1,
            )  # fmt: skip
        work.partition.begin_at(begins)

    async def _ask_for(self, work: PartitionWork, tp: TP, offset: int) -> None:
        """Seek to an offset; where that is in vain see whether there is a message at all: transactions leave marks."""
        metrics.SEEKS.inc()
        work.seeks += 1
        if work.seeks > MOST_SEEKS and offset == work.partition.next:
            work.seeks = 0
            self._pass_deleted(work, tp, (await self._app.consumer.earliest_offsets(tp))[tp])
            place, offset = TopicPartition(tp.topic, tp.partition), work.partition.next
            offset = await asyncio.to_thread(first_offset, self._address, place, offset)
            work.partition.begin_at(offset)
        # ``consumer.seek`` would change from this thread what aiokafka is reading in another, and so break its fetcher.
        with suppress(IllegalStateError):  # taken away by a rebalance meanwhile: whoever has it now asks for itself
            await self._app.consumer.seek_wait({tp: offset})

    async def look_after_quiet(self) -> None:
        """Ask for what Faust left out at the end of a partition, and for durable messages that it did not commit.

        The second lets Kafka know how far the partition is read; nothing is applied twice.
        """
        if not self._has_table:
            return
        now = time.monotonic()
        quiet = {}
        for tp in self._app.consumer.assignment():
            if tp.topic == SEGMENTS:
                self._mend_acknowledged(tp)
                work = self._works.get(tp.partition) or self._load(tp.partition)
                if now - max(work.last_seen, work.last_seek) >= SEEK_SECONDS:
                    quiet[tp] = work
        if not quiet:
            return
        ends = await self._app.consumer.highwaters(*quiet)
        for tp, work in quiet.items():
            _check_end(work, tp, ends[tp])
            wanted = self._missing_offset(work, tp, ends[tp])
            if wanted is not None:
                work.last_seek = now
                await self._ask_for(work, tp, wanted)

    def _mend_acknowledged(self, tp: TP) -> None:
        """Let Faust commit all that is acknowledged.

        Offsets that it left out at first count as acknowledged there. Once they came and are acknowledged too, they are
        in its list twice, and from then on it would commit one at a time.
        """
        consumer: Any = self._app.consumer
        acknowledged: list[int] = consumer._acked[tp]  # noqa: SLF001  # there is no public way
        acknowledged[:] = sorted(set(acknowledged))

    def _missing_offset(self, work: PartitionWork, tp: TP, end: int) -> int | None:
        """Return the offset from which a quiet partition must be read again, if it must."""
        following = work.partition.next
        if end > following:
            return following
        if work.has_news or work.partition.durable < 0:
            return None
        # All is durable. Faust commits nothing behind a message that it left out, and does not tell otherwise.
        consumer: Any = self._app.consumer
        committed = consumer._committed_offset[tp]  # noqa: SLF001
        if committed is None:
            return None if work.has_acknowledged else following - 1
        return int(committed) if committed < following else None

    async def _apply(self, work: PartitionWork, message: Message) -> None:
        number, offset = message.partition, message.offset
        reached("processor: before apply")
        content = message.value or b""
        applied = work.partition.apply(offset, round(message.timestamp * 1000), content)
        reached("processor: after apply")
        if applied.refused is not None:
            await self._refuse(work, message, content, applied.refused)
        for outgoing in applied.outgoing:
            topic, headers = self._findings[outgoing.kind], [outgoing.coverage.as_header()]
            await work.sent(await topic.send(value=outgoing.content, partition=number, headers=headers, force=True))
            metrics.FINDINGS.labels(outgoing.kind.value).inc(outgoing.rows)
            reached("processor: after send")
        work.applied(message)
        work.seeks = 0
        self._count(number, work.partition, applied)

    async def _refuse(self, work: PartitionWork, message: Message, content: bytes, error: MessageError) -> None:
        letter = DeadLetter(
            error.reason.value, error.detail, message.topic, message.partition, message.offset, "processor"
        )
        metrics.DEAD_LETTERS.labels(error.reason.name.lower()).inc()
        value, headers = letter.as_record(content)
        delivery = await self._dead_letters.send(value=value, partition=0, headers=headers, force=True)
        await work.sent(delivery)
        _log.warning("partition %d, offset %d: not read: %s", message.partition, message.offset, error)

    @staticmethod
    def _count(number: int, partition: Partition, applied: Applied) -> None:
        metrics.SEGMENTS.inc(applied.segments)
        metrics.MISSING_BATCHES.inc(applied.missing)
        metrics.FORGOTTEN_CONVERSATIONS.inc(applied.forgotten)
        metrics.NEXT_OFFSET.labels(number).set(partition.next)
        if applied.repeated:
            metrics.MESSAGES.labels("repeated").inc()

    async def checkpoint_all(self, *, only_due: bool) -> None:
        """Write a checkpoint of every partition with news; with ``only_due`` where it is time."""
        for number, work in list(self._works.items()):
            async with work.lock:
                if work.has_news and (not only_due or work.pace.is_due(time.monotonic(), work.last_seen)):
                    await self._checkpoint(number, work)

    async def _checkpoint(self, number: int, work: PartitionWork) -> None:
        """Rule 3. While some shards are still catching up there is nothing to write."""
        if self._works.get(number) is not work:
            return
        began = time.monotonic()
        writes = work.partition.checkpoint()
        if not writes:
            return
        await work.all_acknowledged()
        reached("processor: findings acknowledged")
        deliveries = []
        for key, value in writes:
            deliveries.append(await self._changelog.send(key=key, value=value, partition=number, force=True))
            if value is None:
                self._table.data.pop(key, None)
            else:
                self._table.data[key] = value
            reached("processor: after table write")
        for delivery in deliveries:
            await delivery
        reached("processor: before ack")
        work.partition.is_durable()
        for message in work.take_applied():
            message.ack(self._app.consumer)
        work.has_acknowledged = True
        reached("processor: after ack")
        ended = time.monotonic()
        work.pace.written(began, ended, len(self._works))
        self._count_checkpoint(number, work.partition, sum(len(value or b"") for _, value in writes), ended - began)

    @staticmethod
    def _count_checkpoint(number: int, partition: Partition, size: int, seconds: float) -> None:
        metrics.CHECKPOINTS.inc()
        metrics.CHECKPOINT_BYTES.labels(number).set(size)
        metrics.CHECKPOINT_SECONDS.observe(seconds)
        metrics.CHECKPOINT_OFFSET.labels(number).set(partition.durable)
        metrics.CHECKPOINT_TIME.labels(number).set(time.time())
        metrics.CONVERSATIONS.labels(number).set(partition.conversations)
        _log.debug("partition %d: checkpoint at %d, %d bytes, %.3f s", number, partition.durable, size, seconds)


def _check_end(work: PartitionWork, tp: TP, end: int) -> None:
    """See that the log reaches as far as it was read. Raises ``BusError``: what comes would be taken for old."""
    if end < work.partition.next:
        raise BusError(
            f"{tp.topic}/{tp.partition} ends at offset {end}, and was read up to {work.partition.next} already: the "
            "topic was made anew or has lost messages; docs/reliability.md says how to begin anew with it."
        )
    work.has_right_log = True
