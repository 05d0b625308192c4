"""What sensors saw, judged as the processors do, and stored as the sinks do."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import numpy as np

from processors.engine import Engine
from processors.verdicts.engine import Verdicts
from segwatch.records.findings import empty_findings
from segwatch.records.segments import SegmentColumns
from sinks.writer import BLOCK_ROWS, Origin, Writer


def names(sensors: int) -> list[str]:
    """Return the names of the sensors of a chain."""
    return [f"sensor{number}" for number in range(sensors)]


def store(writer: Writer, sensors: Sequence[SegmentColumns], run: str, named: Sequence[str] | None = None) -> None:
    """Store verdicts and intervals of the sensors of a run, each under a session of its own."""
    day = datetime.now(UTC).date()
    for name, segments in zip(named or names(len(sensors)), sensors, strict=True):
        session = blake2b(f"{run} {name}".encode(), digest_size=16).hexdigest()
        origin = Origin(name, session, day)
        verdicts, intervals = judged(segments)
        for begin in range(0, len(verdicts), BLOCK_ROWS):
            writer.write_verdicts(verdicts[begin : begin + BLOCK_ROWS], origin, f"{session} verdicts {begin}")
        for begin in range(0, len(intervals), BLOCK_ROWS):
            writer.write_intervals(intervals[begin : begin + BLOCK_ROWS], origin, f"{session} intervals {begin}")


def judged(segments: SegmentColumns) -> tuple[Any, Any]:
    """Return verdicts with all amendments, and intervals, of what a sensor saw."""
    engine = Engine(verdicts=Verdicts())
    closed = engine.analyze(segments, empty_findings(len(segments.ts))).copy()
    verdicts = engine.judged.rows.copy()
    return verdicts, np.concatenate([closed, *(block.copy() for block in engine.finish_in_blocks())])
