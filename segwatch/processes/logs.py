"""What long-running processes say on standard error: one line each, and no flood of the same."""

import logging
import sys
import time
from typing import Final

LIBRARIES: Final = ("kafka", "aiokafka", "faust", "mode")
"""Loggers that say the same a thousand times a second while a broker is away."""
REPEAT_SECONDS: Final = 60.0


class _Seldom(logging.Filter):
    """Lets what one place in a library says through only now and then, and with a level of warning at least."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is written."""
        if record.name.partition(".")[0] not in LIBRARIES:
            return True
        place, now = (record.pathname, record.lineno), time.monotonic()
        if record.levelno < logging.WARNING or now - self._said.get(place, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return False
        self._said[place] = now
        return True


class _OneLine(logging.Formatter):
    """Time in UTC, level and text in one line; of an exception what it says, not where it came from."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")

    def formatException(self, ei: object) -> str:  # noqa: N802  # logging's interface
        """Return nothing but the exception's own words."""
        return str(ei[1]) if isinstance(ei, tuple) else ""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        return " ".join(super().format(record).split())


def log_to_stderr() -> None:
    """Write what this process logs to standard error from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine())
    handler.addFilter(_Seldom())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
