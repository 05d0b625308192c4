"""Labelled segments as Arrow record batches: NumPy columns and validity bitmaps, no Python per row."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from segwatch.compilation import kernel
from segwatch.output.addresses import ADDRESS_LIMIT, known_addresses, write_addresses
from segwatch.output.columns import Column, column_values, present_columns
from segwatch.output.text import EVENTS, LABELS, RESET, put_word, tab_separated_style
from segwatch.records.findings import FindingColumns, take_findings
from segwatch.records.segments import SegmentColumns, take_segments
from segwatch.vocabulary import EVENT_NAMES, LABEL_NAMES, RESET_NAMES, event_text, label_text

_NANOSECONDS = pa.duration("ns")
_TYPES = {
    Column.FRAME: pa.int64(),
    Column.STREAM: pa.int32(),
    Column.LABELS: pa.string(),
    Column.DUP_ACK_NUM: pa.uint32(),
    Column.DUP_ACK_FRAME: pa.int64(),
    Column.BYTES_IN_FLIGHT: pa.uint32(),
    Column.RTO: _NANOSECONDS,
    Column.ACK_RTT: _NANOSECONDS,
    Column.WINDOW: pa.uint32(),
    Column.WINDOW_SCALE: pa.int32(),
    Column.RTO_FRAME: pa.int64(),
    Column.ACKS_FRAME: pa.int64(),
    Column.INITIAL_RTT: _NANOSECONDS,
    Column.PUSH_BYTES: pa.uint32(),
    Column.SEQ: pa.uint32(),
    Column.ACK: pa.uint32(),
    Column.NXTSEQ: pa.uint32(),
    Column.LEN: pa.uint32(),
    Column.TIME_RELATIVE: _NANOSECONDS,
    Column.TIME_DELTA: _NANOSECONDS,
    Column.COMPLETENESS: pa.uint8(),
    Column.EVENTS: pa.string(),
    Column.EMBEDDED: pa.bool_(),
    Column.TIME: pa.timestamp("ns", "UTC"),
    Column.SRC: pa.string(),
    Column.SPORT: pa.uint16(),
    Column.DST: pa.string(),
    Column.DPORT: pa.uint16(),
    Column.SEQ_RAW: pa.uint32(),
    Column.ACK_RAW: pa.uint32(),
    Column.FLAGS: pa.uint16(),
    Column.RESET: pa.string(),
}


def table_schema(with_file: bool = False) -> pa.Schema:
    """Return the schema of the record batches; ``with_file`` puts a column ``file`` in front."""
    fields = [pa.field(column.name.lower(), _TYPES[column], nullable=column is not Column.FRAME) for column in Column]
    return pa.schema([pa.field("file", pa.string(), nullable=False)] * with_file + fields)


@kernel
def write_words(
    values: Any, present: Any, column: int, form: int, names: Any, name_offsets: Any, content: Any, offsets: Any
) -> None:
    """Write what the (N,) ``values`` mean one after the other into ``content``, their ends into ``offsets``.

    ``form``, ``names``, ``name_offsets``: see ``output.text``. Rows without ``column`` get no text.
    """
    at = 0
    offsets[0] = 0
    for row in range(len(present)):
        if present[row] >> column & 1:
            at = put_word(content, at, False, names, name_offsets, form, int(values[row]))
        offsets[row + 1] = at


@kernel
def pack_presence(present: Any, column: int, bitmap: Any) -> None:
    """Write which of the (N,) rows have ``column`` into (ceil(N / 8),) bytes, the first row in the lowest bit."""
    for byte in range(len(bitmap)):
        bits = 0
        for bit in range(min(8, len(present) - 8 * byte)):
            bits |= (int(present[8 * byte + bit]) >> column & 1) << bit
        bitmap[byte] = bits


_FORMS = {Column.LABELS: LABELS, Column.EVENTS: EVENTS, Column.RESET: RESET}
_TEXT_LIMITS = {
    Column.LABELS: len(label_text((1 << len(LABEL_NAMES)) - 1)),
    Column.EVENTS: len(event_text((1 << len(EVENT_NAMES)) - 1)),
    Column.RESET: max(map(len, RESET_NAMES)),
    Column.SRC: ADDRESS_LIMIT,
    Column.DST: ADDRESS_LIMIT,
}
"""Bytes that a text takes at most."""


class _TextColumn:
    """Memory for the texts of a column, and for where they end."""

    def __init__(self, rows: int, limit: int) -> None:
        self.content = np.empty(limit * rows, np.uint8)
        self.offsets = np.empty(rows + 1, np.int32)

    def array(self, count: int, bitmap: pa.Buffer | None) -> pa.Array:
        """Return the first ``count`` texts; they lie in this memory."""
        used = pa.py_buffer(self.content[: self.offsets[count]])
        return pa.Array.from_buffers(pa.string(), count, [bitmap, pa.py_buffer(self.offsets[: count + 1]), used])


class TableBuilder:
    """Makes record batches of labelled segments, all in the same memory."""

    def __init__(self, file_name: str | None = None) -> None:
        self.schema = table_schema(file_name is not None)
        self._file_name = file_name
        self._names, self._name_offsets, _ = tab_separated_style()
        self._known_addresses = known_addresses()
        self._make_room(1)

    def _make_room(self, rows: int) -> None:
        self._rows = rows
        self._texts = {column: _TextColumn(rows, limit) for column, limit in _TEXT_LIMITS.items()}
        self._absent = {column: pa.nulls(rows, kind) for column, kind in _TYPES.items()}

    def batch(
        self, segments: SegmentColumns, findings: FindingColumns, rows: npt.NDArray[np.int64] | None = None
    ) -> pa.RecordBatch:
        """Return the rows as a record batch, all of them or those of ``rows``.

        The batch refers to the memory of the columns and of the builder: it is valid until the columns are written
        again, or until the next batch.
        """
        if rows is not None:
            segments, findings = take_segments(segments, rows), take_findings(findings, rows)
        count = len(segments.ts)
        if count > self._rows:
            self._make_room(count)
        present = present_columns(segments, findings)
        always = int(np.bitwise_and.reduce(present)) if count else 0
        ever = int(np.bitwise_or.reduce(present)) if count else 0
        values = column_values(segments, findings)
        arrays: list[pa.Array] = []
        for column in Column:
            if not ever >> column & 1:
                arrays.append(self._absent[column][:count])
                continue
            bitmap = None if always >> column & 1 else _bitmap(present, column)
            if column in (Column.SRC, Column.DST):
                addresses = segments.src if column is Column.SRC else segments.dst
                arrays.append(self._addresses(column, addresses, segments.quality, present, bitmap))
            elif column is Column.EMBEDDED:
                arrays.append(pa.Array.from_buffers(pa.bool_(), count, [bitmap, bitmap or _all_set(count)]))
            elif column in _FORMS:
                arrays.append(self._words(column, values[column], present, bitmap))
            else:
                data = pa.py_buffer(np.ascontiguousarray(values[column]))
                arrays.append(pa.Array.from_buffers(_TYPES[column], count, [bitmap, data]))
        if self._file_name is not None:
            arrays.insert(0, pa.repeat(pa.scalar(self._file_name, pa.string()), count))
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _words(
        self, column: Column, values: npt.NDArray[Any], present: npt.NDArray[np.int64], bitmap: pa.Buffer | None
    ) -> pa.Array:
        texts = self._texts[column]
        write_words(
            values, present, int(column), _FORMS[column], self._names, self._name_offsets, texts.content, texts.offsets
        )
        return texts.array(len(present), bitmap)

    def _addresses(
        self,
        column: Column,
        addresses: npt.NDArray[np.uint64],
        quality: npt.NDArray[np.uint32],
        present: npt.NDArray[np.int64],
        bitmap: pa.Buffer | None,
    ) -> pa.Array:
        texts = self._texts[column]
        octets = np.ascontiguousarray(addresses).view(np.uint8).reshape(-1, 16)
        write_addresses(
            addresses, octets, quality, present, int(column), self._known_addresses, texts.content, texts.offsets
        )
        return texts.array(len(present), bitmap)


def _bitmap(present: npt.NDArray[np.int64], column: Column) -> pa.Buffer:
    bitmap = np.empty((len(present) + 7) // 8, np.uint8)
    pack_presence(present, int(column), bitmap)
    return pa.py_buffer(bitmap)


def _all_set(count: int) -> pa.Buffer:
    return pa.py_buffer(np.full((count + 7) // 8, 0xFF, np.uint8))


_FEW_VALUES = (
    Column.STREAM, Column.LABELS, Column.WINDOW, Column.WINDOW_SCALE, Column.INITIAL_RTT, Column.COMPLETENESS,
    Column.EVENTS, Column.EMBEDDED, Column.SRC, Column.SPORT, Column.DST, Column.DPORT, Column.FLAGS, Column.RESET,
)  # fmt: skip
_NEAR_VALUES = (
    Column.FRAME, Column.BYTES_IN_FLIGHT, Column.ACKS_FRAME, Column.SEQ, Column.ACK, Column.NXTSEQ,
    Column.TIME_RELATIVE, Column.TIME_DELTA, Column.TIME, Column.SEQ_RAW, Column.ACK_RAW,
)  # fmt: skip
_SEARCHED = (Column.FRAME, Column.STREAM, Column.LABELS, Column.TIME, Column.RESET)


def _names(columns: tuple[Column, ...]) -> list[str]:
    return [column.name.lower() for column in columns]


# Measured on bulk traffic: half the time of the defaults at the same size. Dictionaries only where values repeat,
# differences where neighbours are alike, least and greatest values only where they let readers skip row groups.
PARQUET_OPTIONS: dict[str, Any] = {
    "compression": "snappy",
    "use_dictionary": ["file", *_names(_FEW_VALUES)],
    "column_encoding": dict.fromkeys(_names(_NEAR_VALUES), "DELTA_BINARY_PACKED"),
    "write_statistics": _names(_SEARCHED),
}
"""Options of ``pyarrow.parquet.ParquetWriter``."""
