"""Anonymous addresses for segments, remembered so that each is computed once for as long as there is room."""

import secrets
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingest.anonymize.crypto_pan import CryptoPan
from segwatch.compilation import kernel
from segwatch.records.segments import SegmentColumns

_SLOTS: Final = 1 << 18
"""Places for addresses that are remembered (8.6 MB); three quarters are used, then all are forgotten."""
_MOST: Final = _SLOTS * 3 // 4
_AT_ONCE: Final = 1 << 15
_SHIFT: Final = np.uint64(64 - 18)
_ONE: Final = np.uint64(1)


@kernel
def _find(addresses: Any, factors: Any, keys: Any, is_used: Any, slots: Any, new: Any) -> int:
    """Find the slot of each address, taking a free one for each that is new; return how many are."""
    count = 0
    last = len(is_used) - 1
    for row in range(len(addresses)):
        high, low = addresses[row, 0], addresses[row, 1]
        mixed = (high ^ (low >> _ONE)) * factors[0] + low * factors[1]
        slot = np.int64(((mixed ^ (mixed >> _SHIFT)) * factors[2]) >> _SHIFT)
        while is_used[slot] and (keys[slot, 0] != high or keys[slot, 1] != low):
            slot = (slot + 1) & last
        if not is_used[slot]:
            is_used[slot] = True
            keys[slot, 0] = high
            keys[slot, 1] = low
            new[count] = slot
            count += 1
        slots[row] = slot
    return count


class Anonymizer:
    """Replaces the addresses of segments; to be used by one thread at a time."""

    def __init__(self, key: bytes) -> None:
        """Use a key of ``KEY_BYTES``."""
        self._scheme = CryptoPan(key)
        self._keys = np.zeros((_SLOTS, 2), np.uint64)
        self._values = np.zeros((_SLOTS, 2), np.uint64)
        self._is_used = np.zeros(_SLOTS, np.bool_)
        self._used = 0
        # Unknown to whoever chooses addresses, so that none can be chosen to share their place.
        self._factors = np.array([secrets.randbits(64) | 1 for _ in range(3)], np.uint64)

    def anonymized(self, segments: SegmentColumns) -> SegmentColumns:
        """Return N segments with other addresses, in memory of their own."""
        return segments._replace(src=self.addresses(segments.src), dst=self.addresses(segments.dst))

    def addresses(self, addresses: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Return (N, 2) what stands for (N, 2) ``addresses``, 16 bytes each as they are on the wire."""
        parts = [self._part(addresses[at : at + _AT_ONCE]) for at in range(0, len(addresses), _AT_ONCE)]
        return np.concatenate(parts) if parts else addresses.copy()

    def _part(self, addresses: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        if self._used + len(addresses) > _MOST:
            self._is_used[:] = False
            self._used = 0
        slots = np.empty(len(addresses), np.int64)
        new = np.empty(len(addresses), np.int64)
        # The arithmetic wraps around on purpose; NumPy would warn where this runs uncompiled.
        with np.errstate(over="ignore"):
            count = _find(addresses, self._factors, self._keys, self._is_used, slots, new)
        self._used += count
        if count:
            self._values[new[:count]] = self._scheme.anonymized(self._keys[new[:count]])
        return self._values[slots]
