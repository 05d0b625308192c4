"""The job behind ``segwatch processor``: a Faust worker that ends cleanly on a signal."""

import asyncio
import logging
from contextlib import ExitStack

from faust import Worker

from processors.app import configured
from segwatch.kafka.location import kafka_address
from segwatch.kafka.topics import PROCESSOR_APP
from segwatch.processes.logs import log_to_stderr
from segwatch.processes.resident import give_back_large_blocks
from segwatch.telemetry.address import MetricsAddress
from segwatch.telemetry.group import GroupLook
from segwatch.telemetry.server import Telemetry


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
        worker.execute_from_commandline()
    return 0
