"""Writers of labelled segments, one for each format."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from segwatch.output.beside import Beside
from segwatch.output.target import OutputTarget
from segwatch.output.text import TextFormatter, TextStyle, json_style, tab_separated_header, tab_separated_style
from segwatch.records.findings import FindingColumns, empty_findings, take_findings
from segwatch.records.segments import SegmentColumns, empty_segments, take_segments

ROW_GROUP_ROWS = 1 << 17
"""Rows of a row group of a Parquet file."""


class RowWriter(ABC):
    """Writes rows of several captures, one capture after the other."""

    def __init__(self, target: OutputTarget, *, with_file: bool) -> None:
        self._target = target
        self._with_file = with_file

    @abstractmethod
    def begin_file(self, name: str) -> None:
        """Say which capture the next rows come from."""

    @abstractmethod
    def write(self, segments: SegmentColumns, findings: FindingColumns, rows: npt.NDArray[np.int64] | None) -> None:
        """Write the given rows (``None``: all).

        The columns must stay as they are while anything refers to them, as those of a pool do.
        """

    @abstractmethod
    def close(self) -> None:
        """Write what a good end needs."""


class TextWriter(RowWriter):
    """Tab-separated values or JSON lines."""

    def __init__(
        self, target: OutputTarget, style: Callable[[str | None], TextStyle], header: bytes, *, with_file: bool
    ) -> None:
        super().__init__(target, with_file=with_file)
        self._style = style
        self._formatter = TextFormatter(style(None))
        target.write(header)

    def begin_file(self, name: str) -> None:
        """Put ``name`` in front of the next rows, if rows have it."""
        if self._with_file:
            self._formatter = TextFormatter(self._style(name))

    def write(self, segments: SegmentColumns, findings: FindingColumns, rows: npt.NDArray[np.int64] | None) -> None:
        """Write rows as text."""
        chosen = np.arange(len(segments.ts)) if rows is None else rows
        for block in self._formatter.blocks(segments, findings, chosen):
            self._target.write(block)

    def close(self) -> None:
        """Nothing is left to write."""


class ArrowWriter(RowWriter):
    """Arrow IPC: the file format into files, the stream format into standard output.

    A record batch is written in a thread of its own while the next one is made, in the memory of another builder.
    """

    def __init__(self, target: OutputTarget, *, with_file: bool) -> None:
        from segwatch.output.columnar import arrow_file
        from segwatch.output.tables import TableBuilder, table_schema

        super().__init__(target, with_file=with_file)
        self._new_builder = TableBuilder
        self._builders = self._two_builders("" if with_file else None)
        self._writing = Beside("segwatch-write")
        self._file = arrow_file(target, table_schema(with_file))

    def _two_builders(self, name: str | None) -> Iterator[Any]:
        return itertools.cycle([self._new_builder(name), self._new_builder(name)])

    def begin_file(self, name: str) -> None:
        """Put ``name`` in front of the next rows, if rows have it."""
        if self._with_file:
            self._builders = self._two_builders(name)

    def write(self, segments: SegmentColumns, findings: FindingColumns, rows: npt.NDArray[np.int64] | None) -> None:
        """Write a record batch."""
        batch = next(self._builders).batch(segments, findings, rows)
        with self._target.guarded():
            self._writing.do(partial(self._file.writer.write_batch, batch))

    def close(self) -> None:
        """Write the end of the Arrow data."""
        with self._target.guarded():
            self._writing.close()
        self._file.close()


class ParquetWriter(RowWriter):
    """Parquet, in row groups that span batches."""

    def __init__(self, target: OutputTarget, *, with_file: bool) -> None:
        from segwatch.output.columnar import parquet_file
        from segwatch.output.tables import PARQUET_OPTIONS, TableBuilder, table_schema

        super().__init__(target, with_file=with_file)
        self._builder = TableBuilder
        self._batches = TableBuilder("" if with_file else None)
        self._segments = empty_segments(ROW_GROUP_ROWS)
        self._findings = empty_findings(ROW_GROUP_ROWS)
        self._filled = 0
        self._file = parquet_file(target, table_schema(with_file), **PARQUET_OPTIONS)

    def begin_file(self, name: str) -> None:
        """Put ``name`` in front of the next rows, if rows have it."""
        if self._with_file:
            self._flush()
            self._batches = self._builder(name)

    def write(self, segments: SegmentColumns, findings: FindingColumns, rows: npt.NDArray[np.int64] | None) -> None:
        """Write a row group whenever there is enough for one."""
        count = len(segments.ts) if rows is None else len(rows)
        done = 0
        while done < count:
            step = min(count - done, ROW_GROUP_ROWS - self._filled)
            source: Any = slice(done, done + step) if rows is None else rows[done : done + step]
            _copy_rows(segments, self._segments, source, self._filled, step)
            _copy_rows(findings, self._findings, source, self._filled, step)
            done += step
            self._filled += step
            if self._filled == ROW_GROUP_ROWS:
                self._flush()

    def _flush(self) -> None:
        if not self._filled:
            return
        filled = slice(0, self._filled)
        segments = take_segments(self._segments, filled)
        findings = take_findings(self._findings, filled)
        batch = self._batches.batch(segments, findings)  # not guarded: what goes wrong in it is not the output
        with self._target.guarded():
            self._file.writer.write_batch(batch, row_group_size=ROW_GROUP_ROWS)
        self._filled = 0

    def close(self) -> None:
        """Write the last row group and the footer."""
        self._flush()
        self._file.close()


def _copy_rows(source: Any, target: Any, rows: Any, start: int, count: int) -> None:
    for name in _USED & set(source._fields):
        getattr(target, name)[start : start + count] = getattr(source, name)[rows]


_USED = frozenset(FindingColumns._fields) | {
    "ts", "frame", "src", "dst", "sport", "dport", "seq", "ack", "flags", "payload_len", "quality",
}  # fmt: skip
"""Columns that an output reads."""

FORMATS: Final[dict[str, str]] = {
    "tsv": "tab-separated values with a header",
    "jsonl": "a JSON object per line",
    "arrow": "Arrow IPC, a stream on standard output",
    "parquet": "Parquet",
}
"""Names of the formats, and what they are."""


def open_writer(name: str, target: OutputTarget, *, with_file: bool) -> RowWriter:
    """Return a writer of the format ``name``; ``with_file`` puts the name of the capture first in every row."""
    match name:
        case "tsv":
            header = tab_separated_header(with_file)
            return TextWriter(target, tab_separated_style, header, with_file=with_file)
        case "jsonl":
            return TextWriter(target, json_style, b"", with_file=with_file)
        case "arrow":
            return ArrowWriter(target, with_file=with_file)
        case "parquet":
            return ParquetWriter(target, with_file=with_file)
        case _:
            raise ValueError(name)
