"""What the segments of a capture say of how it was made."""

from typing import Final

import numpy as np
import numpy.typing as npt

from segwatch.vocabulary import Quality

_BITS: Final = 32
_MEANINGS: Final = {
    Quality.HEADER_UNREADABLE: "have a TCP header that was not captured",
    Quality.HEADER_CUT: "have a TCP header that was cut short: they have no labels",
    Quality.OPTIONS_CUT: "have TCP options that were cut short: capture more of each frame",
    Quality.FRAGMENT: "are fragments that could not be put together",
    Quality.CAPTURE_LOSS: "were captured while frames were lost",
    Quality.SUPER_SEGMENT: "are super-segments, joined by the network card or the kernel (offload)",
    Quality.CLOCK_STEP: "were captured while the clock was set",
    Quality.TOTAL_LENGTH_ZERO: "have no length in their IP header (offload)",
}


class QualityCounts:
    """Counts segments by bit of ``vocabulary.Quality``."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BITS, np.int64)

    def add(self, quality: npt.NDArray[np.uint32]) -> None:
        """Count the bits of some segments, (N,)."""
        if np.bitwise_or.reduce(quality, initial=0):
            for bit in range(_BITS):
                self._counts[bit] += np.count_nonzero(quality & np.uint32(1 << bit))

    def sentences(self) -> list[str]:
        """Return what is worth telling."""
        counts = {flag: int(self._counts[flag.bit_length() - 1]) for flag in _MEANINGS}
        return [f"{count:,} segments {_MEANINGS[flag]}." for flag, count in counts.items() if count]
