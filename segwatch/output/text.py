"""Labelled segments as tab-separated values and as JSON lines, written by compiled code.

Both forms come from one row writer: a style says what stands before each value, and whether an absent value leaves
an empty field (tab-separated) or nothing at all (JSON).
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from segwatch.compilation import kernel
from segwatch.output.columns import COLUMN_NAMES, Column, column_values, present_columns
from segwatch.output.put import put_address, put_bytes, put_flags, put_integer, put_seconds
from segwatch.records.findings import FindingColumns
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import EVENT_NAMES, LABEL_NAMES, RESET_NAMES, Quality

ROW_LIMIT = 4096
"""Bytes that a row may take at most, without the file name in front of it."""
BUFFER_BYTES = 1 << 22

_QUOTE = ord('"')
_COMMA = ord(",")
_OPEN, _CLOSE, _END = ord("["), ord("]"), ord("}")
_LINE_FEED = ord("\n")
_IPV6 = int(Quality.IPV6)

_NUMBER, _TIME, _ADDRESS, _FLAGS, LABELS, EVENTS, RESET = range(7)
_FORMS = dict.fromkeys(Column, _NUMBER) | {
    Column.RTO: _TIME,
    Column.ACK_RTT: _TIME,
    Column.INITIAL_RTT: _TIME,
    Column.TIME_RELATIVE: _TIME,
    Column.TIME_DELTA: _TIME,
    Column.TIME: _TIME,
    Column.LABELS: LABELS,
    Column.EVENTS: EVENTS,
    Column.SRC: _ADDRESS,
    Column.DST: _ADDRESS,
    Column.FLAGS: _FLAGS,
    Column.RESET: RESET,
}
"""How the value of a column is written."""
_SRC = int(Column.SRC)


_LABEL_ORDER = tuple(sorted(range(len(LABEL_NAMES)), key=lambda bit: LABEL_NAMES[bit]))
_EVENT_ORDER = tuple(sorted(range(len(EVENT_NAMES)), key=lambda bit: EVENT_NAMES[bit]))
_FIRST_LABEL = len(COLUMN_NAMES)
_FIRST_EVENT = _FIRST_LABEL + len(LABEL_NAMES)
_FIRST_RESET = _FIRST_EVENT + len(EVENT_NAMES)


class TextStyle(NamedTuple):
    """How rows look.

    Text i is ``content[offsets[i]:offsets[i + 1]]``: what stands before the value of each column, then the names of
    labels, events and reset classes.
    """

    content: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    is_json: bool


def _style(prefixes: list[str], is_json: bool) -> TextStyle:
    texts = [text.encode("utf-8", "surrogateescape") for text in (*prefixes, *LABEL_NAMES, *EVENT_NAMES, *RESET_NAMES)]
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    return TextStyle(np.frombuffer(b"".join(texts), np.uint8), offsets, is_json)


def tab_separated_style(file_name: str | None = None) -> TextStyle:
    """Return the style of tab-separated values; with ``file_name`` it stands in a first column of every row."""
    first = "" if file_name is None else _without_separators(file_name) + "\t"
    return _style([first, *["\t"] * (len(COLUMN_NAMES) - 1)], is_json=False)


def json_style(file_name: str | None = None) -> TextStyle:
    """Return the style of JSON lines; with ``file_name`` every object begins with the member ``file``."""
    printable = None if file_name is None else file_name.encode("utf-8", "backslashreplace").decode()
    first = "{" if printable is None else '{"file":' + json.dumps(printable, ensure_ascii=False) + ","
    names = [f'"{name}":' for name in COLUMN_NAMES]
    return _style([first + names[0], *("," + name for name in names[1:])], is_json=True)


def tab_separated_header(with_file: bool = False) -> bytes:
    """Return the header line of tab-separated values."""
    return "\t".join(["file"] * with_file + list(COLUMN_NAMES)).encode() + b"\n"


def _without_separators(name: str) -> str:
    return name.replace("\t", " ").replace("\n", " ").replace("\r", " ")


@kernel
def _put_mark(out: Any, at: int, is_json: bool, mark: int) -> int:
    """Write a character that only JSON has."""
    if is_json:
        out[at] = mark
        return at + 1
    return at


@kernel
def _put_text(out: Any, at: int, content: Any, offsets: Any, text: int) -> int:
    return put_bytes(out, at, content, offsets[text], offsets[text + 1])


@kernel
def _put_names(
    out: Any, at: int, is_json: bool, content: Any, offsets: Any, first: int, order: tuple[int, ...], mask: int
) -> int:
    """Write the names of the bits of ``mask`` in alphabetical order: separated by commas, in JSON a list of strings."""
    at = _put_mark(out, at, is_json, _OPEN)
    written = 0
    for bit in order:
        if not mask >> bit & 1:
            continue
        if written > 0:
            out[at] = _COMMA
            at += 1
        at = _put_mark(out, at, is_json, _QUOTE)
        at = _put_text(out, at, content, offsets, first + bit)
        at = _put_mark(out, at, is_json, _QUOTE)
        written += 1
    return _put_mark(out, at, is_json, _CLOSE)


@kernel
def put_word(out: Any, at: int, is_json: bool, content: Any, offsets: Any, form: int, value: int) -> int:
    """Write names, flags or the class of a reset."""
    if form == LABELS:
        return _put_names(out, at, is_json, content, offsets, _FIRST_LABEL, _LABEL_ORDER, value)
    if form == EVENTS:
        return _put_names(out, at, is_json, content, offsets, _FIRST_EVENT, _EVENT_ORDER, value)
    at = _put_mark(out, at, is_json, _QUOTE)
    at = put_flags(out, at, value) if form == _FLAGS else _put_text(out, at, content, offsets, _FIRST_RESET + value)
    return _put_mark(out, at, is_json, _QUOTE)


@kernel
def _put_quoted_address(out: Any, at: int, is_json: bool, addresses: Any, row: int, ipv6: bool) -> int:
    at = _put_mark(out, at, is_json, _QUOTE)
    at = put_address(out, at, addresses, row, ipv6)
    return _put_mark(out, at, is_json, _QUOTE)


@kernel
def put_rows(
    out: Any, content: Any, offsets: Any, is_json: bool, forms: Any, values: Any, present: Any, src: Any, dst: Any,
    quality: Any, rows: Any, start: int, row_limit: int,
) -> tuple[int, int]:  # fmt: skip
    """Write ``rows[start:]`` (int64 row numbers) until done or until ``out`` may have no room for another.

    ``values``: (N, columns) int64; ``present``: (N,) int64, see ``output.columns``; ``src``, ``dst``: (N, 16) uint8,
    the bytes of the addresses. Returns the index of the next row and the bytes written.
    """
    at = 0
    index = start
    while index < len(rows) and at + row_limit <= len(out):
        row = int(rows[index])
        for column in range(len(forms)):
            here = present[row] >> column & 1
            if is_json and not here:
                continue
            at = _put_text(out, at, content, offsets, column)
            if not here:
                continue
            form = forms[column]
            value = int(values[row, column])
            if form == _NUMBER:
                at = put_integer(out, at, value)
            elif form == _TIME:
                at = put_seconds(out, at, value)
            elif form == _ADDRESS:
                ipv6 = int(quality[row]) & _IPV6 != 0
                at = _put_quoted_address(out, at, is_json, src if column == _SRC else dst, row, ipv6)
            else:
                at = put_word(out, at, is_json, content, offsets, form, value)
        at = _put_mark(out, at, is_json, _END)
        out[at] = _LINE_FEED
        at += 1
        index += 1
    return index, at


class TextFormatter:
    """Turns rows into text, through one buffer that is used again and again."""

    def __init__(self, style: TextStyle) -> None:
        self._style = style
        self._row_limit = ROW_LIMIT + len(style.content)
        self._buffer = np.empty(max(BUFFER_BYTES, self._row_limit), np.uint8)
        self._forms = np.array([_FORMS[column] for column in Column], np.int64)

    def blocks(
        self, segments: SegmentColumns, findings: FindingColumns, rows: npt.NDArray[np.int64]
    ) -> Iterator[memoryview]:
        """Yield the text of ``rows``, in pieces; each is valid until the next is asked for."""
        values = np.empty((len(segments.ts), len(COLUMN_NAMES)), np.int64)
        for column, array in column_values(segments, findings).items():
            values[:, column] = array
        values[:, Column.EMBEDDED] = 1
        present = present_columns(segments, findings)
        src, dst = _octets(segments.src), _octets(segments.dst)
        index = 0
        while index < len(rows):
            index, written = put_rows(
                self._buffer, *self._style, self._forms, values, present, src, dst, segments.quality, rows, index,
                self._row_limit,
            )  # fmt: skip
            yield self._buffer.data[:written]


def _octets(addresses: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Return (N, 2) uint64 addresses as (N, 16) bytes, without a copy where the memory allows it."""
    return np.ascontiguousarray(addresses).view(np.uint8).reshape(-1, 16)
