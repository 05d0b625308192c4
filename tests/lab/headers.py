"""The header fields of a TCP segment in an Ethernet frame over IPv4."""

import struct
from typing import Final, NamedTuple

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
ACK: Final = 0x10
_ETHERNET_BYTES: Final = 14
_IP: Final = struct.Struct(">BxHH3xB2x4s4s")
_TCP: Final = struct.Struct(">HHIIBBH")
_IPV4: Final = b"\x08\x00"
_TCP_PROTOCOL: Final = 6
_MOST: Final = 1 << 32


class Header(NamedTuple):
    """What the lab needs to know of a segment."""

    source: bytes
    target: bytes
    sport: int
    dport: int
    seq: int
    ack: int
    flags: int
    window: int
    """As it stands in the header, not scaled."""
    length: int
    """Bytes of payload."""
    ip_id: int
    header_bytes: int
    """Bytes of the frame up to the end of the TCP options."""

    @property
    def span(self) -> int:
        """Sequence numbers that the segment takes: payload, SYN and FIN."""
        return self.length + bool(self.flags & SYN) + bool(self.flags & FIN)


def parse(frame: bytes) -> Header | None:
    """Return the header of a frame, or None where it is not TCP over IPv4."""
    if len(frame) < _ETHERNET_BYTES + _IP.size + _TCP.size or frame[12:14] != _IPV4:
        return None
    first, total, ip_id, protocol, source, target = _IP.unpack_from(frame, _ETHERNET_BYTES)
    if first >> 4 != 4 or protocol != _TCP_PROTOCOL:
        return None
    start = _ETHERNET_BYTES + (first & 15) * 4
    sport, dport, seq, ack, offset, flags, window = _TCP.unpack_from(frame, start)
    header_bytes = start + (offset >> 4) * 4
    length = total - (header_bytes - _ETHERNET_BYTES)
    return Header(source, target, sport, dport, seq, ack, flags, window, length, ip_id, header_bytes)


def distance(start: int, number: int) -> int:
    """Return how far a sequence number is behind (or, negative, before) another, modulo 2**32."""
    return (number - start + _MOST // 2) % _MOST - _MOST // 2
