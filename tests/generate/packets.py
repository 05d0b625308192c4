"""What a capture is made of: packets in relative numbers, and the conversations that they belong to."""

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

CLIENT = 0
SERVER = 1
WINDOW_SHIFT = 7
"""Shift in the window scale option of every SYN."""


class Layout(IntEnum):
    """TCP options of a packet."""

    TIMESTAMPS = 0
    OPENING = 1
    """Maximum segment size, SACK permitted, timestamps and window scale, as on a SYN."""
    SACK = 2
    """Timestamps and one selective acknowledgement block."""
    NONE = 3


PACKET = np.dtype(
    [
        ("time", np.int64),
        ("conversation", np.int32),
        ("sender", np.uint8),
        ("flags", np.uint8),
        ("layout", np.uint8),
        ("ttl", np.uint8),
        ("length", np.uint16),
        ("window", np.uint16),
        ("sequence", np.int64),
        ("acknowledgment", np.int64),
        ("sack_left", np.int64),
        ("sack_right", np.int64),
    ]
)
"""One packet. ``time``: microseconds; ``sequence`` counts from its sender's initial number, ``acknowledgment`` and the
SACK edges from the peer's; ``length``: payload bytes."""

CONVERSATION = np.dtype(
    [
        ("address", np.uint8, (2, 16)),
        ("port", np.uint16, (2,)),
        ("initial", np.uint32, (2,)),
        ("ipv6", np.bool_),
        ("vlan", np.uint16),
    ]
)
"""One conversation; the first of every pair is the client's. IPv4 addresses lie in the first four bytes of 16.

``initial``: initial sequence numbers; ``vlan``: identifier of an 802.1Q tag, 0 without one.
"""

Packets = npt.NDArray[Any]
Conversations = npt.NDArray[Any]
