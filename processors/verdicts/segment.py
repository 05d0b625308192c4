"""The segment that is judged: what the columns say of it, in one place.

A call that passes all columns on costs some 100 ns and makes every function long: so they are read once.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from processors.flow_table.state import records
from processors.serial import signed
from segwatch.compilation import inner_kernel
from segwatch.records.findings import FindingColumns
from segwatch.records.segments import SACK_EDGES, SegmentColumns


class Segment(NamedTuple):
    """What plain segments need; all numbers are int64, as the columns of segments and findings have them."""

    seq: int
    ack: int
    window: int
    flag_bits: int
    """Not ``flags``: NumPy has that for every record."""
    length: int
    now: int
    """Capture time, nanoseconds."""
    frame: int
    quality: int
    ip_id: int
    ttl: int
    tsval: int
    tsecr: int
    sack_count: int
    ack_rtt: int


SEGMENT: Final = records(
    [
        *((name, np.int64) for name in Segment._fields),
        ("labels", np.int64),
        ("reset", np.int64),
        ("completeness", np.int64),
        ("stream", np.int64),
        ("from_client", np.int64),
        ("spoke", np.int64),
        ("spoke_tsval", np.int64),
        ("sport", np.int64),
        ("dport", np.int64),
        ("src", np.uint64, (2,)),
        ("dst", np.uint64, (2,)),
        ("sack", np.int64, (SACK_EDGES,)),
    ]
)
"""The same as a record, and what a closer look needs. ``spoke``: when its sender's last
acknowledgment before it passed, 0 none; ``spoke_tsval``: the timestamp of that."""


@inner_kernel
def read(segments: SegmentColumns, findings: FindingColumns, row: int) -> Segment:
    """Return what plain segments need."""
    return Segment(
        signed(segments.seq[row]),
        signed(segments.ack[row]),
        signed(segments.window[row]),
        signed(segments.flags[row]),
        signed(segments.payload_len[row]),
        signed(segments.ts[row]),
        signed(segments.frame[row]),
        signed(segments.quality[row]),
        signed(segments.ip_id[row]),
        signed(segments.ttl[row]),
        signed(segments.tsval[row]),
        signed(segments.tsecr[row]),
        signed(segments.sack_count[row]),
        signed(findings.ack_rtt[row]),
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
    record.frame = segment.frame
    record.quality = segment.quality
    record.ip_id = segment.ip_id
    record.ttl = segment.ttl
    record.tsval = segment.tsval
    record.tsecr = segment.tsecr
    record.sack_count = min(segment.sack_count, SACK_EDGES // 2)
    record.ack_rtt = segment.ack_rtt
    record.labels = signed(findings.labels[row])
    record.reset = signed(findings.reset[row])
    record.completeness = signed(findings.completeness[row])
    record.stream = signed(findings.stream[row])
    record.from_client = signed(findings.from_client[row])
    record.sport = signed(segments.sport[row])
    record.dport = signed(segments.dport[row])
    for half in range(2):
        record.src[half] = segments.src[row, half]
        record.dst[half] = segments.dst[row, half]
    for edge in range(2 * signed(record.sack_count)):
        record.sack[edge] = signed(segments.sack[row, edge])
