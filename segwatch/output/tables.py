"""Labelled segments as Arrow record batches: NumPy columns and validity bitmaps, no Python per row."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from segwatch.compilation import kernel
from segwatch.output.columns import Column, column_values, present_columns
from segwatch.output.put import put_address
from segwatch.records.findings import FindingColumns, take_findings
from segwatch.records.segments import SegmentColumns, take_segments
from segwatch.vocabulary import RESET_NAMES, Quality, event_text, label_text

_ADDRESS_LIMIT = 46
"""Characters of an address at most (INET6_ADDRSTRLEN)."""

_IPV6 = int(Quality.IPV6)
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
def write_addresses(addresses: Any, quality: Any, present: Any, column: int, content: Any, offsets: Any) -> None:
    """Write the texts of (N, 16) uint8 ``addresses`` one after the other into ``content``, their ends into ``offsets``.

    ``content``: (46 N,) uint8; ``offsets``: (N + 1,) int32. Rows without ``column`` get no text.
    """
    at = 0
    offsets[0] = 0
    for row in range(len(present)):
        if present[row] >> column & 1:
            at = put_address(content, at, addresses, row, int(quality[row]) & _IPV6 != 0)
        offsets[row + 1] = at


class _Texts:
    """The texts of bit masks, made when a mask is first met."""

    def __init__(self, bits: int, text: Any) -> None:
        self._text = text
        self._code = np.full(1 << bits, -1, np.int32)
        self._texts: list[str] = []
        self._known = pa.array(self._texts, pa.string())

    def codes(self, masks: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Return the place of each mask's text in ``known``."""
        codes: npt.NDArray[np.int32] = self._code[masks]
        if (codes < 0).any():
            for mask in np.unique(masks[codes < 0]).tolist():
                self._code[mask] = len(self._texts)
                self._texts.append(self._text(mask))
            self._known = pa.array(self._texts, pa.string())
            codes = self._code[masks]
        return codes

    @property
    def known(self) -> pa.Array:
        """All texts so far."""
        return self._known


class TableBuilder:
    """Makes record batches of labelled segments."""

    def __init__(self, file_name: str | None = None) -> None:
        self.schema = table_schema(file_name is not None)
        self._file_name = file_name
        self._texts = {
            Column.LABELS: _Texts(15, label_text),
            Column.EVENTS: _Texts(9, event_text),
            Column.RESET: _Texts(8, lambda number: RESET_NAMES[number]),
        }

    def batch(
        self, segments: SegmentColumns, findings: FindingColumns, rows: npt.NDArray[np.int64] | None = None
    ) -> pa.RecordBatch:
        """Return the rows as a record batch, all of them or those of ``rows``.

        The batch refers to the memory of the columns: it is valid as long as they are not written again.
        """
        if rows is not None:
            segments, findings = take_segments(segments, rows), take_findings(findings, rows)
        count = len(segments.ts)
        present = present_columns(segments, findings)
        always = int(np.bitwise_and.reduce(present)) if count else 0
        ever = int(np.bitwise_or.reduce(present)) if count else 0
        values = column_values(segments, findings)
        arrays: list[pa.Array] = []
        for column in Column:
            if not ever >> column & 1:
                arrays.append(pa.nulls(count, _TYPES[column]))
                continue
            bitmap = None if always >> column & 1 else _bitmap(present, column)
            if column in (Column.SRC, Column.DST):
                addresses = segments.src if column is Column.SRC else segments.dst
                arrays.append(_addresses(addresses, segments.quality, present, column, bitmap))
            elif column is Column.EMBEDDED:
                arrays.append(pa.Array.from_buffers(pa.bool_(), count, [bitmap, bitmap or _all_set(count)]))
            elif column in self._texts:
                arrays.append(self._named(column, values[column], bitmap))
            else:
                data = pa.py_buffer(np.ascontiguousarray(values[column]))
                arrays.append(pa.Array.from_buffers(_TYPES[column], count, [bitmap, data]))
        if self._file_name is not None:
            arrays.insert(0, pa.repeat(pa.scalar(self._file_name, pa.string()), count))
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _named(self, column: Column, numbers: npt.NDArray[Any], bitmap: pa.Buffer | None) -> pa.Array:
        texts = self._texts[column]
        codes = pa.Array.from_buffers(pa.int32(), len(numbers), [bitmap, pa.py_buffer(texts.codes(numbers))])
        return pa.DictionaryArray.from_arrays(codes, texts.known).dictionary_decode()


def _bitmap(present: npt.NDArray[np.int64], column: Column) -> pa.Buffer:
    return pa.py_buffer(np.packbits((present & (1 << column)) != 0, bitorder="little"))


def _all_set(count: int) -> pa.Buffer:
    return pa.py_buffer(np.full((count + 7) // 8, 0xFF, np.uint8))


def _addresses(
    addresses: npt.NDArray[np.uint64],
    quality: npt.NDArray[np.uint32],
    present: npt.NDArray[np.int64],
    column: Column,
    bitmap: pa.Buffer | None,
) -> pa.Array:
    count = len(present)
    content = np.empty(_ADDRESS_LIMIT * count, np.uint8)
    offsets = np.empty(count + 1, np.int32)
    octets = np.ascontiguousarray(addresses).view(np.uint8).reshape(-1, 16)
    write_addresses(octets, quality, present, int(column), content, offsets)
    used = pa.py_buffer(content[: offsets[-1]])
    return pa.Array.from_buffers(pa.string(), count, [bitmap, pa.py_buffer(offsets), used])


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
