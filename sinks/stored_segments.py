"""The table ``segments`` read back: which capture sessions it has of a range of time, and their rows in order."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from segwatch.records.segments import SEGMENT_TYPES, SegmentColumns, empty_segments, join_segments, take_segments
from sinks.connection import ServerAddress, as_store_errors
from sinks.decoding import ArrayReader, Block, Lists
from sinks.sessions import plain
from sinks.writer import whole_seconds

IN_RANGE = """
    time >= toDateTime(%(first_second)s) AND time <= toDateTime(%(last_second)s)
    AND ts >= fromUnixTimestamp64Nano(toInt64(%(begin)s), 'UTC')
    AND ts < fromUnixTimestamp64Nano(toInt64(%(end)s), 'UTC')
"""
"""Rows captured from ``begin`` to before ``end``; the seconds are what the tables are sorted by."""

# What is being stored, or was given up, has claims and does not stand in captures; what came from Kafka has neither.
_SESSIONS = """
SELECT session, any(sensor), count(), any(begun) < fromUnixTimestamp64Nano(toInt64(%(begin)s), 'UTC')
FROM segments
INNER JOIN (SELECT session, min(ts) AS begun FROM segments GROUP BY session) AS beginnings USING (session)
WHERE {in_range} {chosen}
    AND (session NOT IN (SELECT session FROM session_claims) OR session IN (SELECT session FROM captures))
GROUP BY session
ORDER BY min(ts), session
"""
_COLUMNS = ", ".join(name for name in SEGMENT_TYPES if name != "sack_count")
_OWN_COLUMNS = tuple(name for name in SEGMENT_TYPES if name not in {"sack", "sack_count"})
# The offset in the part keeps several segments of one frame in the order in which they were stored.
_ROWS = "SELECT {columns} FROM segments WHERE session = toUUID(%(session)s) AND {in_range} ORDER BY frame, _part_offset"
_CONVERSATION = """
SELECT {columns} FROM segments
WHERE session = toUUID(%(session)s)
    AND conversation = cityHash64(
        least((toIPv6(%(one)s), toUInt16(%(port)s)), (toIPv6(%(other)s), toUInt16(%(other_port)s))),
        greatest((toIPv6(%(one)s), toUInt16(%(port)s)), (toIPv6(%(other)s), toUInt16(%(other_port)s)))
    )
    AND (src, sport, dst, dport) IN (
        (toIPv6(%(one)s), %(port)s, toIPv6(%(other)s), %(other_port)s),
        (toIPv6(%(other)s), %(other_port)s, toIPv6(%(one)s), %(port)s)
    )
ORDER BY frame, _part_offset
"""
_SORT_ON_DISK_BYTES = 512 << 20
_SETTINGS = {"max_bytes_before_external_sort": _SORT_ON_DISK_BYTES, "max_bytes_ratio_before_external_sort": 0}


class StoredSession(NamedTuple):
    """A capture session whose segments are stored."""

    session: str
    """32 hexadecimal digits."""
    sensor: str
    segments: int
    """Segments in the range."""
    has_earlier: bool
    """Whether segments from before the range are stored, too."""


def range_values(begin: int, end: int) -> dict[str, int]:
    """Return the values of ``IN_RANGE``; both times are nanoseconds since the epoch."""
    first, last = whole_seconds(np.array([begin, end], np.int64)).tolist()
    return {"begin": begin, "end": end, "first_second": first, "last_second": last}


def stored_sessions(
    client: Any, address: ServerAddress, begin: int, end: int, *, sensor: str | None = None, session: str | None = None
) -> list[StoredSession]:
    """Return the sessions that have segments in the range, the earliest first; ``sensor`` and ``session`` choose."""
    chosen = ("AND sensor = %(sensor)s" if sensor else "") + (" AND session = toUUID(%(session)s)" if session else "")
    values = range_values(begin, end) | {"sensor": sensor or "", "session": session or ""}
    with as_store_errors(address):
        rows = client.execute(_SESSIONS.format(in_range=IN_RANGE, chosen=chosen), values)
    return [StoredSession(plain(str(name)), origin, count, bool(earlier)) for name, origin, count, earlier in rows]


def file_sessions(client: Any, address: ServerAddress, sessions: list[str]) -> frozenset[str]:
    """Return those of the sessions that are captures which were analysed as files."""
    with as_store_errors(address):
        rows = client.execute(
            "SELECT DISTINCT session FROM captures WHERE has(%(sessions)s, toString(session))",
            {"sessions": [f"{name[:8]}-{name[8:12]}-{name[12:16]}-{name[16:20]}-{name[20:]}" for name in sessions]},
        )
    return frozenset(plain(str(name)) for (name,) in rows)


def stored_segments(reader: ArrayReader, session: str, begin: int, end: int) -> Iterator[SegmentColumns]:
    """Yield the segments of a session that were captured in the range, sorted by frame, in blocks."""
    statement = _ROWS.format(columns=_COLUMNS, in_range=IN_RANGE)
    for block in reader.blocks(statement, {"session": session, **range_values(begin, end)}, _SETTINGS):
        yield _segments(block)


def conversation_segments(
    reader: ArrayReader, session: str, one: tuple[str, int], other: tuple[str, int]
) -> Iterator[SegmentColumns]:
    """Yield all segments of a session between two ends, sorted by frame, in blocks.

    Ends are addresses (IPv6, or IPv4 as ::ffff:a.b.c.d) with ports; they may have had several conversations.
    """
    values = {"session": session, "one": one[0], "other": other[0], "port": one[1], "other_port": other[1]}
    for block in reader.blocks(_CONVERSATION.format(columns=_COLUMNS), values, _SETTINGS):
        yield _segments(block)


def without_repetitions(blocks: Iterable[SegmentColumns]) -> Iterator[SegmentColumns]:
    """Leave out rows that equal the one before: the sink stores a message twice that came twice to Kafka."""
    last = empty_segments(0)
    for segments in blocks:
        both = join_segments([last, segments])
        is_new = np.ones(len(both.ts), bool)
        is_new[1:] = np.any([_changes(column) for column in both], axis=0)
        is_new[: len(last.ts)] = False
        last = take_segments(segments, slice(-1, None))
        yield take_segments(both, is_new)


def _changes(column: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return (N - 1,) whether each row but the first differs from the one before."""
    rows = column.reshape(len(column), -1)
    differs: npt.NDArray[np.bool_] = np.any(rows[1:] != rows[:-1], axis=1)
    return differs


def _segments(block: Block) -> SegmentColumns:
    """Return a block's rows in memory of their own, with the types of the record."""
    segments = empty_segments(block.rows)
    fill_segments(segments, {name: block.columns[name] for name in _OWN_COLUMNS}, block.columns["sack"])
    return segments


def fill_segments(segments: SegmentColumns, columns: Mapping[str, npt.NDArray[Any]], sack: Lists) -> None:
    """Copy columns of an answer, and its lists of edges, into the columns of segments."""
    for name, column in columns.items():
        getattr(segments, name)[...] = column
    lengths = np.diff(sack.ends.astype(np.int64), prepend=0)
    present = np.arange(segments.sack.shape[1]) < lengths[:, None]
    segments.sack[...] = 0
    segments.sack[present] = sack.values
    segments.sack_count[:] = lengths // 2
