"""Health: work that waits must move. A process that runs and gets nothing done is not healthy."""

from typing import Final, NamedTuple

STALL_SECONDS: Final = 120.0
"""How long nothing may move while there is work: more than a rebalance, or a start with many checkpoints, takes."""


class Look(NamedTuple):
    """How far a process has come."""

    position: int
    """Any number that changes when work is done, such as a sum of offsets."""
    waiting: int
    """Messages that are there and not done."""


class Verdict(NamedTuple):
    """What is said of a process."""

    is_healthy: bool
    sentence: str


class Health:
    """Judges by one look after the other; ``now`` is seconds of any clock that never goes back."""

    def __init__(self, now: float, limit: float = STALL_SECONDS) -> None:
        """Begin at ``now``; ``limit``: seconds without any movement while work waits."""
        self._limit = limit
        self._moved = now
        self._look = Look(0, 0)

    @property
    def waiting(self) -> int:
        """Messages that waited at the last look."""
        return self._look.waiting

    def observe(self, look: Look, now: float) -> None:
        """Take note of a look."""
        if look.waiting == 0 or self._look.waiting == 0 or look.position != self._look.position:
            self._moved = now
        self._look = look

    def still(self, now: float) -> float:
        """Return for how many seconds work has waited without any movement."""
        return now - self._moved if self._look.waiting else 0.0

    def verdict(self, now: float) -> Verdict:
        """Judge."""
        if not self._look.waiting:
            return Verdict(True, "Nothing waits.")
        still = self.still(now)
        if still <= self._limit:
            return Verdict(True, f"{self._look.waiting} messages wait, and work goes on.")
        return Verdict(False, f"{self._look.waiting} messages wait, and nothing has moved for {still:.0f} seconds.")
