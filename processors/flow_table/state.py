"""The state of the analysis: structured arrays that kernels change in place, and that can be copied and read back.

Whom a conversation connects is no part of it (see ``keys``): finding conversations and analysing them touch no memory
in common, so two threads can do it. A conversation is one record of ``CONVERSATION`` and, at twice its number, two
records of ``DIRECTION``: side 0 and side 1. Side 1 sends the segments whose source (address, then port) is the greater
one. Names follow section 2.3 of Wireshark's analysis as restated in ``docs/labels.md``.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from processors.flow_table import counter
from segwatch.memory import zeroed
from segwatch.records.intervals import INTERVAL

NOTHING: Final = -1
"""No conversation, no node, no interval."""
WINDOW_SCALE_UNKNOWN: Final = -1
WINDOW_SCALE_OFF: Final = -2
UNKNOWN_WINDOW: Final = 0xFFFFFFFF


def records(fields: list[Any]) -> np.dtype[Any]:
    """Return an aligned record type whose fields kernels can name as attributes, compiled or not."""
    return np.dtype((np.record, np.dtype(fields, align=True)))


CONVERSATION: Final = records(
    [
        ("begun", np.uint8),
        ("client_side", np.uint8),
        ("completeness", np.uint8),
        ("mptcp", np.uint8),
        ("fast_open_data", np.uint8),
        ("established", np.uint8),
        ("closer", np.uint8),
        ("ended", np.uint8),
        ("stream", np.int32),
        ("interval", np.int32),
        ("first", np.int64),
        ("previous", np.int64),
        ("syn_time", np.int64),
        ("initial_rtt", np.int64),
    ]
)
"""One conversation; all 0 until its first segment is analysed (``begun``).

``stream``: its number. ``interval``: its open interval record.
``first``, ``previous``, ``syn_time``: nanoseconds (``syn_time`` 0: no SYN).
``established``: the client has acknowledged the SYN/ACK.
``closer``: who sent the first FIN or RST (0 nobody, 1 client, 2 server). ``ended``: its interval was closed at its end.
"""

DIRECTION: Final = records(
    [
        ("base_seq", np.uint32),
        ("nextseq", np.uint32),
        ("maxack", np.uint32),
        ("lastack", np.uint32),
        ("dupnum", np.uint32),
        ("window", np.uint32),
        ("lastlabels", np.uint32),
        ("push_bytes", np.uint32),
        ("sacked", np.uint32),
        ("unacked_first", np.int32),
        ("unacked_last", np.int32),
        ("unacked_purged", np.int32),
        ("unacked_purge_ack", np.uint32),
        ("unacked_low", np.uint32),
        ("unacked_high", np.uint32),
        ("unacked_count", np.uint16),
        ("unacked_ordered", np.uint8),
        ("base_known", np.uint8),
        ("nextframe", np.int64),
        ("nexttime", np.int64),
        ("lastacktime", np.int64),
        ("lastnondup", np.int64),
        ("wscale", np.int8),
        ("first_ack", np.uint8),
        ("bytes_in_flight_ok", np.uint8),
        ("push_last", np.uint8),
        ("closer", np.uint8),
        ("mptcp", np.uint8),
        ("seen", np.uint8),
        ("keep_alives", np.uint8),
    ]
)
"""What is known of one sender.

``base_seq``: sequence number that is shown as 0. ``nextseq``: highest end seen, raised by ``nextframe`` at
``nexttime``.
``maxack``: end of the contiguous data as far as known. ``lastack``, ``window``, ``lastlabels``, ``lastacktime``: of
its last analysed segment. ``lastnondup``: last frame that changed its acknowledgment number, ``dupnum``: duplicates
since then (2^32-1: an unseen segment was acknowledged). ``sacked``: bytes in the first three SACK blocks of its last
segment. ``unacked_*``: list of its segments that are not acknowledged, oldest first (see ``unacked``).
``seen``: bits of ``resets.Seen``. ``keep_alives``: keep-alives that it sent since the peer's last segment.
"""

UNACKED: Final = records(
    [
        ("start", np.uint32),
        ("end", np.uint32),
        ("frame", np.int64),
        ("time", np.int64),
        ("next", np.int32),
    ]
)
"""One unacknowledged segment; ``next`` is the next newer one of its list, or the next free node."""

OPEN_INTERVAL: Final = INTERVAL
"""An interval record as kernels use it; ``flow`` is its conversation, or ``NOTHING`` for a free one."""


class State(NamedTuple):
    """All that the analysis remembers; kernels take this tuple as it is."""

    conversations: npt.NDArray[Any]
    """(C,) of ``CONVERSATION``."""
    directions: npt.NDArray[Any]
    """(2 C,) of ``DIRECTION``."""
    unacked: npt.NDArray[Any]
    """(U,) of ``UNACKED``."""
    intervals: npt.NDArray[Any]
    """(I,) of ``OPEN_INTERVAL``."""
    counters: npt.NDArray[np.int64]
    """(counter.COUNT,) see ``counter``."""


def new_state(conversations: int = 64, unacked: int = 256, intervals: int = 64) -> State:
    """Return an empty state with room for that many conversations, unacknowledged segments and open intervals."""
    counters = np.zeros(counter.COUNT, np.int64)
    counters[counter.UNACKED_FREE] = NOTHING
    counters[counter.INTERVALS_FREE] = NOTHING
    return State(
        conversations=zeroed(conversations, CONVERSATION),
        directions=zeroed(2 * conversations, DIRECTION),
        unacked=zeroed(unacked, UNACKED),
        intervals=zeroed(intervals, OPEN_INTERVAL),
        counters=counters,
    )
