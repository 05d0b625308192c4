"""Segments for tests, made from short descriptions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from segwatch.records.findings import FindingColumns, empty_findings
from segwatch.records.segments import NO_WINDOW_SCALE, SegmentColumns, empty_segments
from segwatch.vocabulary import Flag, Label, Quality, Reset

START = 1_700_000_000_000_000_000
"""Time of the first segment, nanoseconds."""
CLIENT = "client"
SERVER = "server"
_ENDS = {CLIENT: (bytes([10, 0, 0, 1]), 40000), SERVER: (bytes([192, 0, 2, 1]), 443)}
_FLAGS = {"F": Flag.FIN, "S": Flag.SYN, "R": Flag.RST, "P": Flag.PSH, "A": Flag.ACK}


@dataclass(frozen=True)
class Segment:
    """One segment of a test; times in milliseconds since the start."""

    at: float
    sender: str
    flags: str
    seq: int = 0
    ack: int = 0
    length: int = 0
    window: int = 1000
    wscale: int = NO_WINDOW_SCALE
    sack: tuple[int, ...] = ()
    mptcp: int = 0
    quality: int = 0
    client_port: int = 40000
    client: int = 1
    ip_id: int = 0
    ttl: int = 64
    tsval: int = 0
    tsecr: int = 0


def mapped(address: bytes) -> np.ndarray[Any, Any]:
    """Return an IPv4 address as the two words of a segment record."""
    return np.frombuffer(b"\0" * 10 + b"\xff\xff" + address, np.uint64)


def columns(segments: list[Segment]) -> SegmentColumns:
    """Return segment columns of a list of descriptions."""
    rows = empty_segments(len(segments))
    for column in rows:
        column[...] = 0
    for row, segment in enumerate(segments):
        ends = {CLIENT: (bytes([10, 0, 0, segment.client]), segment.client_port), SERVER: _ENDS[SERVER]}
        other = SERVER if segment.sender == CLIENT else CLIENT
        rows.ts[row] = START + round(segment.at * 1_000_000)
        rows.frame[row] = row + 1
        rows.src[row] = mapped(ends[segment.sender][0])
        rows.dst[row] = mapped(ends[other][0])
        rows.sport[row] = ends[segment.sender][1]
        rows.dport[row] = ends[other][1]
        rows.seq[row] = segment.seq % 2**32
        rows.ack[row] = segment.ack % 2**32
        rows.flags[row] = sum(_FLAGS[letter] for letter in segment.flags)
        rows.window[row] = segment.window
        rows.payload_len[row] = segment.length
        rows.wscale[row] = segment.wscale
        rows.sack[row, : len(segment.sack)] = np.array(segment.sack, np.int64) % 2**32
        rows.sack_count[row] = len(segment.sack) // 2
        rows.mptcp[row] = segment.mptcp
        rows.quality[row] = segment.quality
        rows.ttl[row] = segment.ttl
        rows.ip_id[row] = segment.ip_id
        rows.tsval[row] = segment.tsval % 2**32
        rows.tsecr[row] = segment.tsecr % 2**32
    return rows


def handshake(at: float = 0, *, client_isn: int = 1000, server_isn: int = 5000, rtt: float = 10) -> list[Segment]:
    """Return the three segments that open a connection."""
    return [
        Segment(at, CLIENT, "S", client_isn, 0),
        Segment(at + rtt / 2, SERVER, "SA", server_isn, client_isn + 1),
        Segment(at + rtt, CLIENT, "A", client_isn + 1, server_isn + 1),
    ]


def labels_of(findings: FindingColumns, row: int) -> Label:
    """Return the labels of a row."""
    return Label(int(findings.labels[row]))


def reset_of(findings: FindingColumns, row: int) -> Reset:
    """Return the class of the reset in a row."""
    return Reset(int(findings.reset[row]))


def filled_findings(rows: int) -> FindingColumns:
    """Return findings that hold rubbish, as a recycled buffer does."""
    findings = empty_findings(rows)
    for column in findings:
        column[...] = np.array(-1).astype(column.dtype)
    return findings


_NUMBERS = st.one_of(
    st.integers(0, 40).map(lambda step: step * 100),
    st.sampled_from([0, 1, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 2, 2**32 - 1]),
    st.integers(-5, 5).map(lambda step: 1000 + step),
    st.integers(-400, 400).map(lambda step: step % 2**32),
)
_STEPS = st.sampled_from([0.0, 0.001, 0.5, 1.0, 2.999999, 3.0, 19.999999, 20.0, 50.0, 300.0, 61_000.0, -0.5])
_FLAG_SETS = st.sampled_from(["A", "A", "A", "A", "PA", "S", "SA", "FA", "F", "R", "RA", "", "SFRPA", "SF", "SR"])
_QUALITIES = st.sampled_from(
    [0] * 20
    + [
        int(quality)
        for quality in (
            Quality.HEADER_UNREADABLE,
            Quality.HEADER_CUT,
            Quality.OPTIONS_CUT,
            Quality.OFFSET_TOO_SMALL,
            Quality.SHORT_SEGMENT,
            Quality.FRAGMENT,
            Quality.QUOTED_IN_ICMP,
            Quality.ANNOUNCED,
            Quality.IPV6,
        )
    ]
)


@st.composite
def hostile_segments(draw: st.DrawFn, most: int = 60) -> list[Segment]:
    """Draw segments of two conversations, whose numbers lie close to one another and to where 32 bits wrap."""
    now = 0.0
    drawn = []
    for _ in range(draw(st.integers(1, most))):
        now += draw(_STEPS)
        drawn.append(
            Segment(
                at=now,
                sender=draw(st.sampled_from([CLIENT, SERVER])),
                flags=draw(_FLAG_SETS),
                seq=draw(_NUMBERS),
                ack=draw(_NUMBERS),
                length=draw(st.sampled_from([0, 0, 1, 2, 100, 100, 100, 200, 1000])),
                window=draw(st.sampled_from([0, 1, 100, 1000, 1000])),
                wscale=draw(st.sampled_from([-1, -1, -1, 0, 3, 15])),
                sack=draw(st.sampled_from([(), (), (100, 200), (100, 200, 300, 500, 0, 2**32 - 1, 7, 9)])),
                mptcp=draw(st.sampled_from([0, 0, 0, 1, 4])),
                quality=draw(_QUALITIES),
                client_port=draw(st.sampled_from([40000, 40000, 40000, 443])),
            )
        )
    return drawn
