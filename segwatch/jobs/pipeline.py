"""Captures through reader, decoder and engine: three threads, recycled memory, bounded queues between them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ingest.capture.reader import CaptureReader, open_capture
from ingest.decode.decoder import Decoder
from processors.engine import Engine
from segwatch.jobs.ahead import Ahead
from segwatch.jobs.content import Content
from segwatch.records.findings import FindingColumns, empty_findings, take_findings
from segwatch.records.segments import SegmentColumns

BATCH_FRAMES = 1 << 14
"""Frames read at a time: their columns stay in the processor's cache, and few enough batches wait to cost no memory."""


class AnalysedBatch(NamedTuple):
    """Some segments of a capture, in order."""

    segments: SegmentColumns
    findings: FindingColumns
    """One row for each segment; written again by the next batch."""
    closed: npt.NDArray[Any]
    """Intervals that ended (``INTERVAL``); written again by the next batch."""


class CapturePipeline:
    """Analyses one capture: iterate over the batches, then take ``remaining_intervals`` and ``content``.

    Decoding and finding conversations run in threads of their own, the analysis in the caller's: two processors share
    the work evenly, whatever costs most in a capture. Errors of the threads are raised in the caller. Use with
    ``with``: leaving it early stops the threads.
    """

    def __init__(self, path: str, rules: str) -> None:
        self._reader = open_capture(path)
        self._decoder = Decoder()
        self.engine = Engine(rules=rules)
        self._findings = empty_findings(BATCH_FRAMES)
        self._first = np.iinfo(np.int64).max
        self._last = np.iinfo(np.int64).min
        self._decoded = Ahead(self._decode(), "segwatch-decode")
        self._found = Ahead(self._find(), "segwatch-find")

    def __enter__(self) -> "CapturePipeline":
        self._decoded.start()
        self._found.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._decoded.stop()
        self._found.stop()
        self._reader.close()

    @property
    def reader(self) -> CaptureReader:
        """The reader, for its progress."""
        return self._reader

    def _decode(self) -> Iterator[SegmentColumns]:
        while (frames := self._reader.read(BATCH_FRAMES)) is not None:
            self._first = min(self._first, int(frames.ts.min()))
            self._last = max(self._last, int(frames.ts.max()))
            yield self._decoder.decode(frames)

    def _find(self) -> Iterator[tuple[SegmentColumns, npt.NDArray[np.int32]]]:
        for segments in self._decoded:
            yield segments, self.engine.flows.find(segments)

    def __iter__(self) -> Iterator[AnalysedBatch]:
        for segments, numbers in self._found:
            rows = len(segments.ts)
            if rows == 0:
                continue
            if rows > len(self._findings.stream):
                self._findings = empty_findings(2 * rows)
            findings = take_findings(self._findings, slice(0, rows))
            closed = self.engine.analyze_found(segments, numbers, findings)
            yield AnalysedBatch(segments, findings, closed)

    def remaining_intervals(self) -> Iterator[npt.NDArray[Any]]:
        """Yield the intervals that are open at the end, in blocks; each is valid until the next."""
        return self.engine.finish_in_blocks()

    def content(self) -> Content:
        """Return what the capture held, after the last batch."""
        self._decoded.join()
        some = self._reader.frames > 0
        return Content(
            name=self._reader.name,
            format=self._reader.format,
            link_types=tuple(sorted(self._reader.link_types)),
            frames=self._reader.frames,
            first=self._first if some else 0,
            last=self._last if some else 0,
            bytes=self._reader.bytes_read,
            skipped=self._decoder.skipped(),
            damage=self._reader.damage,
            digest=self._reader.digest(),
        )
