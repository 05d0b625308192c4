"""Captures through reader, decoder and engine: two threads, recycled memory, a bounded queue between them."""

import queue
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ingest.capture.reader import CaptureReader, open_capture
from ingest.decode.decoder import Decoder
from processors.engine import Engine
from segwatch.jobs.content import Content
from segwatch.records.findings import FindingColumns, take_findings
from segwatch.records.pool import finding_pool
from segwatch.records.segments import SegmentColumns

BATCH_FRAMES = 1 << 14
"""Frames read at a time: their columns stay in the processor's cache, and few enough batches wait to cost no memory."""
_QUEUED_BATCHES = 2
_WAIT_SECONDS = 0.1


class AnalysedBatch(NamedTuple):
    """Some segments of a capture, in order."""

    segments: SegmentColumns
    findings: FindingColumns
    """One row for each segment; their memory is taken again when nothing refers to them any more."""
    closed: npt.NDArray[Any]
    """Intervals that ended (``INTERVAL``); written again by the next batch."""


class _StoppedError(Exception):
    """The consumer wants no more."""


class CapturePipeline:
    """Analyses one capture: iterate over the batches, then take ``remaining_intervals`` and ``content``.

    Reading and decoding run in a thread of their own; the engine runs in the caller's. Errors of that thread are
    raised in the caller. Use with ``with``: leaving it early stops the thread.
    """

    def __init__(self, path: str, rules: str) -> None:
        self._reader = open_capture(path)
        self._decoder = Decoder()
        self.engine = Engine(rules=rules)
        self._queue: queue.Queue[SegmentColumns | BaseException | None] = queue.Queue(_QUEUED_BATCHES)
        self._stop = threading.Event()
        self._findings = finding_pool(BATCH_FRAMES)
        self._first = np.iinfo(np.int64).max
        self._last = np.iinfo(np.int64).min
        self._thread = threading.Thread(target=self._produce, name="segwatch-decode", daemon=True)

    def __enter__(self) -> "CapturePipeline":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._reader.close()

    @property
    def reader(self) -> CaptureReader:
        """The reader, for its progress."""
        return self._reader

    def _produce(self) -> None:
        try:
            while (frames := self._reader.read(BATCH_FRAMES)) is not None:
                self._first = min(self._first, int(frames.ts.min()))
                self._last = max(self._last, int(frames.ts.max()))
                self._put(self._decoder.decode(frames))
            self._put(None)
        except _StoppedError:
            return
        except BaseException as error:  # whatever it is, the caller's thread must hear of it
            try:
                self._put(error)
            except _StoppedError:
                return

    def _put(self, item: SegmentColumns | BaseException | None) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=_WAIT_SECONDS)
            except queue.Full:
                continue
            return
        raise _StoppedError

    def __iter__(self) -> Iterator[AnalysedBatch]:
        while (segments := self._queue.get()) is not None:
            if isinstance(segments, BaseException):
                raise segments
            rows = len(segments.ts)
            if rows == 0:
                continue
            if rows > self._findings.rows:
                self._findings = finding_pool(2 * rows)
            findings = take_findings(self._findings.lease(rows), slice(0, rows))
            closed = self.engine.analyze(segments, findings)
            yield AnalysedBatch(segments, findings, closed)

    def remaining_intervals(self) -> Iterator[npt.NDArray[Any]]:
        """Yield the intervals that are open at the end, in blocks; each is valid until the next."""
        return self.engine.finish_in_blocks()

    def content(self) -> Content:
        """Return what the capture held, after the last batch."""
        self._thread.join()
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
