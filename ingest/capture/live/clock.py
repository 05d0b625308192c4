"""Notices when the clock that stamps frames is set."""

import time
from collections.abc import Callable
from typing import Final

STEP_NANOSECONDS: Final = 1_000_000_000
"""A smaller difference is taken for the slewing of NTP or for a late look."""


class StepDetector:
    """Compares the clock of the time of day with one that is never set."""

    def __init__(
        self,
        time_of_day: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Take both clocks, in nanoseconds."""
        self._time_of_day = time_of_day
        self._monotonic = monotonic
        self._offset = time_of_day() - monotonic()

    def step(self) -> int:
        """Return by how many nanoseconds the clock was set since the last look; 0 if by no more than a second.

        A machine that was suspended looks like one whose clock was set ahead.
        """
        offset = self._time_of_day() - self._monotonic()
        step = offset - self._offset
        if abs(step) <= STEP_NANOSECONDS:
            return 0
        self._offset = offset
        return step
