"""The table of conversations as an object: segments in, numbers of conversations out."""

import secrets
from typing import Any

import numpy as np
import numpy.typing as npt

from processors.flow_table.keys import new_keys
from processors.flow_table.lookup import enter_all, find_conversations, move_entries
from segwatch.memory import copied, grown, zeroed
from segwatch.records.segments import SegmentColumns

_SEED_BITS = 63


class FlowTable:
    """Numbers the conversations of one stream of records, in the order of their first segments.

    It shares no memory with the analysis: it may be batches ahead, in another thread.
    """

    def __init__(self) -> None:
        self._keys = new_keys()
        # Who can choose addresses and ports must not be able to choose collisions.
        self._seed = np.uint64(secrets.randbits(_SEED_BITS))

    @property
    def conversations(self) -> int:
        """How many there are so far."""
        return int(self._keys.used[0])

    def find(self, segments: SegmentColumns, session: int = 0) -> npt.NDArray[np.int32]:
        """Return the number of the conversation of each of N segments, (N,), -1 where the header cannot be read.

        ``session`` (0 to 2^32-1) tells capture sessions apart: equal addresses of two sessions never meet.
        """
        rows = len(segments.ts)
        numbers = np.empty(rows, np.int32)
        # Hashing wraps around on purpose; NumPy would warn where this runs uncompiled.
        with np.errstate(over="ignore"):
            found = find_conversations(self._keys, segments, session, self._seed, 0, numbers)
            while found < rows:
                self._grow()
                found = find_conversations(self._keys, segments, session, self._seed, found, numbers)
        return numbers

    def _grow(self) -> None:
        keys = self._keys
        if self.conversations == len(keys.records):
            self._keys = keys._replace(records=grown(keys.records))
        else:
            larger = zeroed(2 * len(keys.slots), keys.slots.dtype)
            move_entries(keys.slots, larger)
            self._keys = keys._replace(slots=larger)

    def keep(self, places: npt.NDArray[np.int32], kept: int) -> None:
        """Number the conversations anew: ``places`` has the new number of each, -1 for those to forget.

        ``kept`` of them stay, in their order.
        """
        records = self._keys.records[: len(places)][places >= 0]
        self._keys.records[:kept] = records
        self._keys.used[0] = kept
        self._keys.slots[:] = 0
        with np.errstate(over="ignore"):
            enter_all(self._keys, self._seed)

    def keys(self) -> npt.NDArray[Any]:
        """Return a copy of all keys, (C,) of ``KEY``."""
        return copied(self._keys.records[: self.conversations])

    def restore(self, keys: npt.NDArray[Any]) -> None:
        """Continue with the conversations that ``keys`` returned, of this or of another table."""
        self._keys = new_keys(len(keys))
        self._keys.records[: len(keys)] = keys
        self._keys.used[0] = len(keys)
        with np.errstate(over="ignore"):
            enter_all(self._keys, self._seed)
