"""What sensors saw, judged as the processors do, and stored as the sinks do."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from ipaddress import IPv6Address
from typing import Any

import numpy as np

from processors.engine import Engine
from processors.verdicts.engine import Verdicts
from segwatch.records.findings import empty_findings
from segwatch.records.segments import SegmentColumns
from sinks.writer import BLOCK_ROWS, Origin, Writer

_ADDRESS_BYTES = 16
_SECOND_OCTET, _THIRD_OCTET = 13, 14


def names(sensors: int) -> list[str]:
    """Return the names of the sensors of a chain."""
    return [f"sensor{number}" for number in range(sensors)]


def store(writer: Writer, sensors: Sequence[SegmentColumns], run: int, named: Sequence[str]) -> list[IPv6Address]:
    """Store verdicts and intervals of the sensors of a run, each under a session of its own; return the hosts.

    They get other addresses for each ``run`` (below 65536), so that many have room in one store.
    """
    day = datetime.now(UTC).date()
    hosts: set[bytes] = set()
    for name, segments in zip(named, sensors, strict=True):
        for column in (segments.src, segments.dst):
            octets = column.view(np.uint8).reshape(-1, _ADDRESS_BYTES)
            octets[:, _SECOND_OCTET], octets[:, _THIRD_OCTET] = run >> 8, run & 255
            hosts.update(bytes(row) for row in np.unique(octets, axis=0))
        session = blake2b(f"{run} {name}".encode(), digest_size=16).hexdigest()
        origin = Origin(name, session, day)
        verdicts, intervals = judged(segments)
        for begin in range(0, len(verdicts), BLOCK_ROWS):
            writer.write_verdicts(verdicts[begin : begin + BLOCK_ROWS], origin, f"{session} verdicts {begin}")
        for begin in range(0, len(intervals), BLOCK_ROWS):
            writer.write_intervals(intervals[begin : begin + BLOCK_ROWS], origin, f"{session} intervals {begin}")
    return [IPv6Address(host) for host in sorted(hosts)]


def judged(segments: SegmentColumns) -> tuple[Any, Any]:
    """Return verdicts with all amendments, and intervals, of what a sensor saw."""
    engine = Engine(verdicts=Verdicts())
    closed = engine.analyze(segments, empty_findings(len(segments.ts))).copy()
    verdicts = engine.judged.rows.copy()
    return verdicts, np.concatenate([closed, *(block.copy() for block in engine.finish_in_blocks())])
