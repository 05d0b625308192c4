"""Compressed streams, unpacked piece by piece with a bound on what one piece can become."""

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import lz4.frame
import zstandard

XZ_MEMORY_LIMIT = 256 << 20
"""Bytes of memory that an xz stream may ask for; ``xz -9`` needs 65 MiB."""

ZSTANDARD_INPUT = 4096
"""Bytes given to the zstandard library at once: it cannot bound its output, and 4 KiB become at most 128 MiB."""


class Unpacker(Protocol):
    """One compressed member (a gzip member, a zstandard frame, an xz stream) being unpacked."""

    def unpack(self, packed: bytes, limit: int) -> bytes:
        """Return about ``limit`` bytes of content at most; ``packed`` is empty while ``hungry`` is false."""

    @property
    def hungry(self) -> bool:
        """Whether it can only go on with more packed bytes."""

    @property
    def finished(self) -> bool:
        """Whether the member has ended."""

    @property
    def rest(self) -> bytes:
        """Packed bytes beyond the end of the member."""


class StreamUnpacker:
    """The interface of ``bz2``, ``lzma`` and ``lz4.frame`` decompressors."""

    def __init__(self, decompressor: Any) -> None:
        self._decompressor = decompressor

    def unpack(self, packed: bytes, limit: int) -> bytes:
        """Return at most ``limit`` bytes of content."""
        return bytes(self._decompressor.decompress(packed, limit))

    @property
    def hungry(self) -> bool:
        """Whether it can only go on with more packed bytes."""
        return bool(self._decompressor.needs_input)

    @property
    def finished(self) -> bool:
        """Whether the member has ended."""
        return bool(self._decompressor.eof)

    @property
    def rest(self) -> bytes:
        """Packed bytes beyond the end of the member."""
        return bytes(self._decompressor.unused_data or b"")


class GzipUnpacker:
    """One gzip member, its header and check sum included (RFC 1952)."""

    def __init__(self) -> None:
        self._decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def unpack(self, packed: bytes, limit: int) -> bytes:
        """Return at most ``limit`` bytes of content."""
        return self._decompressor.decompress(self._decompressor.unconsumed_tail + packed, limit)

    @property
    def hungry(self) -> bool:
        """Whether it can only go on with more packed bytes."""
        return not self._decompressor.unconsumed_tail

    @property
    def finished(self) -> bool:
        """Whether the member has ended."""
        return self._decompressor.eof

    @property
    def rest(self) -> bytes:
        """Packed bytes beyond the end of the member."""
        return self._decompressor.unused_data


class ZstandardUnpacker:
    """One zstandard frame (RFC 8878)."""

    def __init__(self) -> None:
        self._decompressor = zstandard.ZstdDecompressor().decompressobj(write_size=64 << 10)
        self._waiting = b""

    def unpack(self, packed: bytes, limit: int) -> bytes:  # noqa: ARG002 - the library has no limit; its input is small instead
        """Return what at most 4 KiB of packed bytes give."""
        waiting = self._waiting + packed
        self._waiting = waiting[ZSTANDARD_INPUT:]
        return self._decompressor.decompress(waiting[:ZSTANDARD_INPUT])

    @property
    def hungry(self) -> bool:
        """Whether it can only go on with more packed bytes."""
        return not self._waiting

    @property
    def finished(self) -> bool:
        """Whether the member has ended."""
        return self._decompressor.eof

    @property
    def rest(self) -> bytes:
        """Packed bytes beyond the end of the member."""
        return self._decompressor.unused_data + self._waiting


class Compression(NamedTuple):
    """A way of compressing that is known by the first bytes of the stream."""

    name: str
    magics: tuple[bytes, ...]
    unpacker: Callable[[], Unpacker]


COMPRESSIONS = (
    Compression("gzip", (b"\x1f\x8b\x08",), GzipUnpacker),
    Compression("zstandard", (b"\x28\xb5\x2f\xfd",), ZstandardUnpacker),
    Compression("lz4", (b"\x04\x22\x4d\x18",), lambda: StreamUnpacker(lz4.frame.LZ4FrameDecompressor())),
    Compression(
        "xz", (b"\xfd7zXZ\x00",), lambda: StreamUnpacker(lzma.LZMADecompressor(lzma.FORMAT_XZ, XZ_MEMORY_LIMIT))
    ),
    Compression(
        "bzip2", tuple(b"BZh%d1AY&SY" % level for level in range(1, 10)), lambda: StreamUnpacker(bz2.BZ2Decompressor())
    ),
)

LONGEST_MAGIC = max(len(magic) for compression in COMPRESSIONS for magic in compression.magics)

UNPACK_ERRORS = (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError, RuntimeError, zstandard.ZstdError)
"""What the libraries raise for damaged streams (bz2: OSError and ValueError; lz4: RuntimeError)."""


def compression_of(head: bytes) -> Compression | None:
    """Return how a stream that begins with ``head`` is compressed, None if it is not."""
    for compression in COMPRESSIONS:
        if head.startswith(compression.magics):
            return compression
    return None
