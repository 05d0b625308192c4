"""When a child that ended is started again."""

from typing import Final

SHORTEST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 30.0
LIVED_SECONDS: Final = 60.0
"""A child that ran for so long had no trouble with its start."""
MOST_FAILURES: Final = 10
"""Starts in a row that come to nothing."""


class Backoff:
    """Pauses that double from failure to failure; ``now`` is seconds of any clock that never goes back."""

    def __init__(self) -> None:
        self.failures = 0
        """Starts in a row that did not last."""
        self._started = 0.0

    @property
    def is_hopeless(self) -> bool:
        """Whether another start would be in vain."""
        return self.failures >= MOST_FAILURES

    def started(self, now: float) -> None:
        """Take note of a start."""
        self._started = now

    def ended(self, now: float) -> float:
        """Take note of an end; return when to start again."""
        self.failures = 1 if now - self._started >= LIVED_SECONDS else self.failures + 1
        return now + min(SHORTEST_SECONDS * 2.0 ** (self.failures - 1), LONGEST_SECONDS)
