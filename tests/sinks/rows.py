"""Rows of all kinds for the tests of the store."""

import numpy as np

from segwatch.records.findings import FINDING_TYPES, FindingColumns, empty_findings
from segwatch.records.intervals import INTERVAL, INTERVAL_NANOSECONDS
from segwatch.records.segments import SEGMENT_TYPES, SegmentColumns, empty_segments
from segwatch.records.verdicts import VERDICT
from segwatch.vocabulary import (
    CAUSE_NAMES,
    LABEL_NAMES,
    NEEDED_NAMES,
    PLACE_NAMES,
    RESET_NAMES,
    STAGE_NAMES,
    TUNNEL_NAMES,
)
from sinks.store import CaptureFacts

FACTS = CaptureFacts("capture.pcap", 1234, 60, 50, 5, 1_700_000_000_000_000_001, 1_700_000_000_999_999_999)
START = 1_790_000_040_000_000_000


def some_segments(rows: int, seed: int = 1) -> SegmentColumns:
    """Return segments whose fields take all values of their types, as far as the record contract allows."""
    rng = np.random.default_rng(seed)
    segments = empty_segments(rows)
    for name, (kind, shape) in SEGMENT_TYPES.items():
        limits = np.iinfo(kind)
        getattr(segments, name)[...] = rng.integers(limits.min, limits.max, (rows, *shape), kind, endpoint=True)
    segments.ts[:] = START + np.arange(rows) * 1_000_003
    segments.frame[:] = np.arange(1, rows + 1)
    segments.sack_count[:] = rng.integers(0, 5, rows)
    segments.tunnel_kind[:] = rng.integers(0, len(TUNNEL_NAMES), rows)
    return segments


def some_findings(rows: int, seed: int = 2) -> FindingColumns:
    """Return findings whose fields take all values of their types, as far as the record contract allows."""
    rng = np.random.default_rng(seed)
    findings = empty_findings(rows)
    for name, kind in FINDING_TYPES.items():
        limits = np.iinfo(kind)
        getattr(findings, name)[...] = rng.integers(limits.min, limits.max, rows, kind, endpoint=True)
    for name in ("dup_ack_frame", "rto_frame", "acks_frame"):
        np.abs(getattr(findings, name), out=getattr(findings, name))
    findings.labels[:] = rng.integers(1, 1 << len(LABEL_NAMES), rows)
    findings.events[:] = rng.integers(0, 1 << 9, rows)
    findings.reset[:] = rng.integers(0, len(RESET_NAMES), rows)
    findings.from_client[:] = rng.integers(0, 2, rows)
    return findings


def some_intervals(rows: int, seed: int = 3) -> np.ndarray:
    """Return interval records of one conversation each."""
    rng = np.random.default_rng(seed)
    intervals = np.zeros(rows, INTERVAL)
    intervals["start"] = START // INTERVAL_NANOSECONDS * INTERVAL_NANOSECONDS
    intervals["client"] = rng.integers(0, 2**64 - 1, (rows, 2), np.uint64)
    intervals["server"] = rng.integers(0, 2**64 - 1, (rows, 2), np.uint64)
    intervals["client_port"] = rng.integers(0, 65536, rows)
    intervals["server_port"] = 443
    intervals["ip_version"] = 6
    intervals["completeness"] = 31
    intervals["reset"] = rng.integers(0, len(RESET_NAMES), rows)
    intervals["closer"] = rng.integers(0, 3, rows)
    intervals["stream"] = np.arange(rows)
    for name in ("first", "opened"):
        intervals[name] = START + np.arange(rows)
    intervals["last"] = START + 1_000_000_000
    intervals["initial_rtt"] = 20_000_000
    for name in ("segments", "data_segments", "payload_bytes", "rtt_sum", "rtt_min", "rtt_max", "rtt_count", "fins"):
        intervals["sent"][name] = rng.integers(1, 1000, (rows, 2))
    intervals["sent"]["quality"] = rng.integers(1, 2**32, (rows, 2))
    intervals["sent"]["labels"] = rng.integers(0, 3, (rows, 2, len(LABEL_NAMES)))
    return intervals


def some_verdicts(rows: int, seed: int = 4) -> np.ndarray:
    """Return verdicts of one frame each, whose fields take all values of their types as far as the contract allows."""
    rng = np.random.default_rng(seed)
    verdicts = np.zeros(rows, VERDICT)
    for name in VERDICT.names or ():
        kind = VERDICT[name].base
        shape = (rows, *VERDICT[name].shape)
        if kind.kind == "f":
            verdicts[name] = rng.random(shape, kind)
        else:
            limits = np.iinfo(kind)
            verdicts[name] = rng.integers(limits.min, limits.max, shape, kind, endpoint=True)
    verdicts["time"] = START + np.arange(rows) * 1_000_003
    verdicts["frame"] = np.arange(1, rows + 1)
    for name in ("original_frame", "amended_by"):
        np.abs(verdicts[name] >> 1, out=verdicts[name])
    np.abs(verdicts["stalled"] >> 16, out=verdicts["stalled"])  # so that sums fit in, too
    for name, names in (("cause", CAUSE_NAMES), ("needed", NEEDED_NAMES), ("place", PLACE_NAMES),
                        ("stage", STAGE_NAMES)):  # fmt: skip
        verdicts[name] = rng.integers(0, len(names), rows)
    verdicts["from_client"] = rng.integers(0, 2, rows)
    return verdicts
