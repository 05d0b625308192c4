"""Small captures for the tests of commands."""

import struct
from collections.abc import Iterable

SYN, ACK, RST, PSH = 0x02, 0x10, 0x04, 0x08


def tcp_frame(sport: int, dport: int, seq: int, ack: int, flags: int, payload: bytes = b"") -> bytes:
    """Return an Ethernet frame with IPv4 and TCP; from the client if ``sport`` is the larger port."""
    client, server = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
    source, destination = (client, server) if sport > dport else (server, client)
    tcp = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 1000, 0, 0) + payload
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + source + destination
    return bytes(12) + b"\x08\x00" + ip + tcp


def handshake_and_repeat() -> list[bytes]:
    """Return a connection whose only data is sent twice."""
    return [
        tcp_frame(2000, 80, 100, 0, SYN),
        tcp_frame(80, 2000, 500, 101, SYN | ACK),
        tcp_frame(2000, 80, 101, 501, ACK),
        tcp_frame(2000, 80, 101, 501, ACK | PSH, b"x" * 50),
        tcp_frame(2000, 80, 101, 501, ACK | PSH, b"x" * 50),
        tcp_frame(80, 2000, 501, 151, RST | ACK),
    ]


def pcap(frames: Iterable[bytes], link_type: int = 1) -> bytes:
    """Return a little-endian pcap file with a frame every 10 ms."""
    content = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
    for number, frame in enumerate(frames):
        content += struct.pack("<IIII", 1_700_000_000, 10_000 * number, len(frame), len(frame)) + frame
    return content
