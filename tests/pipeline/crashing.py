"""Run ``segwatch`` (sink or processor) and kill it at a step: ``python -m tests.pipeline.crashing STEP N -- sink ...``.

The process ends (SIGKILL) when STEP is reached for the Nth time; with N = 0 it does not. A dead member of a group is
missed sooner than usual.
"""

import os
import signal
import sys

from segwatch.cli.main import main
from segwatch.steps import observe

SESSION_SECONDS = 6
"""The least that Kafka allows."""


def _kill_at(wanted: str, count: int) -> None:
    left = count

    def look(step: str) -> None:
        nonlocal left
        left -= step == wanted
        if step == wanted and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    observe(look)


def _miss_dead_members_soon(command: str) -> None:
    """Import only what the command imports anyway."""
    if command == "processor":
        import processors.app

        processors.app.SESSION_SECONDS = SESSION_SECONDS
    else:
        import sinks.consumer.kafka_bus

        sinks.consumer.kafka_bus.SESSION_SECONDS = SESSION_SECONDS


if __name__ == "__main__":
    step, number, _, *arguments = sys.argv[1:]
    _kill_at(step, int(number))
    _miss_dead_members_soon(arguments[0])
    main(arguments)
