"""Reassembly of fragmented datagrams, bounded in memory, with the results that Wireshark's reassembly gives."""

from bisect import insort
from collections import OrderedDict
from collections.abc import Hashable

FRAGMENT_OVERHEAD = 200
"""Bytes of bookkeeping that a stored fragment costs besides its payload."""
FRAGMENTS_PER_DATAGRAM = 1024
"""Fragments kept of one datagram; a datagram with more is dropped (a whole one of 64 KiB at an MTU of 128 has 630)."""


class _Datagram:
    """Fragments of a datagram that is not complete yet."""

    __slots__ = ("length", "parts", "stored")

    def __init__(self) -> None:
        self.parts: list[tuple[int, int, bytes]] = []
        self.length: int | None = None
        self.stored = FRAGMENT_OVERHEAD

    def add(self, offset: int, payload: bytes, more: bool) -> None:
        """Keep a fragment; the first last fragment decides the datagram's length."""
        insort(self.parts, (offset, len(self.parts), payload))
        self.stored += len(payload) + FRAGMENT_OVERHEAD
        if not more and self.length is None:
            self.length = offset + len(payload)

    def joined(self) -> bytes | None:
        """Return the whole datagram, or None while bytes are missing; of an overlap, the lower offset's bytes count."""
        if self.length is None:
            return None
        whole = bytearray()
        for offset, _, payload in self.parts:
            have = len(whole)
            if offset <= have < offset + len(payload):
                whole += payload[have - offset :]
        if len(whole) < self.length:
            return None
        return bytes(whole[: self.length])


class FragmentTable:
    """Datagrams whose fragments come by byte offset (IPv4, IPv6, CAPWAP).

    At most ``datagrams`` datagrams and ``octets`` bytes are kept; beyond, the oldest are dropped and counted in
    ``dropped``.
    """

    def __init__(self, datagrams: int = 8192, octets: int = 64 << 20) -> None:
        self._datagrams = datagrams
        self._octets = octets
        self._open: OrderedDict[Hashable, _Datagram] = OrderedDict()
        self.stored = 0
        """Bytes kept now, bookkeeping included."""
        self.dropped = 0
        """Datagrams that were given up for want of room."""

    def add(self, key: Hashable, offset: int, payload: bytes, more: bool) -> bytes | None:
        """Add a fragment; return the datagram if this fragment completes it."""
        datagram = self._open.get(key)
        if datagram is None:
            datagram = self._open[key] = _Datagram()
            self.stored += datagram.stored
        before = datagram.stored
        datagram.add(offset, payload, more)
        self.stored += datagram.stored - before
        whole = datagram.joined()
        if whole is not None:
            self._remove(key)
            return whole
        if len(datagram.parts) >= FRAGMENTS_PER_DATAGRAM:
            self._remove(key)
            self.dropped += 1
        while self._open and (len(self._open) > self._datagrams or self.stored > self._octets):
            self._remove(next(iter(self._open)))
            self.dropped += 1
        return None

    def __len__(self) -> int:
        return len(self._open)

    def _remove(self, key: Hashable) -> None:
        self.stored -= self._open.pop(key).stored


class NumberedFragments:
    """Frames whose fragments come by number (802.11): at most 16 to a frame, 1024 frames open."""

    OPEN_FRAMES = 1024

    def __init__(self) -> None:
        self._open: OrderedDict[Hashable, dict[int, bytes]] = OrderedDict()
        self._last: dict[Hashable, int] = {}
        self.dropped = 0
        """Frames that were given up for want of room."""

    def is_open(self, key: Hashable) -> bool:
        """Return whether a fragment of this frame is kept."""
        return key in self._open

    def add(self, key: Hashable, number: int, payload: bytes, more: bool) -> bytes | None:
        """Add a fragment; return the frame's payload if this fragment completes it."""
        parts = self._open.setdefault(key, {})
        parts.setdefault(number, payload)
        if not more:
            self._last.setdefault(key, number)
        last = self._last.get(key)
        if last is not None and all(index in parts for index in range(last + 1)):
            self._remove(key)
            return b"".join(parts[index] for index in range(last + 1))
        if len(self._open) > self.OPEN_FRAMES:
            self._remove(next(iter(self._open)))
            self.dropped += 1
        return None

    def _remove(self, key: Hashable) -> None:
        del self._open[key]
        self._last.pop(key, None)
