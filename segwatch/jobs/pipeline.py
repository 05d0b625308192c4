"""Captures through reader, decoder and engine: two threads, recycled memory, a bounded queue between them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy.typing as npt

from ingest.capture.reader import CaptureReader
from processors.engine import Engine
from segwatch.jobs.content import Content
from segwatch.jobs.decoding import BATCH_FRAMES, DecodedCapture
from segwatch.jobs.finding import BatchFinder
from segwatch.records.findings import FindingColumns, take_findings
from segwatch.records.pool import finding_pool
from segwatch.records.segments import SegmentColumns

if TYPE_CHECKING:
    from processors.verdicts.engine import Verdicts


class AnalysedBatch(NamedTuple):
    """Some segments of a capture, in order."""

    segments: SegmentColumns
    findings: FindingColumns
    """One row for each segment; their memory is taken again when nothing refers to them any more."""
    closed: npt.NDArray[Any]
    """Intervals that ended (``INTERVAL``); written again by the next batch."""
    judged: npt.NDArray[Any]
    """Verdicts (``VERDICT``), none unless they are wanted; written again by the next batch."""


def new_verdicts() -> "Verdicts":
    """Return what judges segments, for an engine."""
    from processors.verdicts.engine import Verdicts  # its kernels take long to load

    return Verdicts()


class CapturePipeline:
    """Analyses one capture: iterate over the batches, then take ``remaining_intervals`` and ``content``.

    Decoding runs in a thread of its own, the analysis in the caller's; conversations are found in either
    (``BatchFinder``). Errors of the thread are raised in the caller. Use with ``with``: leaving it early stops it.
    """

    def __init__(self, path: str, rules: str, *, named: bool = False, judges: bool = False) -> None:
        """``judges``: verdicts are wanted, too."""
        self.engine = Engine(rules=rules, verdicts=new_verdicts() if judges else None)
        self._finder = BatchFinder(self.engine.flows)
        self._capture = DecodedCapture(path, named=named, finder=self._finder)
        self._findings = finding_pool(BATCH_FRAMES)

    def __enter__(self) -> "CapturePipeline":
        self._capture.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._capture.__exit__()

    @property
    def reader(self) -> CaptureReader:
        """The reader, for its progress."""
        return self._capture.reader

    def __iter__(self) -> Iterator[AnalysedBatch]:
        for segments in self._capture:
            numbers = self._finder.take()
            rows = len(segments.ts)
            if rows == 0:
                continue
            if rows > self._findings.rows:
                self._findings = finding_pool(2 * rows)
            findings = take_findings(self._findings.lease(rows), slice(0, rows))
            closed = self.engine.analyze_found(segments, numbers, findings)
            yield AnalysedBatch(segments, findings, closed, self.engine.judged.rows)

    def remaining_intervals(self) -> Iterator[npt.NDArray[Any]]:
        """Yield the intervals that are open at the end, in blocks; each is valid until the next."""
        return self.engine.finish_in_blocks()

    def content(self) -> Content:
        """Return what the capture held, after the last batch."""
        return self._capture.content()
