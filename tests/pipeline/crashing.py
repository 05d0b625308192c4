"""Run ``segwatch`` until a step was reached so many times, then kill it: crashing STEP TIMES ARGUMENT..."""

import os
import signal
import sys

from segwatch.cli.main import main
from segwatch.steps import observe


def _kill_at(step: str, times: int) -> None:
    left = times

    def reached(name: str) -> None:
        nonlocal left
        if name == step:
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    observe(reached)


if __name__ == "__main__":
    _kill_at(sys.argv[1], int(sys.argv[2]))
    main(sys.argv[3:])
