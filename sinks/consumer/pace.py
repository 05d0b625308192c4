"""How long batches wait for more messages: a trade of how soon rows can be read against the work to insert them."""

from typing import Final

SHORTEST_SECONDS: Final = 1.0
"""Small messages must not become small parts."""
LONGEST_SECONDS: Final = 1.5
_LEAST_REST: Final = 10
"""Inserts take at most a tenth of the time, as far as ``LONGEST_SECONDS`` allows."""
_SHARE_OF_NEWEST: Final = 1 / 8


class InsertPace:
    """How long a batch waits; grows with the time that inserts take, which it evens out."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def inserted(self, seconds: float) -> None:
        """Take note of the time that an insert took."""
        self._seconds += (seconds - self._seconds) * _SHARE_OF_NEWEST

    def wait_seconds(self, batches: int) -> float:
        """Return how long each of so many batches, which are inserted one after the other, waits for more messages."""
        return min(max(_LEAST_REST * batches * self._seconds, SHORTEST_SECONDS), LONGEST_SECONDS)
