"""Messages of segments for tests, as a topic's partition holds them, and a reader of findings that keeps a mark."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from processors.stream.outgoing import Kind, Outgoing
from segwatch.messages.anomalies import read_anomalies
from segwatch.messages.findings import FindingsHeader
from segwatch.messages.intervals import read_intervals
from segwatch.messages.positions import START, Position
from segwatch.messages.segments import SegmentsHeader, write_segments
from segwatch.messages.verdicts import read_verdicts
from segwatch.records.segments import SegmentColumns, empty_segments, take_segments

Row = tuple[Any, ...]


class Message(NamedTuple):
    """A message as Kafka holds it."""

    offset: int
    timestamp: int
    """Milliseconds."""
    content: bytes


def session_name(number: int) -> str:
    """Return the name of a capture session."""
    return f"{number:032x}"


def messages(parts: Iterable[tuple[int, SegmentColumns, bool]]) -> list[Message]:
    """Return a partition's messages: (number of the session, rows, whether it ends) for each, of partition 0 of 1."""
    made: list[Message] = []
    batches: dict[int, int] = {}
    clocks: dict[int, int] = {}
    for number, rows, last in parts:
        clocks[number] = max(clocks.get(number, 0), int(rows.ts.max(initial=0)))
        batch = batches[number] = batches.get(number, -1) + 1
        header = SegmentsHeader(
            f"sensor-{number}", session_name(number), batch, 0, 1, clocks[number], True, last, "eth0", 262144, 0
        )
        made.append(Message(len(made), max(clocks.values()) // 1_000_000 + 50, write_segments(rows, header)))
    return made


def cut(session: int, rows: SegmentColumns, sizes: Iterable[int]) -> list[tuple[int, SegmentColumns, bool]]:
    """Return a session's rows cut into parts of these sizes, the rest in one, and an end."""
    parts, start = [], 0
    for size in sizes:
        parts.append((session, take_segments(rows, slice(start, start + size)), False))
        start += size
    parts.append((session, take_segments(rows, slice(start, len(rows.ts))), False))
    parts.append((session, empty_segments(0), True))
    return parts


class Reader:
    """Reads findings as a sink does: repetitions are dropped, and what follows a gap, too."""

    def __init__(self) -> None:
        self.marks = dict.fromkeys(Kind, START)
        self.rows: dict[Kind, list[Row]] = {kind: [] for kind in Kind}
        self.doubles = 0

    def read(self, message: Outgoing) -> None:
        """Take what is new in a message."""
        header, places, rows = _rows_in(message)
        if header.coverage.after > self.marks[message.kind]:
            return
        for place, row in zip(places.tolist(), rows, strict=True):
            if Position(header.offset, place) > self.marks[message.kind]:
                self.rows[message.kind].append((header.session, header.sensor, row))
            else:
                self.doubles += 1
        self.marks[message.kind] = max(self.marks[message.kind], header.coverage.through)


def _rows_in(message: Outgoing) -> tuple[FindingsHeader, npt.NDArray[np.int64], list[Any]]:
    if message.kind is Kind.ANOMALIES:
        header, found = read_anomalies(message.content)
        return header, found.row, rows_of((*found.segments, *found.findings))
    if message.kind is Kind.VERDICTS:
        header, verdicts = read_verdicts(message.content)
        return header, verdicts.row, plain_verdicts(verdicts.records)
    header, intervals = read_intervals(message.content)
    return header, intervals.row, [record.tobytes() for record in intervals.records]


def plain_verdicts(records: npt.NDArray[Any]) -> list[Row]:
    """Return verdicts as tuples of plain values, without the number of the conversation."""
    return rows_of(tuple(records[name] for name in records.dtype.names or () if name != "stream"))


def rows_of(columns: tuple[np.ndarray[Any, Any], ...]) -> list[Row]:
    """Return rows as tuples of plain values."""
    return list(zip(*map(_listed, columns), strict=True))


def _listed(column: np.ndarray[Any, Any]) -> list[Any]:
    values = column.tolist()
    return [tuple(value) for value in values] if column.ndim == 2 else values
