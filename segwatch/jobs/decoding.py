"""A capture through reader and decoder in a thread of their own: recycled memory, a bounded queue to the consumer."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from ingest.capture.reader import CaptureReader, open_capture
from ingest.decode.decoder import Decoder
from segwatch.jobs.ahead import Ahead
from segwatch.jobs.content import Content
from segwatch.jobs.finding import BatchFinder
from segwatch.records.segments import SegmentColumns

BATCH_FRAMES = 1 << 15
"""Frames read at a time: their columns stay in the processor's cache, and few enough batches wait to cost no memory."""
_PIPE_SECONDS: Final = 1.0
"""How long a thread that may be waiting for a silent pipe is waited for."""


class DecodedCapture:
    """The segments of one capture: iterate over the batches, then take ``content`` (with its digest if ``named``).

    Reading and decoding run in a thread of their own; while it would have to wait it finds conversations for
    ``finder``. Errors of that thread are raised in the caller. Use with ``with``: leaving it early stops the thread.
    """

    def __init__(self, path: str, *, named: bool = False, finder: BatchFinder | None = None) -> None:
        self._reader = open_capture(path, named=named)
        self._decoder = Decoder()
        self._first = np.iinfo(np.int64).max
        self._last = np.iinfo(np.int64).min
        self.skipped: dict[str, int] = {}
        """Frames without a segment so far, by reason."""
        self._finder = finder
        self._decoded = Ahead(self._decode(), "segwatch-decode", finder.find_one if finder is not None else None)

    def __enter__(self) -> "DecodedCapture":
        self._decoded.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._decoded.stop(_PIPE_SECONDS if self._reader.total_bytes is None else None):
            self._reader.close()

    @property
    def reader(self) -> CaptureReader:
        """The reader, for its progress."""
        return self._reader

    def _decode(self) -> Iterator[SegmentColumns]:
        while (frames := self._reader.read(BATCH_FRAMES)) is not None:
            self._first = min(self._first, int(frames.ts.min()))
            self._last = max(self._last, int(frames.ts.max()))
            segments = self._decoder.decode(frames)
            self.skipped = self._decoder.skipped()
            if self._finder is not None:
                self._finder.add(segments)
            yield segments

    def __iter__(self) -> Iterator[SegmentColumns]:
        return iter(self._decoded)

    def batches(self, patience: float) -> Iterator[SegmentColumns | None]:
        """Yield the batches (some may have no rows), and None whenever there was none for ``patience`` seconds."""
        return self._decoded.with_pauses(patience)

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
            skipped=self.skipped,
            damage=self._reader.damage,
            digest=self._reader.digest(),
        )
