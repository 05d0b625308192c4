"""The book of conversations: what each did since it began, and in the last while; bounded.

All of it comes from interval records, those that were closed and those that are still open: the difference to what was
told of the same record before is what is new. So it costs nothing per packet.
"""

from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from segwatch.compilation import kernel
from segwatch.jobs.trouble_counts import DUPLICATE_ACK, LOST_SEGMENT, OUT_OF_ORDER, ZERO_WINDOW, retransmissions
from segwatch.memory import grown, zeroed


class Count(IntEnum):
    """Places of what is counted for each side; of times the sender's own window, resets that it sent."""

    SEGMENTS = 0
    DATA_SEGMENTS = 1
    PAYLOAD_BYTES = 2
    RETRANSMITTED_BYTES = 3
    RTT_SUM = 4
    RTT_COUNT = 5
    RESETS = 6
    ZERO_WINDOW_TIME = 7
    RETRANSMISSIONS = 8
    """Segments with any of the three labels."""
    LOST_SEGMENTS = 9
    OUT_OF_ORDER = 10
    DUPLICATE_ACKS = 11
    ZERO_WINDOWS = 12


COUNTS: Final = len(Count)
CONVERSATION: Final = np.dtype(
    [
        ("key", np.int64),
        ("client", np.uint64, (2,)),
        ("server", np.uint64, (2,)),
        ("client_port", np.uint16),
        ("server_port", np.uint16),
        ("origin", np.uint16),
        ("ip_version", np.uint8),
        ("completeness", np.uint8),
        ("reset", np.uint8),
        ("closer", np.uint8),
        ("opened", np.int64),
        ("last", np.int64),
        ("initial_rtt", np.int64),
        ("told_start", np.int64),
        ("told", np.int64, (2, COUNTS)),
        ("slot", np.int64, (2, COUNTS)),
        ("window", np.int64, (2, COUNTS)),
        ("start", np.int64, (2, COUNTS)),
    ],
    align=True,
)
"""One conversation; the first dimension of counters is the side: 0 the client, 1 the server.

``key``: its number, unique among all sessions. ``origin``: place of the interface. ``told``: what was counted of its
open interval, which began at ``told_start`` (``_CLOSED``: none is open). ``slot``: counted in the current slot of time;
``window``: in all slots that are remembered; ``start``: since it is known.
"""
_CHANGE: Final = np.dtype([("key", np.int64), ("counts", np.int64, (2, COUNTS))])
"""What a conversation did in one slot."""
_CLOSED: Final = -1
_FIRST_CAPACITY: Final = 64
_SHIFT: Final = 32
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
_COUNTS = COUNTS


class Table(NamedTuple):
    """What kernels see of the book."""

    records: npt.NDArray[Any]
    """(C,) of ``CONVERSATION``."""
    slots: npt.NDArray[np.int32]
    """(S,) places plus 1 by open addressing, 0 is empty; S is a power of two above 2 C."""
    used: npt.NDArray[np.int64]
    """(1,) conversations in the book."""


@kernel
def _slot_of(table: Table, key: int) -> int:
    """Return the slot of a conversation, or the empty one where it belongs."""
    mask = len(table.slots) - 1
    slot = int((np.uint64(key) * _FACTOR) >> np.uint64(_SHIFT)) & mask
    while table.slots[slot] != 0 and table.records[table.slots[slot] - 1]["key"] != key:
        slot = (slot + 1) & mask
    return slot


@kernel
def _fill_slots(table: Table) -> None:
    """Enter all conversations into slots that are empty."""
    for place in range(table.used[0]):
        table.slots[_slot_of(table, int(table.records[place]["key"]))] = place + 1


@kernel
def _read_counts(sent: Any, counts: Any) -> None:
    """Write what an interval says of one side in the order of ``Count``."""
    counts[0] = sent["segments"]
    counts[1] = sent["data_segments"]
    counts[2] = sent["payload_bytes"]
    counts[3] = sent["retransmitted_bytes"]
    counts[4] = sent["rtt_sum"]
    counts[5] = sent["rtt_count"]
    counts[6] = sent["resets"]
    counts[7] = sent["zero_window_time"]
    labels = sent["labels"]
    counts[8] = retransmissions(labels)
    counts[9] = labels[LOST_SEGMENT]
    counts[10] = labels[OUT_OF_ORDER]
    counts[11] = labels[DUPLICATE_ACK]
    counts[12] = labels[ZERO_WINDOW]


@kernel
def _describe(record: Any, interval: Any) -> None:
    record["completeness"] = interval["completeness"]
    record["closer"] = interval["closer"]
    record["opened"] = interval["opened"]
    record["last"] = max(int(record["last"]), int(interval["last"]))
    if interval["reset"] != 0:
        record["reset"] = interval["reset"]
    if interval["initial_rtt"] != 0:
        record["initial_rtt"] = interval["initial_rtt"]


@kernel
def _enter(table: Table, slot: int, key: int, origin: int, interval: Any) -> None:
    """Begin the record of a conversation."""
    record = table.records[table.used[0]]
    record["key"] = key
    record["origin"] = origin
    for word in range(2):
        record["client"][word] = interval["client"][word]
        record["server"][word] = interval["server"][word]
    record["client_port"] = interval["client_port"]
    record["server_port"] = interval["server_port"]
    record["ip_version"] = interval["ip_version"]
    record["reset"] = 0
    record["last"] = 0
    record["initial_rtt"] = 0
    record["told_start"] = _CLOSED
    for side in range(2):
        for place in range(_COUNTS):
            record["slot"][side, place] = 0
            record["window"][side, place] = 0
            record["start"][side, place] = 0
    table.used[0] += 1
    table.slots[slot] = table.used[0]


@kernel
def _add_news(record: Any, interval: Any, is_open: bool, counts: Any) -> None:
    """Add what an interval says beyond what was told of it before."""
    known = record["told_start"] == interval["start"]
    for side in range(2):
        _read_counts(interval["sent"][side], counts)
        for place in range(_COUNTS):
            new = counts[place] - (record["told"][side, place] if known else 0)
            record["told"][side, place] = counts[place]
            record["slot"][side, place] += new
            record["window"][side, place] += new
            record["start"][side, place] += new
    record["told_start"] = interval["start"] if is_open else _CLOSED
    _describe(record, interval)


@kernel
def _is_told(record: Any, interval: Any) -> bool:
    """Whether nothing was sent since the open interval was told last."""
    return bool(
        record["told_start"] == interval["start"]
        and record["told"][0, 0] == interval["sent"][0]["segments"]
        and record["told"][1, 0] == interval["sent"][1]["segments"]
    )


@kernel
def _add_intervals(
    table: Table, intervals: Any, first: int, session: int, origin: int, is_open: bool, counts: Any
) -> int:
    """Add intervals from ``first`` on; return where it stopped for lack of room. ``counts``: (COUNTS,) scratch."""
    for row in range(first, len(intervals)):
        interval = intervals[row]
        if interval["flow"] < 0:
            continue
        key = session << _SHIFT | int(interval["stream"])
        slot = _slot_of(table, key)
        if table.slots[slot] == 0:
            if table.used[0] >= len(table.records):
                return row
            _enter(table, slot, key, origin, interval)
        record = table.records[table.slots[slot] - 1]
        if not (is_open and _is_told(record, interval)):
            _add_news(record, interval, is_open, counts)
    return len(intervals)


@kernel
def _count_changed(table: Table) -> int:
    changed = 0
    for place in range(table.used[0]):
        if table.records[place]["slot"][0, 0] or table.records[place]["slot"][1, 0]:
            changed += 1
    return changed


@kernel
def _take_changes(table: Table, changes: Any) -> None:
    """Move what was counted in the slot of time to ``changes``."""
    taken = 0
    for place in range(table.used[0]):
        record = table.records[place]
        if record["slot"][0, 0] or record["slot"][1, 0]:
            changes[taken]["key"] = record["key"]
            for side in range(2):
                for count in range(_COUNTS):
                    changes[taken]["counts"][side, count] = record["slot"][side, count]
                    record["slot"][side, count] = 0
            taken += 1


@kernel
def _take_back(table: Table, changes: Any) -> None:
    """Subtract from the window what left it."""
    for row in range(len(changes)):
        slot = table.slots[_slot_of(table, int(changes[row]["key"]))]
        if slot:
            for side in range(2):
                for count in range(_COUNTS):
                    table.records[slot - 1]["window"][side, count] -= changes[row]["counts"][side, count]


@kernel
def _keep_known(table: Table, changes: Any) -> int:
    """Move the changes of conversations that are in the book to the beginning; return how many there are."""
    kept = 0
    for row in range(len(changes)):
        if table.slots[_slot_of(table, int(changes[row]["key"]))] != 0:
            if kept != row:
                changes[kept] = changes[row]
            kept += 1
    return kept


class Book:
    """Conversations of all sessions; those that are over and were least remarkable are forgotten first."""

    def __init__(self, slots: int, most: int) -> None:
        """Remember ``slots`` slots of time beside the current one, and ``most`` conversations that are not open."""
        self.forgotten = 0
        """Conversations that were forgotten."""
        self._most = most
        self._changes: deque[npt.NDArray[Any]] = deque(maxlen=slots)
        self._scratch = np.zeros(COUNTS, np.int64)
        self._table = Table(
            zeroed(_FIRST_CAPACITY, CONVERSATION), np.zeros(4 * _FIRST_CAPACITY, np.int32), np.zeros(1, np.int64)
        )

    def __len__(self) -> int:
        return int(self._table.used[0])

    @property
    def conversations(self) -> npt.NDArray[Any]:
        """(C,) ``CONVERSATION``, a view."""
        return self._table.records[: len(self)]

    def add(self, intervals: npt.NDArray[Any], session: int, origin: int, *, is_open: bool) -> None:
        """Add intervals (``INTERVAL``) of a session, in which streams are unique; open ones come again."""
        with np.errstate(over="ignore"):  # hashing wraps around on purpose
            added = _add_intervals(self._table, intervals, 0, session, origin, is_open, self._scratch)
            while added < len(intervals):
                self._grow()
                added = _add_intervals(self._table, intervals, added, session, origin, is_open, self._scratch)

    def end_slot(self) -> None:
        """Begin another slot of time; what the oldest one counted leaves the window."""
        if len(self._changes) == self._changes.maxlen:
            with np.errstate(over="ignore"):
                _take_back(self._table, self._changes.popleft())
        changes = np.empty(_count_changed(self._table), _CHANGE)
        _take_changes(self._table, changes)
        self._changes.append(changes)

    def shrink(self, score: Callable[[npt.NDArray[Any]], npt.NDArray[np.int64]]) -> None:
        """Forget conversations that are over, those of the lowest scores first, where there are too many.

        ``score`` gives (C,) for (C,) ``CONVERSATION``. Half of the limit stays, so that this is seldom done.
        """
        if len(self) <= self._most:
            return
        over = np.flatnonzero(self.conversations["told_start"] == _CLOSED)
        if len(over) <= self._most:
            return
        scores = score(self.conversations[over])
        surplus = len(over) - self._most // 2
        stays = np.ones(len(self), np.bool_)
        stays[over[np.argpartition(scores, surplus - 1)[:surplus]]] = False
        kept = self.conversations[stays]
        self._table.records[: len(kept)] = kept
        self._table.used[0] = len(kept)
        self._fill(self._table.slots)
        self.forgotten += surplus
        with np.errstate(over="ignore"):  # as above
            for slot, changes in enumerate(self._changes):
                self._changes[slot] = changes[: _keep_known(self._table, changes)].copy()

    def _grow(self) -> None:
        table = self._table._replace(records=grown(self._table.records))
        self._table = table
        if 2 * len(table.records) > len(table.slots):
            self._fill(np.zeros(2 * len(table.slots), np.int32))

    def _fill(self, slots: npt.NDArray[np.int32]) -> None:
        slots[:] = 0
        self._table = self._table._replace(slots=slots)
        with np.errstate(over="ignore"):
            _fill_slots(self._table)
