"""What the segments of a capture say of how it was made."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from segwatch.counts import count_text
from segwatch.report.words import Statement
from segwatch.vocabulary import Quality

_BITS: Final = 32
_MEANINGS: Final = {
    Quality.HEADER_UNREADABLE: "with a TCP header that was not captured",
    Quality.HEADER_CUT: "with a TCP header that was cut short: they have no labels",
    Quality.OPTIONS_CUT: "with TCP options that were cut short: capture more of each frame",
    Quality.FRAGMENT: "in fragments that could not be put together",
    Quality.CAPTURE_LOSS: "captured while frames were lost",
    Quality.SUPER_SEGMENT: "joined by the network card or the kernel (offload)",
    Quality.CLOCK_STEP: "captured while the clock was set",
    Quality.TOTAL_LENGTH_ZERO: "without a length in their IP header (offload)",
    Quality.SEEN_TWICE: "seen twice: copies, not sent again",
    Quality.ONE_WAY: "of which only one direction was seen",
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

    def statements(self) -> Iterator[Statement]:
        """Say what is worth telling; the store counts conversations, not segments, so there is no SQL for it."""
        for flag, meaning in _MEANINGS.items():
            if count := int(self._counts[flag.bit_length() - 1]):
                yield Statement("plain", f"{count_text(count, 'segment')} {meaning}.", "")


def marked_conversations(counts: Mapping[str, int]) -> Iterator[Statement]:
    """Say how many conversations have segments with which mark; ``counts``: by name of the bit."""
    for flag, meaning in _MEANINGS.items():
        if count := counts.get(str(flag.name).lower()):
            yield Statement("plain", f"{count_text(count, 'conversation')} with segments {meaning}.", "marks")
