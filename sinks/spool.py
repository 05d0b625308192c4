"""Findings kept until the whole capture is read: in memory up to a limit, then in a file that has no name.

The name of a file's session is the digest of its content, known only at its end, so nothing can be stored before.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from segwatch.errors import StoreError
from segwatch.memory import joined_columns
from segwatch.records.findings import FINDING_TYPES, FindingColumns
from segwatch.records.intervals import INTERVAL
from segwatch.records.segments import SEGMENT_TYPES, SegmentColumns
from segwatch.records.verdicts import VERDICT
from sinks.writer import BLOCK_ROWS

DEFAULT_MEMORY_BYTES = 256 << 20

_Arrays = list[npt.NDArray[Any]]
_ColumnTypes = list[tuple[np.dtype[Any], tuple[int, ...]]]

_SEGMENT_COLUMNS: _ColumnTypes = [(np.dtype(kind), shape) for kind, shape in SEGMENT_TYPES.values()]
_FINDING_COLUMNS: _ColumnTypes = [(np.dtype(kind), ()) for kind in FINDING_TYPES.values()]


class _Batch(NamedTuple):
    """Rows of one stream: their columns in memory, or where these lie in the file."""

    rows: int
    columns: _Arrays | None
    offset: int


class _Stream:
    """Rows of one kind, in the order in which they came."""

    def __init__(self, types: _ColumnTypes) -> None:
        self.types = types
        self.batches: list[_Batch] = []
        self.rows = 0
        self.first_in_memory = 0


class FindingSpool:
    """Keeps rows in the order of their coming and gives them back in blocks.

    How the rows came in batches has no influence on the blocks: every block but the last of a kind has exactly
    ``BLOCK_ROWS`` rows. Arrays that are added belong to the spool from then on; they must not be views of a buffer
    that is used again.
    """

    def __init__(self, memory_bytes: int = DEFAULT_MEMORY_BYTES, directory: Path | None = None) -> None:
        self._limit = memory_bytes
        self._directory = directory
        self._in_memory = 0
        self._file: IO[bytes] | None = None
        self._anomalies = _Stream(_SEGMENT_COLUMNS + _FINDING_COLUMNS)
        self._intervals = _Stream([(INTERVAL, ())])
        self._verdicts = _Stream([(VERDICT, ())])
        self._segments = _Stream(_SEGMENT_COLUMNS)

    def __enter__(self) -> Self:
        """Return the spool itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Forget all rows."""
        self.close()

    def close(self) -> None:
        """Forget all rows; the file's space is free again."""
        if self._file is not None:
            self._file.close()
            self._file = None
        for stream in self._streams:
            stream.batches.clear()
        self._in_memory = 0

    @property
    def anomalies(self) -> int:
        """Rows of segments with their findings."""
        return self._anomalies.rows

    @property
    def intervals(self) -> int:
        """Interval records."""
        return self._intervals.rows

    @property
    def verdicts(self) -> int:
        """Verdicts, amendments counted."""
        return self._verdicts.rows

    @property
    def segments(self) -> int:
        """Segment records."""
        return self._segments.rows

    @property
    def in_memory(self) -> int:
        """Bytes of rows that are held in memory."""
        return self._in_memory

    @property
    def _streams(self) -> tuple[_Stream, ...]:
        return (self._anomalies, self._intervals, self._verdicts, self._segments)

    def add_anomalies(self, segments: SegmentColumns, findings: FindingColumns) -> None:
        """Keep N rows for the table ``anomalies``. Raises ``StoreError`` if the disk is full."""
        self._add(self._anomalies, [*segments, *findings])

    def add_intervals(self, intervals: npt.NDArray[np.void]) -> None:
        """Keep (N,) records of type ``INTERVAL``. Raises ``StoreError`` if the disk is full."""
        self._add(self._intervals, [intervals])

    def add_verdicts(self, verdicts: npt.NDArray[Any]) -> None:
        """Keep (N,) records of type ``VERDICT``. Raises ``StoreError`` if the disk is full."""
        self._add(self._verdicts, [verdicts])

    def add_segments(self, segments: SegmentColumns) -> None:
        """Keep N rows for the table ``segments``. Raises ``StoreError`` if the disk is full."""
        self._add(self._segments, list(segments))

    def anomaly_blocks(self) -> Iterator[tuple[SegmentColumns, FindingColumns]]:
        """Yield the anomalies, ``BLOCK_ROWS`` at a time."""
        split = len(_SEGMENT_COLUMNS)
        for columns in self._blocks(self._anomalies):
            yield SegmentColumns(*columns[:split]), FindingColumns(*columns[split:])

    def interval_blocks(self) -> Iterator[npt.NDArray[np.void]]:
        """Yield the intervals, ``BLOCK_ROWS`` at a time."""
        for (intervals,) in self._blocks(self._intervals):
            yield intervals

    def verdict_blocks(self) -> Iterator[npt.NDArray[Any]]:
        """Yield the verdicts, ``BLOCK_ROWS`` at a time."""
        for (verdicts,) in self._blocks(self._verdicts):
            yield verdicts

    def segment_blocks(self) -> Iterator[SegmentColumns]:
        """Yield the segments, ``BLOCK_ROWS`` at a time."""
        for columns in self._blocks(self._segments):
            yield SegmentColumns(*columns)

    def _add(self, stream: _Stream, columns: _Arrays) -> None:
        rows = len(columns[0])
        if rows == 0:
            return
        stream.batches.append(_Batch(rows, columns, 0))
        stream.rows += rows
        self._in_memory += sum(column.nbytes for column in columns)
        if self._in_memory > self._limit:
            self._move_to_disk()

    def _move_to_disk(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="segwatch-", dir=self._directory)  # noqa: SIM115 - close() closes it
            self._file.seek(0, 2)
            for stream in self._streams:
                self._write(stream, self._file)
            self._file.flush()
        except OSError as error:
            where = self._directory or tempfile.gettempdir()
            raise StoreError(
                f"Findings cannot be kept in a temporary file in {where} ({error.strerror}); free some space there, or "
                "choose another folder with TMPDIR."
            ) from error
        self._in_memory = 0

    @staticmethod
    def _write(stream: _Stream, file: IO[bytes]) -> None:
        for index in range(stream.first_in_memory, len(stream.batches)):
            batch = stream.batches[index]
            offset = file.tell()
            for (kind, _), column in zip(stream.types, batch.columns or [], strict=True):
                file.write(np.ascontiguousarray(column, kind).view(np.uint8).data)
            stream.batches[index] = _Batch(batch.rows, None, offset)
        stream.first_in_memory = len(stream.batches)

    def _blocks(self, stream: _Stream) -> Iterator[_Arrays]:
        pending: list[_Arrays] = []
        waiting = 0
        for batch in stream.batches:
            columns = self._read(stream, batch)
            start = 0
            while waiting + batch.rows - start >= BLOCK_ROWS:
                end = start + BLOCK_ROWS - waiting
                yield joined_columns([*pending, [column[start:end] for column in columns]])
                pending, waiting, start = [], 0, end
            if start < batch.rows:
                pending.append([column[start:] for column in columns])
                waiting += batch.rows - start
        if pending:
            yield joined_columns(pending)

    def _read(self, stream: _Stream, batch: _Batch) -> _Arrays:
        if batch.columns is not None:
            return batch.columns
        if self._file is None:
            raise ValueError("the spool is closed")
        self._file.seek(batch.offset)
        columns = []
        for kind, shape in stream.types:
            column: npt.NDArray[Any] = np.empty((batch.rows, *shape), kind)
            view = column.reshape(-1).view(np.uint8).data
            if self._file.readinto(view) != len(view):  # type: ignore[attr-defined]  # a binary file has it; IO[bytes] does not say so
                raise StoreError("The temporary file that keeps the findings is shorter than it was written.")
            columns.append(column)
        return columns
