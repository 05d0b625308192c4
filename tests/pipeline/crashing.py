"""Run ``segwatch`` (sink or processor) and kill it at a step: ``python -m tests.pipeline.crashing STEP N -- sink ...``.

The process ends (SIGKILL) when STEP is reached for the Nth time; with N = 0 it does not. A dead member of a group is
missed sooner than usual, and values of checkpoints are cut into pieces where ``PIECE_BYTES`` says how great these are.
"""

import os
import signal
import sys

from segwatch.cli.main import main
from segwatch.steps import observe

SESSION_SECONDS = 6
"""The least that Kafka allows."""
PIECE_BYTES = "TEST_PIECE_BYTES"
"""Environment variable: most bytes of a value of a checkpoint, instead of what Kafka takes."""


def _kill_at(wanted: str, count: int) -> None:
    left = count

    def look(step: str) -> None:
        nonlocal left
        left -= step == wanted
        if step == wanted and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    observe(look)


def _prepare(command: str) -> None:
    """Import only what the command imports anyway."""
    if command == "processor":
        import processors.app
        import processors.stream.pieces

        processors.app.SESSION_SECONDS = SESSION_SECONDS
        if most_bytes := os.environ.get(PIECE_BYTES):
            processors.stream.pieces.MOST_VALUE_BYTES = int(most_bytes)
    else:
        import sinks.consumer.kafka_bus

        sinks.consumer.kafka_bus.SESSION_SECONDS = SESSION_SECONDS


if __name__ == "__main__":
    step, number, _, *arguments = sys.argv[1:]
    _kill_at(step, int(number))
    _prepare(arguments[0])
    main(arguments)
