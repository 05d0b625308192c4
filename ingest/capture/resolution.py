"""Time stamps of pcapng: a count of units since 1970, whose length every interface sets for itself."""

import numpy as np
import numpy.typing as npt

from ingest.capture.indexing import TIME_MAXIMUM
from segwatch.compilation import kernel

# Fields of a resolution. Exactly one of the first three is set, none where the resolution cannot be used.
MULTIPLIER, DIVISOR, BINARY_DIGITS, OFFSET, LIMIT, RESOLUTION_FIELDS = range(6)
# MULTIPLIER: nanoseconds of a unit. DIVISOR: units of a nanosecond. BINARY_DIGITS: a unit is 2**-BINARY_DIGITS s.
# OFFSET: nanoseconds to add. LIMIT: the largest count (for BINARY_DIGITS: seconds) whose time fits into 64 bits.

LARGEST_OFFSET = 1 << 32
"""Seconds; offsets beyond are taken as this."""


def resolution_fields(resolution: int, offset_seconds: int) -> tuple[int, int, int, int, int]:
    """Return the fields for ``if_tsresol`` and ``if_tsoffset``.

    Resolutions finer than 10**-19 s or 2**-63 s make every time stamp 0, as in Wireshark.
    """
    offset = min(max(offset_seconds, -LARGEST_OFFSET), LARGEST_OFFSET) * 1_000_000_000
    room = TIME_MAXIMUM - max(offset, 0)
    exponent = resolution & 0x7F
    if resolution & 0x80 and exponent:
        return 0, 0, exponent if exponent <= 63 else 0, offset, room // 1_000_000_000 - 1
    if exponent <= 9:
        multiplier = 10 ** (9 - exponent)
        return multiplier, 0, 0, offset, room // multiplier
    return 0, 10 ** (exponent - 9) if exponent <= 19 else 0, 0, offset, room


@kernel
def nanoseconds_since_1970(high: int, low: int, resolution: npt.NDArray[np.int64]) -> int:
    """Return the time of a 64-bit count of units; 0 for no usable resolution, TIME_MAXIMUM for what is too far."""
    if resolution[MULTIPLIER] > 0:
        # Counts of the upper half are times before 1970, as a writer with signed numbers means them.
        count = (high - (1 << 32) if high >= 1 << 31 else high) << 32 | low
        if count > resolution[LIMIT] or count < -resolution[LIMIT]:
            return TIME_MAXIMUM
        return count * int(resolution[MULTIPLIER]) + int(resolution[OFFSET])
    if resolution[DIVISOR] > 0:
        return divided_count(high, low, resolution)
    if resolution[BINARY_DIGITS] > 0:
        return binary_count(high, low, resolution)
    return 0


@kernel
def divided_count(high: int, low: int, resolution: npt.NDArray[np.int64]) -> int:
    """Return the time of a count of decimal units shorter than a nanosecond."""
    count = np.uint64(high) << np.uint64(32) | np.uint64(low)
    nanoseconds = int(np.int64(count // np.uint64(resolution[DIVISOR])))
    if nanoseconds > resolution[LIMIT]:
        return TIME_MAXIMUM
    return nanoseconds + int(resolution[OFFSET])


@kernel
def binary_count(high: int, low: int, resolution: npt.NDArray[np.int64]) -> int:
    """Return the time of a count of binary fractions of a second, rounded down to a nanosecond."""
    digits = np.uint64(resolution[BINARY_DIGITS])
    count = np.uint64(high) << np.uint64(32) | np.uint64(low)
    seconds = int(np.int64(count >> digits))
    if seconds > resolution[LIMIT]:
        return TIME_MAXIMUM
    fraction = count & ((np.uint64(1) << digits) - np.uint64(1))
    # fraction * 10**9 needs up to 93 bits: the digits beyond the 33rd are multiplied apart and carried.
    surplus = np.uint64(max(int(resolution[BINARY_DIGITS]) - 33, 0))
    billion = np.uint64(1_000_000_000)
    carried = (fraction & ((np.uint64(1) << surplus) - np.uint64(1))) * billion >> surplus
    nanoseconds = int(np.int64(((fraction >> surplus) * billion + carried) >> (digits - surplus)))
    return seconds * 1_000_000_000 + nanoseconds + int(resolution[OFFSET])
