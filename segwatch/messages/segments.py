"""Messages of the topic ``segwatch.segments.v1``: segment records of one sensor's session for one partition.

A message without rows is a heartbeat: it lets time pass.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from segwatch.messages.arrays import (
    ADDRESS,
    EDGES,
    TIME,
    address_array,
    addresses,
    edge_lists,
    edges,
    number_array,
    numbers,
)
from segwatch.messages.errors import MessageError, Reason
from segwatch.messages.stream import (
    SchemaVersion,
    read_message,
    session_value,
    text_value,
    whole_number,
    write_message,
)
from segwatch.records.segments import NO_WINDOW_SCALE, SEGMENT_TYPES, SegmentColumns
from segwatch.vocabulary import TUNNEL_NAMES

SEGMENTS_VERSION: Final = SchemaVersion("segments", 1, 1)
MOST_ROWS: Final = 65536
"""Rows of a message at most."""
MOST_BYTES: Final = 4 << 20
"""Bytes of the columns of a message at most, before compression.

Each message costs as much as thousands of rows: with a quarter of it, all processes of a pipeline take a third more
time for a segment, with half of it a tenth more (measured).
"""
MOST_FLAGS: Final = 0xFFF
"""The flags field has 12 bits behind the data offset."""
ROW_BYTES: Final = sum(np.dtype(dtype).itemsize * (shape[0] if shape else 1) for dtype, shape in SEGMENT_TYPES.values())
"""Bytes of a row with all SACK edges."""

_ARROW_TYPES: Final[dict[str, pa.DataType]] = {"ts": TIME, "src": ADDRESS, "dst": ADDRESS, "sack": EDGES}
SEGMENTS_SCHEMA: Final = pa.schema(
    [
        pa.field(name, _ARROW_TYPES.get(name) or pa.from_numpy_dtype(dtype), nullable=False)
        for name, (dtype, _) in SEGMENT_TYPES.items()
        if name != "sack_count"
    ]
)
"""``sack_count`` is the length of the lists in ``sack``."""
_COLUMNS: Final = [(field.name, field.type) for field in SEGMENTS_SCHEMA]


class SegmentsHeader(NamedTuple):
    """What a message of segments says of itself."""

    sensor: str
    """Name of the sensor."""
    session: str
    """Capture session, 32 hexadecimal digits."""
    batch: int
    """Number of the message among those of its session for its partition, from 0 without a gap. A number at or below
    one that was seen is a repetition; a greater step is a loss that the sensor admits."""
    partition: int
    partitions: int
    """Partitions of the topic when the rows were divided among them."""
    watermark: int
    """Nanoseconds since the epoch: the session will send no segment captured before, to this partition."""
    live: bool
    """Whether the times are those of now: then a capture time after the broker's own is not to be believed."""
    last: bool
    """Whether the session ends with this message."""
    interface: str
    snaplen: int
    kernel_drops: int
    """Frames that the kernel dropped since the session's message before this one."""
    keep_one_in: int = 1
    """One in so many conversations was kept while these rows were captured (1, 2, 4, ...; 1 where this is missing):
    the others were shed because more came than could be handled. Counts times this are estimates of all."""

    def as_metadata(self) -> dict[str, str]:
        """Return the header as metadata of an Arrow schema."""
        return {name: str(int(value) if isinstance(value, bool) else value) for name, value in self._asdict().items()}

    @classmethod
    def from_metadata(cls, header: dict[str, str]) -> "SegmentsHeader":
        """Return the header in the metadata of an Arrow schema. Raises ``MessageError``."""
        return cls(
            sensor=text_value(header, "sensor"),
            session=session_value(header),
            batch=whole_number(header, "batch"),
            partition=whole_number(header, "partition"),
            partitions=whole_number(header, "partitions"),
            watermark=whole_number(header, "watermark"),
            live=bool(whole_number(header, "live")),
            last=bool(whole_number(header, "last")),
            interface=text_value(header, "interface"),
            snaplen=whole_number(header, "snaplen"),
            kernel_drops=whole_number(header, "kernel_drops"),
            keep_one_in=whole_number(header, "keep_one_in") if "keep_one_in" in header else 1,
        )


def segment_arrays(segments: SegmentColumns) -> list[Any]:
    """Return the columns as Arrow arrays in the order of ``SEGMENTS_SCHEMA``."""
    arrays: list[Any] = []
    for name, kind in _COLUMNS:
        column = getattr(segments, name)
        if name == "sack":
            arrays.append(edge_lists(segments.sack, segments.sack_count))
        elif name in {"src", "dst"}:
            arrays.append(address_array(column))
        else:
            arrays.append(number_array(column, kind))
    return arrays


def write_segments(segments: SegmentColumns, header: SegmentsHeader) -> bytes:
    """Return the message of N rows (N <= ``MOST_ROWS``)."""
    return write_message(SEGMENTS_SCHEMA, SEGMENTS_VERSION, segment_arrays(segments), header.as_metadata())


def read_segments(content: bytes) -> tuple[SegmentsHeader, SegmentColumns]:
    """Return header and columns of a message; columns may point into ``content``. Raises ``MessageError``."""
    metadata, arrays = read_message(content, SEGMENTS_SCHEMA, SEGMENTS_VERSION)
    header = SegmentsHeader.from_metadata(metadata)
    if arrays and len(arrays[0]) > MOST_ROWS:
        raise MessageError(Reason.WRONG_VALUES, f"{len(arrays[0])} rows, and {MOST_ROWS} are the most")
    return header, segment_columns(dict(zip(SEGMENTS_SCHEMA.names, arrays, strict=True)))


def segment_columns(arrays: dict[str, Any]) -> SegmentColumns:
    """Return the columns in Arrow arrays with the names of ``SEGMENTS_SCHEMA``. Raises ``MessageError``."""
    columns: dict[str, Any] = {}
    for name, (dtype, _) in SEGMENT_TYPES.items():
        if name == "sack":
            columns["sack"], columns["sack_count"] = edges(arrays["sack"])
        elif name in {"src", "dst"}:
            columns[name] = addresses(arrays[name])
        elif name != "sack_count":
            columns[name] = numbers(arrays[name], dtype)
    segments = SegmentColumns(**columns)
    _check(segments)
    return segments


def _check(segments: SegmentColumns) -> None:
    """Refuse values that no decoder gives and that later steps could not take."""
    if len(segments.ts) == 0:
        return
    if int(segments.frame.min()) < 1:
        raise MessageError(Reason.WRONG_VALUES, "frame has numbers below 1")
    if int(segments.flags.max()) > MOST_FLAGS:
        raise MessageError(Reason.WRONG_VALUES, f"flags has values above {MOST_FLAGS}")
    if int(segments.wscale.min()) < NO_WINDOW_SCALE:
        raise MessageError(Reason.WRONG_VALUES, f"wscale has values below {NO_WINDOW_SCALE}")
    if int(segments.tunnel_kind.max()) >= len(TUNNEL_NAMES):
        raise MessageError(Reason.WRONG_VALUES, f"tunnel_kind has values above {len(TUNNEL_NAMES) - 1}")
