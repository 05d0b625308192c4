"""The segments of some conversations of a capture."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from segwatch.errors import InputError
from segwatch.explain.ledger import Ledger
from segwatch.jobs.pipeline import CapturePipeline
from segwatch.records.findings import FindingColumns, take_findings
from segwatch.records.segments import SegmentColumns, join_segments, take_segments

MOST_SEGMENTS: Final = 1 << 20
"""Segments of a conversation that are looked at, about 250 bytes each; its story ends there."""


def ledgers(name: str, rules: str, streams: list[int]) -> Iterator[Ledger]:
    """Yield the conversations with these numbers, in that order. Raises InputError where the capture is another now."""
    if not streams:
        return
    parts: dict[int, list[tuple[SegmentColumns, FindingColumns]]] = {stream: [] for stream in streams}
    taken = dict.fromkeys(streams, 0)
    cut: set[int] = set()
    with CapturePipeline(name, rules) as pipeline:
        for segments, findings, _ in pipeline:
            for stream in streams:
                rows = np.flatnonzero(findings.stream == stream)
                room = MOST_SEGMENTS - taken[stream]
                if len(rows) > room:
                    cut.add(stream)
                    rows = rows[:room]
                if len(rows):
                    taken[stream] += len(rows)
                    parts[stream].append((take_segments(segments, rows), take_findings(findings, rows)))
    for stream in streams:
        if not parts[stream]:
            raise InputError(f"{name} has changed while it was read.")
        segments = join_segments([part for part, _ in parts[stream]])
        columns = zip(*(part for _, part in parts[stream]), strict=True)
        findings = FindingColumns(*(np.concatenate(column) for column in columns))
        yield Ledger(stream, segments, findings, is_cut=stream in cut)
