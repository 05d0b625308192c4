"""The columns of a labelled segment: their order, and which of them a row has.

Names, order and presence are those of the reference format (tab-separated fields of tshark 4.0: an absent value is
a field that tshark does not show), followed by what tells the segment apart: time, ends, raw numbers and reset class.
"""

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from segwatch.compilation import kernel
from segwatch.records.findings import FindingColumns, Shown
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Label, Quality


class Column(IntEnum):
    """Columns in the order of the output; the member's name in lower case is the column's name."""

    FRAME = 0
    STREAM = 1
    LABELS = 2
    DUP_ACK_NUM = 3
    DUP_ACK_FRAME = 4
    BYTES_IN_FLIGHT = 5
    RTO = 6
    ACK_RTT = 7
    WINDOW = 8
    WINDOW_SCALE = 9
    RTO_FRAME = 10
    ACKS_FRAME = 11
    INITIAL_RTT = 12
    PUSH_BYTES = 13
    SEQ = 14
    ACK = 15
    NXTSEQ = 16
    LEN = 17
    TIME_RELATIVE = 18
    TIME_DELTA = 19
    COMPLETENESS = 20
    EVENTS = 21
    EMBEDDED = 22
    TIME = 23
    SRC = 24
    SPORT = 25
    DST = 26
    DPORT = 27
    SEQ_RAW = 28
    ACK_RAW = 29
    FLAGS = 30
    RESET = 31


COLUMN_NAMES = tuple(column.name.lower() for column in Column)
"""Names of the columns in the order of the output."""


def _bits(*columns: Column) -> int:
    return sum(1 << column for column in columns)


# Plain integers: a compiled function takes them as constants.
_FRAME_ONLY = _bits(Column.FRAME)
_WHO_AND_WHEN = _bits(
    Column.FRAME, Column.TIME, Column.SRC, Column.SPORT, Column.DST, Column.DPORT, Column.SEQ_RAW, Column.ACK_RAW,
    Column.FLAGS,
)  # fmt: skip
_WITH_STREAM = _bits(Column.STREAM, Column.SEQ, Column.COMPLETENESS)
_WITH_TIMES = _bits(Column.TIME_RELATIVE, Column.TIME_DELTA)
_WITH_DUPLICATE_ACK = _bits(Column.DUP_ACK_NUM, Column.DUP_ACK_FRAME)
_WITH_IN_FLIGHT = _bits(Column.BYTES_IN_FLIGHT, Column.PUSH_BYTES)
_WITH_RTO = _bits(Column.RTO, Column.RTO_FRAME)
_LABELS, _EVENTS, _EMBEDDED, _RESET = (
    _bits(Column.LABELS), _bits(Column.EVENTS), _bits(Column.EMBEDDED), _bits(Column.RESET)
)  # fmt: skip
_LEN, _NXTSEQ, _ACK = _bits(Column.LEN), _bits(Column.NXTSEQ), _bits(Column.ACK)
_WINDOW, _WINDOW_SCALE = _bits(Column.WINDOW), _bits(Column.WINDOW_SCALE)
_ACK_RTT, _ACKS_FRAME, _INITIAL_RTT = _bits(Column.ACK_RTT), _bits(Column.ACKS_FRAME), _bits(Column.INITIAL_RTT)
_DUPLICATE_ACK = int(Label.DUPLICATE_ACK)
_UNREADABLE, _QUOTED = int(Quality.HEADER_UNREADABLE), int(Quality.QUOTED_IN_ICMP)
_SHOWN_STREAM, _SHOWN_LENGTH, _SHOWN_WINDOW, _SHOWN_SCALE, _SHOWN_TIMES, _SHOWN_ACK, _SHOWN_NEXT = (
    int(Shown.STREAM), int(Shown.LENGTH), int(Shown.WINDOW), int(Shown.SCALE), int(Shown.TIMES), int(Shown.ACK),
    int(Shown.NEXT_SEQUENCE),
)  # fmt: skip

_SEGMENT_FIELDS = {
    Column.FRAME: "frame",
    Column.LEN: "payload_len",
    Column.TIME: "ts",
    Column.SPORT: "sport",
    Column.DPORT: "dport",
    Column.SEQ_RAW: "seq",
    Column.ACK_RAW: "ack",
    Column.FLAGS: "flags",
}
_FINDINGS = frozenset(Column) - frozenset(_SEGMENT_FIELDS) - {Column.EMBEDDED, Column.SRC, Column.DST}


@kernel
def _displayed_columns(shown: int) -> int:
    """Return the columns that ``Shown`` speaks of."""
    present = 0
    if shown & _SHOWN_STREAM:
        present |= _WITH_STREAM
    if shown & _SHOWN_LENGTH:
        present |= _LEN
    if shown & _SHOWN_WINDOW:
        present |= _WINDOW
    if shown & _SHOWN_SCALE:
        present |= _WINDOW_SCALE
    if shown & _SHOWN_TIMES:
        present |= _WITH_TIMES
    if shown & _SHOWN_ACK:
        present |= _ACK
    if shown & _SHOWN_NEXT:
        present |= _NXTSEQ
    return present


@kernel
def _named_columns(quality: int, labels: int, events: int, reset: int) -> int:
    """Return the columns with names of bits and classes, and the numbers that come with a label."""
    present = 0
    if quality & _QUOTED:
        present |= _EMBEDDED
    if labels != 0:
        present |= _LABELS
        if labels & _DUPLICATE_ACK:
            present |= _WITH_DUPLICATE_ACK
    if events != 0:
        present |= _EVENTS
    if reset != 0:
        present |= _RESET
    return present


@kernel
def _measured_columns(bytes_in_flight: int, rto: int, acks_frame: int, ack_rtt: int, initial_rtt: int) -> int:
    """Return the columns that are there if their value is not 0."""
    present = 0
    if bytes_in_flight != 0:
        present |= _WITH_IN_FLIGHT
    if rto != 0:
        present |= _WITH_RTO
    if acks_frame != 0:
        present |= _ACKS_FRAME
        if ack_rtt != 0:
            present |= _ACK_RTT
    if initial_rtt != 0:
        present |= _INITIAL_RTT
    return present


@kernel
def _mark_present(
    quality: Any, shown: Any, labels: Any, events: Any, reset: Any, bytes_in_flight: Any, rto: Any, acks_frame: Any,
    ack_rtt: Any, initial_rtt: Any, present: Any,
) -> None:  # fmt: skip
    for row in range(len(present)):
        if int(quality[row]) & _UNREADABLE:
            present[row] = _FRAME_ONLY
            continue
        present[row] = (
            _WHO_AND_WHEN
            | _displayed_columns(int(shown[row]))
            | _named_columns(int(quality[row]), int(labels[row]), int(events[row]), int(reset[row]))
            | _measured_columns(
                int(bytes_in_flight[row]), int(rto[row]), int(acks_frame[row]), int(ack_rtt[row]), int(initial_rtt[row])
            )
        )


def present_columns(segments: SegmentColumns, findings: FindingColumns) -> npt.NDArray[np.int64]:
    """Return (N,) which columns each row has: bit i for ``Column(i)``."""
    present = np.empty(len(segments.ts), np.int64)
    _mark_present(
        segments.quality, findings.shown, findings.labels, findings.events, findings.reset, findings.bytes_in_flight,
        findings.rto, findings.acks_frame, findings.ack_rtt, findings.initial_rtt, present,
    )  # fmt: skip
    return present


def column_values(segments: SegmentColumns, findings: FindingColumns) -> dict[Column, npt.NDArray[Any]]:
    """Return the arrays behind the columns that hold numbers (not ``EMBEDDED``, ``SRC`` and ``DST``), as they are."""
    values = {column: getattr(findings, column.name.lower()) for column in Column if column in _FINDINGS}
    return values | {column: getattr(segments, name) for column, name in _SEGMENT_FIELDS.items()}
