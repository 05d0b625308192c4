"""The segment that is judged: what the columns say of it, in one place.

A call that passes all columns on costs some 100 ns and makes every function long: so they are read once.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from processors.flow_table.state import records
from processors.serial import as_index, signed
from segwatch.compilation import inner_kernel
from segwatch.records.findings import FindingColumns
from segwatch.records.segments import SACK_EDGES, SegmentColumns


class Segment(NamedTuple):
    """What every segment is asked; all numbers are int64, as the columns of segments and findings have them."""

    seq: int
    ack: int
    window: int
    flag_bits: int
    """Not ``flags``: NumPy has that for every record."""
    length: int
    now: int
    """Capture time, nanoseconds."""
    quality: int
    ip_id: int
    tsval: int
    sack_count: int
    ack_rtt: int


class Carrier(NamedTuple):
    """What is remembered of a segment that carries something, as ``Segment`` and the columns have it."""

    now: int
    quality: int
    ip_id: int
    tsval: int
    tsecr: int
    frame: int
    ttl: int


SEGMENT: Final = records(
    [
        *((name, np.int64) for name in Segment._fields),
        ("tsecr", np.int64),
        ("frame", np.int64),
        ("ttl", np.int64),
        ("labels", np.int64),
        ("reset", np.int64),
        ("completeness", np.int64),
        ("stream", np.int64),
        ("from_client", np.int64),
        ("spoke", np.int64),
        ("spoke_tsval", np.int64),
        ("sack", np.int64, (SACK_EDGES,)),
    ]
)
"""The same as a record, and what a closer look needs. ``spoke``: when its sender's last
acknowledgment before it passed, 0 none; ``spoke_tsval``: the timestamp of that."""


@inner_kernel
def read(segments: SegmentColumns, findings: FindingColumns, row: int) -> Segment:
    """Return what every segment is asked; ``row``: see ``as_index``."""
    return Segment(
        signed(segments.seq[row]),
        signed(segments.ack[row]),
        signed(segments.window[row]),
        signed(segments.flags[row]),
        signed(segments.payload_len[row]),
        signed(segments.ts[row]),
        signed(segments.quality[row]),
        signed(segments.ip_id[row]),
        signed(segments.tsval[row]),
        signed(segments.sack_count[row]),
        signed(findings.ack_rtt[row]),
    )


@inner_kernel
def read_carrier(segment: Segment, segments: SegmentColumns, row: int) -> Carrier:
    """Return what is remembered of a segment: the columns that empty ones are not asked for are read here."""
    return Carrier(
        segment.now,
        segment.quality,
        segment.ip_id,
        segment.tsval,
        signed(segments.tsecr[row]),
        signed(segments.frame[row]),
        signed(segments.ttl[row]),
    )


@inner_kernel
def fill(record: Any, segment: Segment, segments: SegmentColumns, findings: FindingColumns, row: int) -> None:
    """Write a segment into a record of ``SEGMENT``; the caller says when its sender ``spoke``."""
    record.seq = segment.seq
    record.ack = segment.ack
    record.window = segment.window
    record.flag_bits = segment.flag_bits
    record.length = segment.length
    record.now = segment.now
    record.quality = segment.quality
    record.ip_id = segment.ip_id
    record.tsval = segment.tsval
    record.sack_count = min(segment.sack_count, SACK_EDGES // 2)
    record.ack_rtt = segment.ack_rtt
    record.tsecr = signed(segments.tsecr[row])
    record.frame = signed(segments.frame[row])
    record.ttl = signed(segments.ttl[row])
    record.labels = signed(findings.labels[row])
    record.reset = signed(findings.reset[row])
    record.completeness = signed(findings.completeness[row])
    record.stream = signed(findings.stream[row])
    record.from_client = signed(findings.from_client[row])
    for edge in range(2 * signed(record.sack_count)):
        record.sack[edge] = signed(segments.sack[row, as_index(edge)])
