"""The Faust app: one agent on the topic of segments, one table of checkpoints.

``segwatch processor`` runs it, and so does ``faust -A processors.app worker``, with the same settings.
"""

import os
import sys
from collections.abc import Callable
from typing import Any, Final, cast

import faust
from faust import Stream
from faust.types import EventT, StreamT

from processors.engine import Timeouts
from processors.stream.settings import StreamSettings
from processors.worker.pace import SHORTEST_SECONDS
from processors.worker.worker import StreamWorker
from segwatch.defects import EXIT_DEFECT, defect_sentence
from segwatch.errors import SegwatchError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import check_topics
from segwatch.kafka.connection import faust_options, kafka_address
from segwatch.kafka.topics import ANOMALIES, CHANGELOG, CHECKPOINTS, DEAD_LETTERS, INTERVALS, PROCESSOR_APP, SEGMENTS
from segwatch.settings import settings

_NANOSECONDS: Final = 1_000_000_000
_IDLE_SECONDS: Final = 1.0
_BUFFERED_MESSAGES: Final = 32
"""Messages that wait in Faust, and that one request of aiokafka gives: they are large."""
SESSION_SECONDS = 20.0
"""Silence after which the group regards a worker as dead."""
_HEARTBEATS_A_SESSION: Final = 6


def configured_app(shortest_pause: float = SHORTEST_SECONDS) -> faust.App:
    """Return the app as the settings say. Raises ``BusError`` where Kafka or its topics are not as they must be."""
    address = kafka_address()
    partitions = check_topics(
        address, reads=(SEGMENTS, CHANGELOG), writes=(ANOMALIES, INTERVALS, DEAD_LETTERS, CHANGELOG)
    )
    idle, closed = (_NANOSECONDS * seconds for seconds in (settings().idle_timeout, settings().closed_timeout))
    stream = StreamSettings(partitions=partitions, rules=settings().rules, timeouts=Timeouts(idle=idle, closed=closed))
    return make_app(address, stream, shortest_pause)


def __getattr__(name: str) -> faust.App:
    """Make ``app`` when it is asked for, which is how Faust's own program finds it."""
    if name == "app":
        return configured_app()
    raise AttributeError(name)


def make_app(address: KafkaAddress, stream: StreamSettings, shortest_pause: float) -> faust.App:
    """Return the app for topics that are as they must be; ``shortest_pause``: seconds between checkpoints."""
    app = faust.App(
        PROCESSOR_APP,
        store="memory://",
        datadir=settings().data_dir / "processor",
        web_enabled=False,
        topic_disable_leader=True,
        stream_buffer_maxsize=_BUFFERED_MESSAGES,
        broker_max_poll_records=_BUFFERED_MESSAGES,
        broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=SESSION_SECONDS / _HEARTBEATS_A_SESSION,
        stream_wait_empty=False,
        autodiscover=False,
        **faust_options(address),
    )
    segments = app.topic(SEGMENTS, key_serializer="raw", value_serializer="raw", value_type=bytes)
    table = app.Table(CHECKPOINTS, key_type=bytes, value_type=bytes, partitions=stream.partitions)
    worker = StreamWorker(app, table, stream, shortest_pause)
    _connect(app, worker, segments)
    return app


def _connect(app: faust.App, worker: StreamWorker, segments: Any) -> None:
    async def process(stream: StreamT[bytes]) -> None:
        async for event in cast("Stream[bytes]", stream).noack().events():
            await _or_end(worker.handle, event)

    async def write_idle(_: Any) -> None:
        await _or_end(lambda _: worker.checkpoint_all(only_due=True), None)

    app.agent(segments, concurrency=1, name="segments")(process)
    app.timer(_IDLE_SECONDS)(write_idle)

    async def assigned(*_: Any, **__: Any) -> None:
        worker.forget()

    async def stopping(*_: Any, **__: Any) -> None:
        await worker.checkpoint_all(only_due=False)

    app.on_partitions_assigned.connect(assigned, weak=False)
    app.on_before_shutdown.connect(stopping, weak=False)


async def _or_end(handle: Callable[[Any], Any], event: EventT[bytes] | None) -> None:
    """Do it, or end this process at once: after an error nothing may be acknowledged any more (rule 5)."""
    try:
        await handle(event)
    except SegwatchError as error:
        _end(str(error), error.exit_code)
    except Exception as error:
        _end(defect_sentence(error), EXIT_DEFECT)


def _end(sentence: str, code: int) -> None:
    sys.stderr.write(f"segwatch: {sentence}\n")
    sys.stderr.flush()
    os._exit(code)
