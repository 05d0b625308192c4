"""Made-up segments and findings, and what they look like as text, in plain Python."""

import ipaddress
from typing import Any

import numpy as np
from hypothesis import strategies as st

from segwatch.output.columns import COLUMN_NAMES
from segwatch.records.findings import FINDING_TYPES, FindingColumns, Shown, empty_findings
from segwatch.records.segments import SegmentColumns, empty_segments
from segwatch.vocabulary import RESET_NAMES, Label, Quality, event_text, label_text

MAPPED = bytes(10) + b"\xff\xff"
_ADDRESSES = st.one_of(
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=4, max_size=4).map(lambda four: MAPPED + four),
    st.lists(st.sampled_from([0, 0, 0, 1, 0xFFFF, 0x0A0B]), min_size=8, max_size=8).map(
        lambda groups: b"".join(group.to_bytes(2, "big") for group in groups)
    ),
)
_TIMES = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-2_000_000_000, 2_000_000_000),
    st.sampled_from([0, -1, 1, 10**9, -(10**9)]),
)
_SIGNED = {"rto", "ack_rtt", "initial_rtt", "time_relative", "time_delta"}


def _values_of(name: str) -> Any:
    if name in _SIGNED:
        return _TIMES
    if name == "labels":
        return st.integers(0, 2**15 - 1)
    if name == "events":
        return st.integers(0, 2**9 - 1)
    if name == "reset":
        return st.integers(0, len(RESET_NAMES) - 1)
    if name == "shown":
        return st.integers(0, 127)
    if name == "stream":
        return st.integers(-1, 2**31 - 1)
    if name == "window_scale":
        return st.sampled_from([-2, -1, 1, 2, 128, 16384])
    limits = np.iinfo(FINDING_TYPES[name])
    return st.one_of(st.just(0), st.integers(0, int(limits.max)))


@st.composite
def rows(draw: Any, maximum: int = 12) -> tuple[SegmentColumns, FindingColumns]:
    """Return random columns, any value in any field that may have it."""
    count = draw(st.integers(0, maximum))
    segments, findings = empty_segments(count), empty_findings(count)
    for column in segments:
        column[...] = 0
    for row in range(count):
        segments.ts[row] = draw(_TIMES)
        segments.frame[row] = draw(st.integers(1, 2**63 - 1))
        for addresses in (segments.src, segments.dst):
            addresses[row] = np.frombuffer(draw(_ADDRESSES), np.uint64)
        for name, most in (("sport", 2**16), ("dport", 2**16), ("seq", 2**32), ("ack", 2**32), ("payload_len", 2**32)):
            getattr(segments, name)[row] = draw(st.integers(0, most - 1))
        segments.flags[row] = draw(st.integers(0, 0xFFF))
        segments.quality[row] = draw(
            st.sampled_from([0, int(Quality.IPV6), int(Quality.QUOTED_IN_ICMP), int(Quality.HEADER_UNREADABLE)])
        )
        for name in FINDING_TYPES:
            getattr(findings, name)[row] = draw(_values_of(name))
    return segments, findings


def seconds(nanoseconds: int) -> str:
    """Return a time as the output writes it."""
    sign = "-" if nanoseconds < 0 else ""
    whole, fraction = divmod(abs(nanoseconds), 1_000_000_000)
    return f"{sign}{whole}.{fraction:09d}"


def address(octets: bytes, quality: int) -> str:
    """Return an address as the output writes it."""
    if not quality & Quality.IPV6:
        return str(ipaddress.IPv4Address(octets[12:]))
    if octets.startswith(MAPPED):
        return f"::ffff:{ipaddress.IPv4Address(octets[12:])}"
    return str(ipaddress.IPv6Address(octets))


def expected_row(segments: SegmentColumns, findings: FindingColumns, row: int) -> dict[str, str]:
    """Return the present values of a row as text, by column."""
    quality = int(segments.quality[row])
    values = {"frame": str(segments.frame[row])}
    if quality & Quality.HEADER_UNREADABLE:
        return values
    finding = {name: int(getattr(findings, name)[row]) for name in FINDING_TYPES}
    values |= {
        "time": seconds(int(segments.ts[row])),
        "src": address(segments.src[row].tobytes(), quality),
        "dst": address(segments.dst[row].tobytes(), quality),
        "sport": str(segments.sport[row]),
        "dport": str(segments.dport[row]),
        "seq_raw": str(segments.seq[row]),
        "ack_raw": str(segments.ack[row]),
        "flags": f"0x{int(segments.flags[row]):04x}",
    }
    shown = Shown(finding["shown"])
    for bit, names in (
        (Shown.STREAM, ("stream", "seq", "completeness")),
        (Shown.WINDOW, ("window",)),
        (Shown.SCALE, ("window_scale",)),
        (Shown.ACK, ("ack",)),
        (Shown.NEXT_SEQUENCE, ("nxtseq",)),
    ):
        values |= {name: str(finding[name]) for name in names if bit in shown}
    if Shown.LENGTH in shown:
        values["len"] = str(segments.payload_len[row])
    if Shown.TIMES in shown:
        values |= {name: seconds(finding[name]) for name in ("time_relative", "time_delta")}
    values |= {"labels": label_text(finding["labels"]), "events": event_text(finding["events"])}
    values["reset"] = RESET_NAMES[finding["reset"]]
    if finding["labels"] & Label.DUPLICATE_ACK:
        values |= {name: str(finding[name]) for name in ("dup_ack_num", "dup_ack_frame")}
    if finding["bytes_in_flight"]:
        values |= {name: str(finding[name]) for name in ("bytes_in_flight", "push_bytes")}
    if finding["rto"]:
        values |= {"rto": seconds(finding["rto"]), "rto_frame": str(finding["rto_frame"])}
    if finding["acks_frame"]:
        values["acks_frame"] = str(finding["acks_frame"])
        if finding["ack_rtt"]:
            values["ack_rtt"] = seconds(finding["ack_rtt"])
    if finding["initial_rtt"]:
        values["initial_rtt"] = seconds(finding["initial_rtt"])
    if quality & Quality.QUOTED_IN_ICMP:
        values["embedded"] = "1"
    return {name: values[name] for name in COLUMN_NAMES if values.get(name)}
