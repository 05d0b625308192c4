"""Bytes of one layer, bounded by what was captured and by what was on the wire."""

import struct
from typing import Any, NamedTuple

import dpkt

_SHORT = struct.Struct(">H")
_LONG = struct.Struct(">I")
_SHORT_LITTLE = struct.Struct("<H")
_LONG_LITTLE = struct.Struct("<I")


class CutError(Exception):
    """A layer needs bytes that were not captured or that do not exist."""


class Header(dpkt.Packet):  # type: ignore[misc]  # dpkt has no types
    """Base of the headers that dpkt does not have: a subclass declares its fields in ``__hdr__``, as dpkt's own do."""


class View(NamedTuple):
    """Bytes ``start`` to ``captured_end`` of ``data``; on the wire the layer ended at ``wire_end``.

    Offsets of all methods count from the start of the layer. Reads beyond the captured bytes raise ``CutError``.
    """

    data: memoryview | bytes
    start: int
    captured_end: int
    wire_end: int

    @property
    def captured(self) -> int:
        """Bytes captured of this layer."""
        return self.captured_end - self.start

    @property
    def wire(self) -> int:
        """Bytes that this layer had on the wire."""
        return self.wire_end - self.start

    def has(self, offset: int, length: int) -> bool:
        """Return whether ``length`` bytes at ``offset`` were captured."""
        return offset >= 0 and length >= 0 and self.start + offset + length <= self.captured_end

    def octet(self, offset: int) -> int:
        """Return the byte at ``offset``."""
        at = self.start + offset
        if at >= self.captured_end:
            raise CutError
        return self.data[at]

    def _unpack(self, form: struct.Struct, offset: int) -> int:
        at = self.start + offset
        if at + form.size > self.captured_end:
            raise CutError
        return int(form.unpack_from(self.data, at)[0])

    def short(self, offset: int) -> int:
        """Return the 16-bit number at ``offset`` in network byte order."""
        return self._unpack(_SHORT, offset)

    def long(self, offset: int) -> int:
        """Return the 32-bit number at ``offset`` in network byte order."""
        return self._unpack(_LONG, offset)

    def little_short(self, offset: int) -> int:
        """Return the 16-bit number at ``offset``, least significant byte first."""
        return self._unpack(_SHORT_LITTLE, offset)

    def little_long(self, offset: int) -> int:
        """Return the 32-bit number at ``offset``, least significant byte first."""
        return self._unpack(_LONG_LITTLE, offset)

    def octets(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes at ``offset``."""
        at = self.start + offset
        if at + length > self.captured_end:
            raise CutError
        return bytes(self.data[at : at + length])

    def header(self, kind: Any, offset: int = 0) -> Any:
        """Return dpkt's header ``kind`` (a class) at ``offset``, without the payload that dpkt would go on to parse."""
        raw = self.octets(offset, kind.__hdr_len__)
        packet = kind.__new__(kind)
        dpkt.Packet.unpack(packet, raw)
        return packet

    def rest(self, offset: int) -> "View":
        """Return what follows the first ``offset`` bytes."""
        at = self.start + offset
        if at > self.captured_end:
            raise CutError
        return View(self.data, at, self.captured_end, self.wire_end)

    def part(self, offset: int, length: int) -> "View":
        """Return ``length`` bytes (on the wire) at ``offset``, as a length field inside the layer claims them."""
        at = self.start + offset
        if at > self.captured_end or length < 0:
            raise CutError
        return View(self.data, at, min(self.captured_end, at + length), at + length)

    def limited(self, length: int) -> "View":
        """Return the layer without what goes beyond ``length`` bytes; a larger ``length`` changes nothing."""
        end = self.start + length
        if end >= self.wire_end:
            return self
        return View(self.data, self.start, min(self.captured_end, end), end)

    def without_trailer(self, offset: int, trailer: int) -> "View":
        """Return what follows the first ``offset`` bytes, less a check sequence of ``trailer`` bytes at the end."""
        inner = self.rest(offset)
        return inner.limited(inner.wire - trailer) if inner.wire >= trailer else inner
