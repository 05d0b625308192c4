"""Capture files as columns of frames, in batches."""

import os
from types import TracebackType
from typing import Literal, Self

import xxhash

from ingest.capture.indexing import ENDED, FULL, MORE, STRUCTURE, CaptureFormat, DamagedError
from ingest.capture.netmon import MAGICS as NETMON_MAGICS
from ingest.capture.netmon import NetmonFormat
from ingest.capture.pcap import GUESS_BYTES, PcapFormat, pcap_magic
from ingest.capture.pcapng import SECTION_HEADER, PcapngFormat
from ingest.capture.snoop import MAGIC as SNOOP_MAGIC
from ingest.capture.snoop import SnoopFormat
from ingest.capture.source import Source
from segwatch.buffers import BufferPool
from segwatch.errors import InputError
from segwatch.records.frames import FRAME_TYPES, FrameColumns, empty_frames

PIECE_BYTES = 256 << 10
"""Bytes read, hashed and indexed in one go: they stay in the processor's cache meanwhile."""

SMALLEST_BUFFER = 64 << 10

WHOLE_BYTES = 256 << 20
"""Content that is held in memory at most for a format that needs all of it at hand; larger files are mapped."""


def open_capture(
    path: str | os.PathLike[str] | Literal["-"], *, buffer_bytes: int = 8 << 20, named: bool = True
) -> "CaptureReader":
    """Open a capture file, or standard input for ``-``, compressed or not.

    Raise InputError, with one sentence, where there is no such file, no permission, no content, or no capture in it.
    ``buffer_bytes`` is what one buffer holds (64 KiB at least); a frame that does not fit gets a buffer of its own.
    ``named``: whether the digest of the content is wanted; computing it takes a tenth of the time to read.
    """
    source = Source(path)
    try:
        return CaptureReader(source, max(buffer_bytes, SMALLEST_BUFFER), named=named)
    except BaseException:
        source.close()
        raise


class CaptureReader:
    """Reads a capture from its beginning to its end; to be used by one thread at a time.

    A file that is cut short or goes bad midway is no error here: the frames before that place come as always, then
    ``read`` returns None, and ``damage`` holds the sentence for a PartialInputError.
    """

    def __init__(self, source: Source, buffer_bytes: int, *, named: bool = True) -> None:
        self.damage: str | None = None
        """Why reading ended early: file, byte offset in the content, frame; None where it did not."""
        self.frames = 0
        """Number of the last frame so far; Wireshark also numbers some records that are no packets, and so do we."""
        self._source = source
        self._pool = BufferPool(buffer_bytes)
        self._buffer = self._pool.lease(buffer_bytes)
        self._view = self._buffer.data
        self._origin = 0  # the place in the content that the buffer begins with
        self._start = 0
        self._end = 0
        self._ended = False
        self._finished = False
        self._hash = xxhash.xxh3_128() if named else None
        self._format = self._recognise()
        self._start = self._format.header_bytes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Batches that were handed out stay valid."""
        self._source.close()

    @property
    def name(self) -> str:
        """The path as it was given, or "standard input"."""
        return self._source.name

    @property
    def format(self) -> str:
        """What the file is, for people: "pcap, microseconds, little endian, gzip"."""
        compression = self._source.compression
        return f"{self._format.description}, {compression}" if compression else self._format.description

    @property
    def bytes_read(self) -> int:
        """Bytes taken from the file so far, as it lies on disk."""
        return self._source.position

    @property
    def total_bytes(self) -> int | None:
        """Size of the file on disk; None for pipes and standard input."""
        return self._source.total_bytes

    @property
    def snaplen(self) -> int:
        """Bytes captured of a frame at most (pcapng: of all interfaces so far); 0 where the file does not say."""
        return self._format.snaplen

    @property
    def link_types(self) -> set[int]:
        """LINKTYPE_ values of the frames so far."""
        return self._format.link_types

    def digest(self) -> str | None:
        """Return 32 hexadecimal digits that name the unpacked content (XXH3-128), once ``read`` has returned None.

        None if the digest was not wanted.
        """
        if not self._finished:
            raise RuntimeError("the digest of a capture is known when all of it is read")
        return self._hash.hexdigest() if self._hash else None

    def read(self, frames: int) -> FrameColumns | None:
        """Return the next frames, ``frames`` at most and one at least; None at the end.

        The batch stays valid as long as anything refers to it, to one of its columns, or to a slice of one: its
        buffer is taken again only after that. So batches may wait in a queue for another thread, at the price of
        memory: one that is kept holds its whole buffer.
        """
        if frames < 1:
            raise ValueError("a batch has one frame at least")
        columns = empty_frames(self._buffer, frames)
        rows = 0
        while not self._ended:
            progress = self._format.index(columns, rows, self._start, self._end, self.frames)
            self._start, rows, self.frames, stop, detail = progress
            if stop == FULL:
                break
            if stop == ENDED:
                self._end_of_content(0)
                continue
            needed = detail
            if stop == STRUCTURE:
                needed = self._structure()
            elif stop != MORE:
                self._damaged(self._format.sentence(stop, detail))
            if self._ended or not needed:
                continue
            if self._start + needed > len(self._buffer):
                if rows:
                    break
                self._change_buffer(needed)
                columns = columns._replace(buffer=self._buffer)
            if not self._fill():
                self._end_of_content(needed)
        if rows:
            return FrameColumns(columns.buffer, *(getattr(columns, name)[:rows] for name in FRAME_TYPES))
        self._finish()
        return None

    def _recognise(self) -> CaptureFormat:
        """Read the beginning of the content and return the reader of its format."""
        while self._end < min(len(self._buffer), GUESS_BYTES) and self._fill():
            pass
        head = bytes(self._view[: self._end])
        if not head and self._source.damage:
            raise InputError(self._source.damage)
        if pcap_magic(head):
            return PcapFormat(self.name, head)
        if head.startswith(SECTION_HEADER.to_bytes(4, "big")):
            return PcapngFormat(self.name, head)
        if head.startswith(SNOOP_MAGIC):
            return SnoopFormat(self.name, head)
        if head.startswith(NETMON_MAGICS):
            return self._recognise_netmon()
        raise InputError(
            f"{self.name} is no capture file: pcap, pcapng, snoop and Network Monitor can be read, compressed or not."
        )

    def _recognise_netmon(self) -> CaptureFormat:
        """Have the whole content in one buffer, as the table of frames stands at its end."""
        if self._source.compression is None and (self._source.total_bytes or 0) > WHOLE_BYTES:
            self._map_whole()
        else:
            self._read_whole()
        try:
            return NetmonFormat(self.name, self._view[: self._end])
        except InputError:
            if self._source.damage:
                raise InputError(self._source.damage) from None
            raise

    def _read_whole(self) -> None:
        while self._end <= WHOLE_BYTES:
            if self._end == len(self._buffer):
                self._change_buffer(2 * self._end)
            if not self._fill():
                return
        raise InputError(
            f"{self.name} is a Network Monitor capture of more than {WHOLE_BYTES >> 20} MiB, compressed or in a pipe, "
            "but its frames are found from its end: unpack it into a file, and give that."
        )

    def _map_whole(self) -> None:
        """Read through the file, for its digest and for what the disk says, and map it."""
        size = count = self._end
        while count:
            self._end = 0
            self._fill()
            count = self._end
            size += count
        self._buffer = self._source.mapped(size)
        self._view, self._end = self._buffer.data, size

    def _structure(self) -> int:
        """Let the format take the next record; return the bytes that it needs, 0 where it took it."""
        try:
            length = self._format.structure(self._view[self._start : self._end])
        except DamagedError as error:
            self._damaged(str(error))
            return 0
        self._start += max(length, 0)
        return max(-length, 0)

    def _change_buffer(self, needed: int) -> None:
        """Go on in another buffer, which begins with what is left of the present one."""
        buffer = self._pool.lease(needed)
        rest = self._end - self._start
        buffer[:rest] = self._buffer[self._start : self._end]
        self._buffer, self._view = buffer, buffer.data
        self._origin += self._start
        self._start, self._end = 0, rest

    def _fill(self) -> bool:
        """Read some more into the free part of the buffer; return False at the end of the content."""
        piece = self._view[self._end : self._end + PIECE_BYTES]
        count = self._source.readinto(piece)
        if self._hash:
            self._hash.update(piece[:count])
        self._end += count
        return count > 0

    def _damaged(self, reason: str) -> None:
        if self._source.damage:
            self._end_of_content(0)
            return
        self._ended = True
        place = self._origin + self._start
        self.damage = (
            f"{self.name} is damaged at byte {place} (frame {self.frames + 1}): {reason}; reading ended there."
        )

    def _end_of_content(self, needed: int) -> None:
        self._ended = True
        place = f"at byte {self._origin + self._start} (frame {self.frames + 1})"
        if self._source.damage:
            self.damage = f"{self._source.damage.removesuffix('.')}; reading ended {place} of its content."
        elif needed and self._start < self._end:
            there = self._end - self._start
            self.damage = f"{self.name} is cut short {place}: of a record of {needed} bytes there are {there}."

    def _finish(self) -> None:
        """Hash what lies behind damage too, so that the digest names the whole content."""
        if self._hash and self.damage and not self._finished:
            rest = memoryview(bytearray(PIECE_BYTES))
            while count := self._source.readinto(rest):
                self._hash.update(rest[:count])
        self._finished = True
