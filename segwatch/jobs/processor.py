"""The job behind ``segwatch processor``: a Faust worker that ends cleanly on a signal."""

import asyncio
import logging

from faust import Worker

from processors.app import configured_app
from segwatch.processes.logs import log_to_stderr


def run_processor(checkpoint_seconds: float) -> int:
    """Work until a signal comes; return the exit code."""
    log_to_stderr()
    app = configured_app(checkpoint_seconds)
    loop = asyncio.new_event_loop()
    worker = Worker(app, loop=loop, loglevel=None, logfile=None, override_logging=False, quiet=True)
    logging.getLogger("segwatch.processor").info("Working")
    worker.execute_from_commandline()
    return 0
