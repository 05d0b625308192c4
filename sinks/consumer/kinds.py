"""The topics that a sink reads: how a message becomes rows, and which table they go to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from segwatch.kafka.topics import ANOMALIES, INTERVALS, SEGMENTS, SENSORS, VERDICTS
from segwatch.messages.anomalies import read_anomalies
from segwatch.messages.errors import MessageError, Reason
from segwatch.messages.findings import FindingsHeader
from segwatch.messages.intervals import read_intervals
from segwatch.messages.positions import Coverage
from segwatch.messages.segments import read_segments
from segwatch.messages.status import read_status
from segwatch.messages.verdicts import read_verdicts
from segwatch.records.findings import FindingColumns
from segwatch.records.segments import SegmentColumns
from sinks.consumer.intake import check_coverage
from sinks.consumer.pace import LONGEST_SECONDS, MINUTE_SECONDS, SHORTEST_SECONDS
from sinks.writer import BLOCK_ROWS, Origin, Writer

Columns = Sequence[npt.NDArray[Any]]
"""Arrays of N rows each."""


class Content(NamedTuple):
    """The rows of a message."""

    sensor: str
    session: str
    columns: Columns
    coverage: Coverage | None = None
    """Of findings; for other messages the offset alone says what is new."""
    row: npt.NDArray[np.int64] | None = None
    """(N,) rows of the findings' positions."""

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.columns[0])


@dataclass(frozen=True)
class Kind:
    """What the messages of a topic are."""

    table: str
    read: Callable[[bytes, int], Content]
    """Reads a message that stands in a partition. Raises ``MessageError``."""
    write: Callable[[Writer, Columns, Origin, str], None]
    """Inserts joined columns under a token. Raises ``StoreError``."""
    shortest_wait: float = SHORTEST_SECONDS
    """Seconds that its batches wait for more messages, while they come, however little an insert takes."""
    longest_wait: float = LONGEST_SECONDS
    """Seconds that they wait at most, however long an insert takes."""


def _findings(header: FindingsHeader, row: npt.NDArray[np.int64], columns: Columns, partition: int) -> Content:
    check_coverage(header.coverage, row, partition)
    if len(row) > BLOCK_ROWS:
        raise MessageError(Reason.WRONG_VALUES, f"{len(row)} rows, and {BLOCK_ROWS} are the most")
    return Content(header.sensor, header.session, columns, header.coverage, row)


def _read_anomalies(value: bytes, partition: int) -> Content:
    header, (row, segments, findings) = read_anomalies(value)
    return _findings(header, row, (*segments, *findings), partition)


def _write_anomalies(writer: Writer, columns: Columns, origin: Origin, token: str) -> None:
    split = len(SegmentColumns._fields)
    writer.write_anomalies(SegmentColumns(*columns[:split]), FindingColumns(*columns[split:]), origin, token)


def _read_intervals(value: bytes, partition: int) -> Content:
    header, (row, records) = read_intervals(value)
    return _findings(header, row, (records,), partition)


def _write_intervals(writer: Writer, columns: Columns, origin: Origin, token: str) -> None:
    writer.write_intervals(columns[0], origin, token)


def _read_verdicts(value: bytes, partition: int) -> Content:
    header, (row, records) = read_verdicts(value)
    return _findings(header, row, (records,), partition)


def _write_verdicts(writer: Writer, columns: Columns, origin: Origin, token: str) -> None:
    writer.write_verdicts(columns[0], origin, token)


def _read_segments(value: bytes, partition: int) -> Content:
    header, segments = read_segments(value)
    if header.partition != partition:
        raise MessageError(
            Reason.OTHER_PARTITION, f"segments of partition {header.partition} stand in partition {partition}"
        )
    return Content(header.sensor, header.session, segments)


def _write_segments(writer: Writer, columns: Columns, origin: Origin, token: str) -> None:
    writer.write_segments(SegmentColumns(*columns), origin, token)


def _read_status(value: bytes, _partition: int) -> Content:
    status = read_status(value)
    cell = np.empty(1, object)
    cell[0] = status
    return Content(status.sensor, status.session, (cell,))


def _write_statuses(writer: Writer, columns: Columns, origin: Origin, token: str) -> None:
    writer.write_statuses(list(columns[0]), origin, token)


KINDS = {
    ANOMALIES: Kind("anomalies", _read_anomalies, _write_anomalies),
    INTERVALS: Kind("intervals", _read_intervals, _write_intervals, MINUTE_SECONDS, MINUTE_SECONDS),
    VERDICTS: Kind("verdicts", _read_verdicts, _write_verdicts),
    SENSORS: Kind("sensors", _read_status, _write_statuses),
    SEGMENTS: Kind("segments", _read_segments, _write_segments),
}
"""By topic."""
