"""A capture over time: what was sent in each of some hundred bins, however long it is."""

from typing import Final, Self

import numpy as np
import numpy.typing as npt

from segwatch.records.findings import FindingColumns
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import RETRANSMISSIONS, Label

BINS: Final = 512
"""Bins at most; when time goes on, two become one."""
FIRST_WIDTH: Final = 1_000_000
"""Nanoseconds of a bin at the beginning."""
COUNTED: Final = (
    ("repeats", RETRANSMISSIONS),
    ("lost_segments", Label.LOST_SEGMENT),
    ("out_of_order", Label.OUT_OF_ORDER),
    ("duplicate_acks", Label.DUPLICATE_ACK),
    ("zero_windows", Label.ZERO_WINDOW),
)
"""Counts of segments with any of some labels."""
_SEGMENTS, _BYTES, _RESETS, _LABELS = 0, 1, 2, 3
ROWS: Final = ("segments", "payload_bytes", "resets", *(name for name, _ in COUNTED))
"""What is summed up."""


class Timeline:
    """Sums over time; a segment from before the first one counts in the first bin."""

    def __init__(self) -> None:
        self.first = 0
        """Nanoseconds since the epoch; has a meaning once there are segments."""
        self.width = FIRST_WIDTH
        self._sums = np.zeros((len(ROWS), BINS), np.int64)
        self._used = 0

    @classmethod
    def of_sums(cls, first: int, width: int, sums: npt.NDArray[np.int64]) -> Self:
        """Return what was summed up elsewhere, (``ROWS``, B <= ``BINS``) from ``first`` on in bins of ``width``."""
        timeline = cls()
        timeline.first, timeline.width, timeline._used = first, width, sums.shape[1]
        timeline._sums[:, : sums.shape[1]] = sums
        return timeline

    def add(self, segments: SegmentColumns, findings: FindingColumns) -> None:
        """Count some segments and what was found of them."""
        if not len(segments.ts):
            return
        if not self._used:
            self.first = int(segments.ts[0])
        offsets = np.maximum(segments.ts - self.first, 0)
        latest = int(offsets.max())
        while latest >= self.width * BINS:
            self._widen()
        places = offsets // self.width
        self._used = max(self._used, latest // self.width + 1)
        self._count(_SEGMENTS, places, None)
        self._count(_BYTES, places, segments.payload_len)
        self._count(_RESETS, places[findings.reset != 0], None)
        for row, (_, label) in enumerate(COUNTED, start=_LABELS):
            self._count(row, places[(findings.labels & int(label)) != 0], None)

    def _count(self, row: int, places: npt.NDArray[np.int64], weights: npt.NDArray[np.uint32] | None) -> None:
        self._sums[row] += np.bincount(places, weights, minlength=BINS).astype(np.int64)

    def _widen(self) -> None:
        self._sums[:, : BINS // 2] = self._sums[:, 0::2] + self._sums[:, 1::2]
        self._sums[:, BINS // 2 :] = 0
        self._used = -(-self._used // 2)
        self.width *= 2

    def times(self) -> list[float]:
        """Return the beginning of each bin, seconds since the first segment."""
        return [place * self.width / 1e9 for place in range(self._used)]

    def rates(self) -> dict[str, list[float]]:
        """Return what was sent in each bin, a second: segments, bits of payload, resets, and ``COUNTED``."""
        names = ("segments", "bits", "resets", *(name for name, _ in COUNTED))
        factors = (1, 8, 1, *(1 for _ in COUNTED))
        seconds = self.width / 1e9
        return {
            name: (self._sums[row, : self._used] * factor / seconds).tolist()
            for row, (name, factor) in enumerate(zip(names, factors, strict=True))
        }
