"""The job behind ``segwatch processor``: a Faust worker that ends cleanly on a signal."""

import asyncio
import logging
import traceback
from contextlib import ExitStack
from typing import Final

from aiokafka.errors import KafkaError
from faust import Worker
from faust.tables import recovery

from processors.app import configured
from segwatch.errors import BusError
from segwatch.kafka.location import kafka_address
from segwatch.kafka.topics import PROCESSOR_APP
from segwatch.processes.logs import log_to_stderr
from segwatch.processes.resident import give_back_large_blocks
from segwatch.telemetry.address import MetricsAddress
from segwatch.telemetry.group import GroupLook
from segwatch.telemetry.server import Telemetry

_EX_FAILURE: Final = 1
"""Exit code of a ``mode.Worker`` that an exception has ended."""


def run_processor(checkpoint_seconds: float, metrics: MetricsAddress | None) -> int:
    """Work until a signal comes; return the exit code."""
    log_to_stderr()
    give_back_large_blocks()
    app, stream_worker = configured(checkpoint_seconds)
    loop = asyncio.new_event_loop()
    worker = Worker(app, loop=loop, loglevel=None, logfile=None, override_logging=False, quiet=True)
    worker.spinner = None  # it draws on the terminal, quiet or not
    logging.getLogger("segwatch.processor").info("Working")
    with ExitStack() as stack:
        if metrics is not None:
            look = GroupLook(kafka_address(), PROCESSOR_APP, stream_worker.positions)
            stack.callback(look.close)
            stack.enter_context(Telemetry(metrics, look))
        _execute(worker)
    return 0


def _execute(worker: Worker) -> None:
    """Run a worker until a signal ends it, and raise what failed in it: its own way is an exit code without a word.

    Raises ``BusError`` where Kafka does not answer, as when a worker is told to stop meanwhile.
    """
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        failure = end.__context__
        if end.code == 0:
            return
        if end.code != _EX_FAILURE or not isinstance(failure, Exception):
            raise
        if isinstance(failure, (KafkaError, OSError)):
            raise BusError(f"Kafka failed ({failure!r}); what is not checkpointed will be done again.") from failure
        if _was_reading_checkpoints(failure):
            raise BusError(
                f"Faust could not read the checkpoints ({failure!r}), as happens where the group changes meanwhile; "
                "what is not checkpointed will be done again: start the processor once more."
            ) from failure
        raise failure from None


def _was_reading_checkpoints(failure: Exception) -> bool:
    """Say whether it came from Faust's reading of tables: a group that changes there leaves it without offsets."""
    return any(frame.f_code.co_filename == recovery.__file__ for frame, _ in traceback.walk_tb(failure.__traceback__))
