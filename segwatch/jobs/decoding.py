"""A capture through reader and decoder in a thread of their own: recycled memory, a bounded queue to the consumer."""

import queue
import threading
from collections.abc import Iterator
from typing import Final

import numpy as np

from ingest.capture.reader import CaptureReader, open_capture
from ingest.decode.decoder import Decoder
from segwatch.jobs.content import Content
from segwatch.records.segments import SegmentColumns

BATCH_FRAMES = 1 << 14
"""Frames read at a time: their columns stay in the processor's cache, and few enough batches wait to cost no memory."""
_QUEUED_BATCHES = 2
_WAIT_SECONDS = 0.1
_PIPE_SECONDS: Final = 1.0
"""How long a thread that may be waiting for a silent pipe is waited for."""


class _StoppedError(Exception):
    """The consumer wants no more."""


class DecodedCapture:
    """The segments of one capture: iterate over the batches, then take ``content``.

    Reading and decoding run in a thread of their own. Errors of that thread are raised in the caller. Use with
    ``with``: leaving it early stops the thread.
    """

    def __init__(self, path: str) -> None:
        self._reader = open_capture(path)
        self._decoder = Decoder()
        self._queue: queue.Queue[SegmentColumns | BaseException | None] = queue.Queue(_QUEUED_BATCHES)
        self._stop = threading.Event()
        self._first = np.iinfo(np.int64).max
        self._last = np.iinfo(np.int64).min
        self.skipped: dict[str, int] = {}
        """Frames without a segment so far, by reason."""
        self._thread = threading.Thread(target=self._produce, name="segwatch-decode", daemon=True)

    def __enter__(self) -> "DecodedCapture":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(_PIPE_SECONDS if self._reader.total_bytes is None else None)
        if not self._thread.is_alive():
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
                segments = self._decoder.decode(frames)
                self.skipped = self._decoder.skipped()
                self._put(segments)
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

    def __iter__(self) -> Iterator[SegmentColumns]:
        for segments in self.batches(patience=None):
            assert segments is not None  # noqa: S101  # without patience there is no reason to give nothing
            yield segments

    def batches(self, patience: float | None) -> Iterator[SegmentColumns | None]:
        """Yield the batches (some may have no rows), and None whenever there was none for ``patience`` seconds."""
        while True:
            try:
                segments = self._queue.get(timeout=patience)
            except queue.Empty:
                yield None
                continue
            if segments is None:
                return
            if isinstance(segments, BaseException):
                raise segments
            yield segments

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
            skipped=self.skipped,
            damage=self._reader.damage,
            digest=self._reader.digest(),
        )
