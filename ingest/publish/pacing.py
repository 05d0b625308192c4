"""The pace of a capture file that is published as if it were live."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

_NANOSECONDS: Final = 1e9


class Pace:
    """Says which segments are due; ``now`` is seconds of any clock that never goes back."""

    def __init__(self, speed: float | None) -> None:
        """Go ``speed`` times as fast as the capture was made; None: as fast as possible."""
        self._speed = speed
        self._start: tuple[int, float] | None = None

    def reached(self, now: float) -> int | None:
        """Return the time of the capture at ``now``, nanoseconds since the epoch; None where it has no pace."""
        if self._speed is None or self._start is None:
            return None
        return _reached(self._start, self._speed, now)

    def due(self, ts: npt.NDArray[np.int64], now: float) -> tuple[int, float]:
        """Return how many of the next segments are due at ``now``, and the seconds until another is.

        ``ts``: (N,) N >= 1, their capture times. The first segment of all is due at once; one whose time goes back,
        with the one before it.
        """
        if self._speed is None:
            return len(ts), 0.0
        if self._start is None:
            self._start = int(ts[0]), now
        ahead: npt.NDArray[Any] = ts - _reached(self._start, self._speed, now)
        rows = int(np.argmax(ahead > 0))
        if ahead[rows] <= 0:
            return len(ts), 0.0
        return rows, int(ahead[rows]) / _NANOSECONDS / self._speed


def _reached(start: tuple[int, float], speed: float, now: float) -> int:
    first, begun = start
    return first + int((now - begun) * speed * _NANOSECONDS)
