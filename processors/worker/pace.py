"""How often checkpoints are written: a trade of the time to recover against the time to work."""

from typing import Final

SHORTEST_SECONDS: Final = 5.0
LONGEST_SECONDS: Final = 300.0
_LEAST_WORK: Final = 10
"""Checkpoints of all partitions of a worker take at most a tenth of its time."""


class CheckpointPace:
    """When the next checkpoint of a partition is due; time is an argument, in seconds of any steady clock."""

    def __init__(self, now: float, shortest: float = SHORTEST_SECONDS) -> None:
        self._shortest = shortest
        self._due = now + shortest

    def is_due(self, now: float) -> bool:
        """Whether it is time."""
        return now >= self._due

    def written(self, began: float, ended: float, partitions: int) -> None:
        """Take note of a checkpoint and of the time that it took; the worker has so many ``partitions``, all alike."""
        pause = min(max(_LEAST_WORK * partitions * (ended - began), self._shortest), LONGEST_SECONDS)
        self._due = ended + pause
