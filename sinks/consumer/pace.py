"""How long batches wait for more messages: a trade of how soon rows can be read against the work to insert them.

An insert costs the server tens of milliseconds however few rows it has, most of them for the views that it feeds.
"""

from typing import Final

SHORTEST_SECONDS: Final = 1.0
"""Small messages must not become small parts."""
LONGEST_SECONDS: Final = 1.5
"""For what people wait for."""
MINUTE_SECONDS: Final = 6.0
"""For rows that stand for a minute, which is over when they come: their inserts, with all views, cost most."""
_LEAST_REST: Final = 6
"""The inserts of a kind take at most a sixth of the time, as far as the longest wait allows."""
_SHARE_OF_NEWEST: Final = 1 / 8


class InsertPace:
    """How long a batch of one kind waits; grows with the time that inserts take, which it evens out."""

    def __init__(self, shortest: float = SHORTEST_SECONDS, longest: float = LONGEST_SECONDS) -> None:
        self._shortest = shortest
        self._longest = longest
        self._seconds = 0.0

    def inserted(self, seconds: float) -> None:
        """Take note of the time that an insert took."""
        self._seconds += (seconds - self._seconds) * _SHARE_OF_NEWEST

    def wait_seconds(self, batches: int) -> float:
        """Return how long each of so many batches, which are inserted one after the other, waits for more messages."""
        return min(max(_LEAST_REST * batches * self._seconds, self._shortest), self._longest)
