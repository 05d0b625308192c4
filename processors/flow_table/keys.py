"""Whom each conversation connects: the keys that it is found by, and the table of their hashes."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from processors.flow_table.state import records
from segwatch.memory import zeroed

_FIRST_ROOM: Final = 64

KEY: Final = records(
    [
        ("low", np.uint64, (2,)),
        ("high", np.uint64, (2,)),
        ("low_port", np.uint16),
        ("high_port", np.uint16),
        ("session", np.uint32),
        ("ip_version", np.uint8),
    ]
)
"""The two ends of a conversation, in the order of the sides, and the capture session."""


class Keys(NamedTuple):
    """The keys of all conversations; kernels take this tuple as it is."""

    records: npt.NDArray[np.record]
    """(C,) of ``KEY``, by number of the conversation."""
    slots: npt.NDArray[np.int64]
    """(S,) the open-addressing table, S a power of two: 31 bits of the hash above 32 bits of 1 + the conversation's
    number; 0 is empty."""
    used: npt.NDArray[np.int64]
    """(1,) how many conversations there are."""


def new_keys(conversations: int = _FIRST_ROOM) -> Keys:
    """Return an empty table with room for that many conversations."""
    return Keys(
        records=zeroed(max(conversations, 1), KEY),
        slots=zeroed(2 * max(_FIRST_ROOM, 1 << conversations.bit_length()), np.dtype(np.int64)),
        used=np.zeros(1, np.int64),
    )
