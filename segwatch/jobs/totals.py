"""Totals of a capture: additive counters of all of it, and a compact record for each conversation.

Both come from interval records alone, so they cost nothing per packet. Most conversations have no trouble: what
counts it has records of its own, which only those conversations get that need one.
"""

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from segwatch.compilation import kernel
from segwatch.jobs.hosts import Hosts, HostTable, host_number
from segwatch.jobs.trouble_counts import DUPLICATE_ACK, LOST_SEGMENT, OUT_OF_ORDER, ZERO_WINDOW, retransmissions
from segwatch.memory import grown, zeroed
from segwatch.records.intervals import INTERVAL
from segwatch.vocabulary import LABEL_NAMES

CONVERSATION_TOTALS = np.dtype(
    [
        ("client", np.int32),
        ("server", np.int32),
        ("client_port", np.uint16),
        ("server_port", np.uint16),
        ("present", np.uint8),
        ("completeness", np.uint8),
        ("reset", np.uint8),
        ("closer", np.uint8),
        ("opened", np.int64),
        ("last", np.int64),
        ("initial_rtt", np.int64),
        ("payload_bytes", np.uint64, (2,)),
        ("segments", np.uint32, (2,)),
        ("data_segments", np.uint32, (2,)),
        ("trouble", np.int32),
    ]
)
"""One conversation; [0] is what the client sent, [1] the server.

``client``, ``server``: numbers of hosts. ``reset``: class of the last RST. ``trouble``: its record of ``TROUBLE``.
"""

TROUBLE = np.dtype(
    [
        ("retransmitted_bytes", np.uint64, (2,)),
        ("zero_window_time", np.int64, (2,)),
        ("retransmissions", np.uint32, (2,)),
        ("resets", np.uint32, (2,)),
        ("lost_segments", np.uint32),
        ("out_of_order", np.uint32),
        ("duplicate_acks", np.uint32),
        ("zero_windows", np.uint32),
    ]
)
"""What went wrong in a conversation; sides as above, of times the sender's own window. Record 0 is for those without.

``retransmissions``: segments with any of the three labels.
"""


class Sum(IntEnum):
    """Places in the sums over a whole capture; what has two sides takes two places, client first."""

    SEGMENTS = 0
    DATA_SEGMENTS = 1
    PAYLOAD_BYTES = 2
    RETRANSMITTED_BYTES = 3
    RESETS = 4
    ZERO_WINDOW_TIME = 5
    RTT_COUNT = 7
    RTT_SUM = 9
    RTT_MIN = 11
    RTT_MAX = 13
    LABELS = 15


_SUMS = Sum.LABELS + len(LABEL_NAMES)
_UNKNOWN_MIN = np.iinfo(np.int64).max
_FIRST_CAPACITY = 64

# Compiled functions take plain integers as constants.
_SEGMENTS, _DATA_SEGMENTS, _PAYLOAD, _RETRANSMITTED = 0, 1, 2, 3
_RESETS, _ZERO_WINDOW_TIME = int(Sum.RESETS), int(Sum.ZERO_WINDOW_TIME)
_RTT_COUNT, _RTT_SUM, _RTT_MIN, _RTT_MAX = int(Sum.RTT_COUNT), int(Sum.RTT_SUM), int(Sum.RTT_MIN), int(Sum.RTT_MAX)
_LABELS = int(Sum.LABELS)


@kernel
def _add_to_sums(sums: Any, sent: Any, side: int) -> None:
    """Add what one side sent in an interval to the sums of the capture."""
    sums[_SEGMENTS] += int(sent["segments"])
    sums[_DATA_SEGMENTS] += int(sent["data_segments"])
    sums[_PAYLOAD] += int(sent["payload_bytes"])
    sums[_RETRANSMITTED] += int(sent["retransmitted_bytes"])
    sums[_RESETS] += int(sent["resets"])
    sums[_ZERO_WINDOW_TIME + side] += int(sent["zero_window_time"])
    for label in range(len(LABEL_NAMES)):
        sums[_LABELS + label] += int(sent["labels"][label])
    if sent["rtt_count"] > 0:
        sums[_RTT_COUNT + side] += int(sent["rtt_count"])
        sums[_RTT_SUM + side] += int(sent["rtt_sum"])
        sums[_RTT_MIN + side] = min(sums[_RTT_MIN + side], int(sent["rtt_min"]))
        sums[_RTT_MAX + side] = max(sums[_RTT_MAX + side], int(sent["rtt_max"]))


@kernel
def _add_side(total: Any, sent: Any, side: int) -> None:
    """Add what one side sent in an interval to its conversation."""
    total["payload_bytes"][side] += sent["payload_bytes"]
    total["segments"][side] += sent["segments"]
    total["data_segments"][side] += sent["data_segments"]


@kernel
def _is_trouble(sent: Any) -> bool:
    """Whether one side had trouble in an interval."""
    some = int(sent["retransmitted_bytes"]) | int(sent["zero_window_time"]) | int(sent["resets"])
    for label in range(len(LABEL_NAMES)):
        some |= int(sent["labels"][label])
    return some != 0


@kernel
def _add_trouble(trouble: Any, sent: Any, side: int) -> None:
    """Add the trouble that one side had in an interval."""
    trouble["retransmitted_bytes"][side] += sent["retransmitted_bytes"]
    trouble["zero_window_time"][side] += sent["zero_window_time"]
    trouble["resets"][side] += sent["resets"]
    labels = sent["labels"]
    trouble["retransmissions"][side] += retransmissions(labels)
    trouble["lost_segments"] += labels[LOST_SEGMENT]
    trouble["out_of_order"] += labels[OUT_OF_ORDER]
    trouble["duplicate_acks"] += labels[DUPLICATE_ACK]
    trouble["zero_windows"] += labels[ZERO_WINDOW]


@kernel
def _describe(total: Any, interval: Any, hosts: HostTable) -> None:
    """Take over what is no counter; the latest interval knows best."""
    first = total["present"] == 0
    if first:
        total["present"] = 1
        total["client"] = host_number(hosts, interval["client"], interval["ip_version"])
        total["server"] = host_number(hosts, interval["server"], interval["ip_version"])
        total["client_port"] = interval["client_port"]
        total["server_port"] = interval["server_port"]
    if first or interval["last"] >= total["last"]:
        total["completeness"] = interval["completeness"]
        total["closer"] = interval["closer"]
        total["opened"] = interval["opened"]
        total["last"] = interval["last"]
        if interval["reset"] != 0:
            total["reset"] = interval["reset"]
    if interval["initial_rtt"] != 0:
        total["initial_rtt"] = interval["initial_rtt"]


@kernel
def add_intervals(
    intervals: Any, conversations: Any, troubles: Any, troubles_used: int, hosts: HostTable, sums: Any
) -> int:
    """Add records of ``INTERVAL`` to ``conversations`` ((>= streams,) ``CONVERSATION_TOTALS``) and ``sums``.

    ``troubles`` and ``hosts`` must have room for all; return how many records of ``troubles`` are used then.
    """
    for row in range(len(intervals)):
        interval = intervals[row]
        total = conversations[interval["stream"]]
        _describe(total, interval, hosts)
        for side in range(2):
            sent = interval["sent"][side]
            _add_to_sums(sums, sent, side)
            _add_side(total, sent, side)
            if _is_trouble(sent):
                if total["trouble"] == 0:
                    total["trouble"] = troubles_used
                    troubles_used += 1
                _add_trouble(troubles[total["trouble"]], sent, side)
    return troubles_used


@kernel
def add_to_sums(intervals: Any, sums: Any) -> None:
    """Add records of ``INTERVAL`` to ``sums`` alone, but for unused ones (``flow`` -1)."""
    for row in range(len(intervals)):
        if intervals[row]["flow"] >= 0:
            for side in range(2):
                _add_to_sums(sums, intervals[row]["sent"][side], side)


def no_sums() -> npt.NDArray[np.int64]:
    """Return the sums of nothing, at the places of ``Sum``."""
    sums = np.zeros(_SUMS, np.int64)
    sums[Sum.RTT_MIN : Sum.RTT_MIN + 2] = _UNKNOWN_MIN
    return sums


class Totals:
    """Accumulates the interval records of one capture."""

    def __init__(self) -> None:
        self.sums = no_sums()
        self.hosts = Hosts()
        self._conversations = zeroed(_FIRST_CAPACITY, CONVERSATION_TOTALS)
        self._used = 0
        self._troubles = zeroed(_FIRST_CAPACITY, TROUBLE)
        self._troubles_used = 1

    def add(self, intervals: npt.NDArray[Any], conversations: int) -> None:
        """Add ``intervals`` of a capture that has had that many conversations so far."""
        self._used = conversations
        if not len(intervals):
            return
        while conversations > len(self._conversations):
            self._conversations = grown(self._conversations)
        while self._troubles_used + len(intervals) > len(self._troubles):
            self._troubles = grown(self._troubles)
        self.hosts.make_room(2 * len(intervals))
        with np.errstate(over="ignore"):  # hashing wraps around on purpose
            self._troubles_used = add_intervals(
                intervals.view(INTERVAL),
                self._conversations,
                self._troubles,
                self._troubles_used,
                self.hosts.table,
                self.sums,
            )

    @property
    def conversations(self) -> npt.NDArray[Any]:
        """(C,) ``CONVERSATION_TOTALS`` of the conversations that sent anything."""
        some = self._conversations[: self._used]
        present = some["present"] != 0
        return some if present.all() else some[present]

    @property
    def streams(self) -> npt.NDArray[np.int64]:
        """(C,) the numbers of ``conversations`` in the capture, as in ``tcp.stream``."""
        return np.flatnonzero(self._conversations[: self._used]["present"])

    @property
    def troubles(self) -> npt.NDArray[Any]:
        """(T,) ``TROUBLE``; conversations say which is theirs."""
        return self._troubles[: self._troubles_used]
