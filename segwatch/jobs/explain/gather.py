"""The segments of some conversations of a capture."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from ingest.capture.live.seen_twice import SeenTwice
from processors.verdicts.engine import Verdicts
from segwatch.errors import InputError
from segwatch.explain.ledger import Ledger
from segwatch.jobs.pipeline import CapturePipeline
from segwatch.output.verdict_table import final
from segwatch.records.findings import FindingColumns, take_findings
from segwatch.records.segments import SegmentColumns, join_segments, take_segments
from segwatch.vocabulary import Quality

MOST_SEGMENTS: Final = 1 << 20
"""Segments of a conversation that are looked at, about 250 bytes each; its story ends there."""

NOT_COUNTED: Final = int(Quality.FRAGMENT | Quality.QUOTED_IN_ICMP | Quality.SHORT_SEGMENT)
"""Marks of segments that no rule looks at, and no counter counts."""


class Gathered:
    """The first ``MOST_SEGMENTS`` segments of one conversation, in the order in which they are added.

    Those that ICMP errors quote were not seen where they belong; they are kept apart.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[SegmentColumns, FindingColumns]] = []
        self._quoted: list[tuple[int, int]] = []
        self._is_cut = False
        self.segments = 0
        self.counted = 0
        """Those of them that the counters of the conversation count."""

    def add(self, segments: SegmentColumns, findings: FindingColumns, rows: npt.NDArray[np.int64]) -> None:
        """Take some rows of a batch."""
        is_quoted = (segments.quality[rows] & int(Quality.QUOTED_IN_ICMP)) != 0
        if is_quoted.any():
            places = rows[is_quoted]
            self._quoted += zip(segments.frame[places].tolist(), segments.ts[places].tolist(), strict=True)
            rows = rows[~is_quoted]
        room = MOST_SEGMENTS - self.segments
        if len(rows) > room:
            self._is_cut = True
            rows = rows[:room]
        if len(rows):
            self.segments += len(rows)
            self.counted += int(np.count_nonzero((segments.quality[rows] & NOT_COUNTED) == 0))
            self._parts.append((take_segments(segments, rows), take_findings(findings, rows)))

    def ledger(self, stream: int) -> Ledger:
        """Return what was added, one segment at least, as the conversation of that number."""
        columns = zip(*(part for _, part in self._parts), strict=True)
        findings = FindingColumns(*(np.concatenate(column) for column in columns))
        segments = join_segments([part for part, _ in self._parts])
        numbers = np.zeros(len(segments.ts), np.int32)  # of conversations: there is but one
        verdicts = final(Verdicts().judge(segments, numbers, findings))
        SeenTwice().mark(segments)  # which sensors do while they capture
        quoted = tuple(self._quoted)
        return Ledger(stream, segments, findings, is_cut=self._is_cut, quoted=quoted, verdicts=verdicts)


def ledgers(name: str, rules: str, streams: list[int]) -> Iterator[Ledger]:
    """Yield the conversations with these numbers, in that order. Raises InputError where the capture is another now."""
    if not streams:
        return
    gathered = {stream: Gathered() for stream in streams}
    with CapturePipeline(name, rules) as pipeline:
        for segments, findings, *_ in pipeline:
            for stream, one in gathered.items():
                one.add(segments, findings, np.flatnonzero(findings.stream == stream))
    for stream, one in gathered.items():
        if not one.segments:
            raise InputError(f"{name} has changed while it was read.")
        yield one.ledger(stream)
