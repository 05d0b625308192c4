"""Log lines of long-running processes: one line each on stderr, and none over and over."""

import logging
import sys
import time
from typing import Final

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_SILENCE_SECONDS: Final = 30.0
_MOST_REMEMBERED: Final = 1000


class RepetitionFilter(logging.Filter):
    """Lets a line of a library pass once in a while; libraries say a thousand times a second that a broker is away."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, object], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is to be written."""
        if record.name.startswith("segwatch"):
            return True
        key = (record.name, record.msg)
        now = time.monotonic()
        if now - self._last.get(key, float("-inf")) < _SILENCE_SECONDS:
            return False
        if len(self._last) >= _MOST_REMEMBERED:
            self._last.clear()
        self._last[key] = now
        return True


def setup_logs(level: int = logging.INFO) -> None:
    """Write the project's log lines from ``level`` on to stderr, and warnings of libraries."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter(_FORMAT, "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(RepetitionFilter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("segwatch").setLevel(level)
