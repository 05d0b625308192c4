"""Interval records: additive counters of one conversation in one minute, for both directions."""

import numpy as np

from segwatch.vocabulary import LABEL_NAMES

INTERVAL_NANOSECONDS = 60_000_000_000
"""Length of an interval; intervals start at whole minutes of UTC."""

DIRECTION_COUNTERS = np.dtype(
    [
        ("segments", np.uint32),
        ("data_segments", np.uint32),
        ("quality", np.uint32),
        ("rtt_count", np.uint32),
        ("payload_bytes", np.uint64),
        ("retransmitted_bytes", np.uint64),
        ("rtt_sum", np.int64),
        ("rtt_min", np.int64),
        ("rtt_max", np.int64),
        ("zero_window_time", np.int64),
        ("resets", np.uint32),
        ("syns", np.uint32),
        ("fins", np.uint32),
        ("labels", np.uint32, (len(LABEL_NAMES),)),
    ],
    align=True,
)
"""What one side sent in the interval.

``quality``: bits of ``vocabulary.Quality`` that any of its segments has, and the greatest share (``SHARE_MASK``).
``rtt_*``: nanoseconds between the sensor and this side, from the ACKs that this side sent (``ack_rtt`` > 0).
``retransmitted_bytes``: payload of its retransmissions, fast and spurious ones included.
``zero_window_time``: nanoseconds in which this side's receive window was closed, counted when it sends again.
``labels``: segments with each label, in bit order of ``vocabulary.Label``.
"""

_FIELDS = np.dtype(
    [
        ("start", np.int64),
        ("client", np.uint64, (2,)),
        ("server", np.uint64, (2,)),
        ("client_port", np.uint16),
        ("server_port", np.uint16),
        ("ip_version", np.uint8),
        ("completeness", np.uint8),
        ("reset", np.uint8),
        ("closer", np.uint8),
        ("stream", np.int32),
        ("flow", np.int32),
        ("first", np.int64),
        ("last", np.int64),
        ("opened", np.int64),
        ("initial_rtt", np.int64),
        ("sent", DIRECTION_COUNTERS, (2,)),
    ],
    align=True,
)

# One type object for all kernels: where Numba meets two that NumPy calls equal, it is slow to tell them apart.
INTERVAL = np.dtype((np.record, _FIELDS))
"""One conversation in one minute.

``start``: nanoseconds since the epoch, a whole minute. ``first``, ``last``: times of its first and last segment here.
``opened``: time of the conversation's first segment. ``initial_rtt``: nanoseconds, 0 unknown.
``completeness``: value after the last segment here. ``reset``: class of the last RST here (0: none).
``closer``: side that sent the first FIN or RST so far: 0 nobody, 1 client, 2 server.
``sent[0]``: what the client sent; ``sent[1]``: what the server sent. ``flow``: internal slot, without meaning outside.

Several records of one conversation and minute may occur (a late segment): all counters add up.
"""
