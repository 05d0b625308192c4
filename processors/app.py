"""The Faust app: one agent on the topic of segments, one table of checkpoints.

``segwatch processor`` runs it, and so does ``faust -A processors.app worker``, with the same settings.
"""

import os
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple, cast

import faust
from aiokafka.errors import KafkaError
from faust import Stream
from faust.exceptions import ProducerSendError
from faust.types import EventT, StreamT

from processors.stream.settings import StreamSettings, configured_timeouts
from processors.worker.pace import SHORTEST_SECONDS
from processors.worker.tables import Tables
from processors.worker.worker import StreamWorker
from segwatch.defects import EXIT_DEFECT, defect_sentence
from segwatch.errors import BusError, KafkaUnavailableError, SegwatchError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import check_group, check_topics
from segwatch.kafka.connection import faust_options
from segwatch.kafka.location import kafka_address
from segwatch.kafka.topics import CHANGELOG, CHECKPOINTS, DEAD_LETTERS, FINDINGS, PROCESSOR_APP, SEGMENTS
from segwatch.settings import settings

_IDLE_SECONDS: Final = 1.0
_BUFFERED_MESSAGES: Final = 64
"""Messages that wait in Faust, of four megabytes each at most. When it has more than four fifths of them it looks for
others only a second later, and these must not be used up by then."""
_POLLED_MESSAGES: Final = 16
"""Messages that one request of aiokafka gives."""
SESSION_SECONDS = 20.0
"""Silence after which the group regards a worker as dead."""
_HEARTBEATS_A_SESSION: Final = 6
STOP_SECONDS: Final = 20.0
"""How long the end may take: while Kafka is away, Faust would wait for minutes."""


class Processor(NamedTuple):
    """The app, and what works in it."""

    app: faust.App
    worker: StreamWorker


def configured(shortest_pause: float = SHORTEST_SECONDS) -> Processor:
    """Return the app as the settings say. Raises ``BusError`` where Kafka or its topics are not as they must be."""
    address = kafka_address()
    partitions = check_topics(address, reads=(SEGMENTS, CHANGELOG), writes=(*FINDINGS, DEAD_LETTERS, CHANGELOG))
    check_group(address, PROCESSOR_APP)
    stream = StreamSettings(
        partitions=partitions,
        rules=settings().rules,
        timeouts=configured_timeouts(),
        most_conversations=settings().most_conversations,
    )
    return make_processor(address, stream, shortest_pause)


def __getattr__(name: str) -> faust.App:
    """Make ``app`` when it is asked for, which is how Faust's own program finds it."""
    if name == "app":
        return configured().app
    raise AttributeError(name)


def make_processor(address: KafkaAddress, stream: StreamSettings, shortest_pause: float) -> Processor:
    """Return the app for topics that are as they must be; ``shortest_pause``: seconds between checkpoints."""
    app = faust.App(
        PROCESSOR_APP,
        store="memory://",
        datadir=settings().data_dir / "processor",
        web_enabled=False,
        topic_disable_leader=True,
        stream_buffer_maxsize=_BUFFERED_MESSAGES,
        broker_max_poll_records=_POLLED_MESSAGES,
        broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=SESSION_SECONDS / _HEARTBEATS_A_SESSION,
        stream_wait_empty=False,
        autodiscover=False,
        TableManager=Tables,
        **faust_options(address),
    )
    segments = app.topic(SEGMENTS, key_serializer="raw", value_serializer="raw", value_type=bytes)
    table = app.Table(CHECKPOINTS, key_type=bytes, value_type=bytes, partitions=stream.partitions)
    worker = StreamWorker(app, address, table, stream, shortest_pause)
    _connect(app, worker, segments)
    return Processor(app, worker)


def _connect(app: faust.App, worker: StreamWorker, segments: Any) -> None:
    async def process(stream: StreamT[bytes]) -> None:
        async for event in cast("Stream[bytes]", stream).noack().events():
            await _or_end(worker.handle, event)

    async def look_after(_: Any) -> None:
        await _or_end(lambda _: worker.checkpoint_all(only_due=True), None)
        await _or_end(lambda _: _unless_away(worker.look_after_quiet), None)

    app.agent(segments, concurrency=1, name="segments")(process)
    app.timer(_IDLE_SECONDS)(look_after)

    async def assigned(*_: Any, **__: Any) -> None:
        worker.forget()

    async def recovered(*_: Any, **__: Any) -> None:
        if not _has_changed_again(app):
            worker.begin()

    async def stopping(*_: Any, **__: Any) -> None:
        deadline = threading.Timer(
            STOP_SECONDS,
            lambda: _end(
                "Stopped while Kafka does not answer; what is not checkpointed will be done again.", BusError.exit_code
            ),
        )
        deadline.daemon = True
        deadline.start()
        await _or_end(lambda _: worker.checkpoint_all(only_due=False), None)

    app.on_partitions_assigned.connect(assigned, weak=False)
    app.on_rebalance_complete.connect(recovered, weak=False)
    app.on_before_shutdown.connect(stopping, weak=False)


def _has_changed_again(app: faust.App) -> bool:
    """Say whether the group changed while the table was read: Faust calls it complete then, and reads it once more."""
    tables: Any = app.tables
    read_for: int = tables.recovery._generation_id  # noqa: SLF001  # there is no public way
    return bool(tables.recovery.signal_recovery_start.is_set()) or read_for != app.consumer_generation_id


async def _unless_away(look: Callable[[], Awaitable[None]]) -> None:
    """Look after something, unless Kafka is away: then there is nobody to ask."""
    with suppress(KafkaError, KafkaUnavailableError, TimeoutError):
        await look()


async def _or_end(handle: Callable[[Any], Any], event: EventT[bytes] | None) -> None:
    """Do it, or end this process at once: after an error nothing may be acknowledged any more (rule 5)."""
    try:
        await handle(event)
    except SegwatchError as error:
        _end(str(error), error.exit_code)
    except (KafkaError, ProducerSendError) as error:
        _end(f"Kafka failed ({error!r}); what is not checkpointed will be done again.", BusError.exit_code)
    except Exception as error:
        _end(defect_sentence(error), EXIT_DEFECT)


def _end(sentence: str, code: int) -> None:
    sys.stderr.write(f"segwatch: {sentence}\n")
    sys.stderr.flush()
    os._exit(code)
