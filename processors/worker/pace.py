"""How often checkpoints are written: a trade of the time to recover against the time to work."""

from typing import Final

SHORTEST_SECONDS: Final = 5.0
LONGEST_SECONDS: Final = 60.0
"""What a worker that takes over has to do again at most, at the same rate."""
QUIET_SECONDS: Final = 2.0
"""A partition without a message for so long has its checkpoint sooner: nothing more will soon be added to it."""
_LEAST_WORK: Final = 10
"""Checkpoints of all partitions of a worker take a tenth of its time, as far as ``LONGEST_SECONDS`` allows."""


class CheckpointPace:
    """When the next checkpoint of a partition is due; time is an argument, in seconds of any steady clock."""

    def __init__(self, now: float, shortest: float = SHORTEST_SECONDS) -> None:
        self._shortest = shortest
        self._due = self._due_if_quiet = now + shortest

    def is_due(self, now: float, last_message: float) -> bool:
        """Whether it is time; ``last_message``: when the last one of the partition came."""
        return now >= (self._due_if_quiet if now - last_message >= QUIET_SECONDS else self._due)

    def written(self, began: float, ended: float, partitions: int) -> None:
        """Take note of a checkpoint and of the time that it took; the worker has so many ``partitions``, all alike."""
        least = _LEAST_WORK * (ended - began)
        self._due = ended + min(max(partitions * least, self._shortest), LONGEST_SECONDS)
        self._due_if_quiet = ended + min(max(least, self._shortest), LONGEST_SECONDS)
