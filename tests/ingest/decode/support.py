"""Hand-made packets, and what the kernels say of them."""

import struct
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ingest.decode.frames import decode_frames
from ingest.decode.status import Status
from segwatch.records.frames import FRAME_TYPES, FrameColumns, empty_frames
from segwatch.records.segments import SEGMENT_TYPES, SegmentColumns, empty_segments

ETHERNET, RAW, SLL, SLL2, NULL, LOOP = 1, 101, 113, 276, 0, 108
SOURCE, DESTINATION = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")
SOURCE_6, DESTINATION_6 = IPv6Address("2001:db8::1"), IPv6Address("2001:db8::2")
UNTOUCHED = 99
"""What columns hold before they are filled."""


class Frame(NamedTuple):
    """A captured frame."""

    data: bytes
    on_wire: int
    linktype: int = ETHERNET


def tcp(options: bytes = b"", payload: bytes = b"", offset: int | None = None, flags: int = 0x10) -> bytes:
    """Return a segment from port 1000 to port 80."""
    words = 5 + len(options) // 4 if offset is None else offset
    return struct.pack(">HHIIHHHH", 1000, 80, 7, 9, words << 12 | flags, 500, 0, 0) + options + payload


def ipv4(
    payload: bytes,
    protocol: int = 6,
    options: bytes = b"",
    total: int | None = None,
    fragment: int = 0,
    words: int | None = None,
    version: int = 4,
) -> bytes:
    """Return an IPv4 packet."""
    words = 5 + len(options) // 4 if words is None else words
    total = 20 + len(options) + len(payload) if total is None else total
    header = struct.pack(">BBHHHBBH", version << 4 | words, 0x2A, total, 77, fragment, 61, protocol, 0)
    return header + SOURCE.packed + DESTINATION.packed + options + payload


def ipv6(payload: bytes, protocol: int = 6, length: int | None = None, version: int = 6) -> bytes:
    """Return an IPv6 packet."""
    length = len(payload) if length is None else length
    header = struct.pack(">IHBB", version << 28 | 0x2A << 20 | 0x12345, length, protocol, 61)
    return header + SOURCE_6.packed + DESTINATION_6.packed + payload


def ethernet(payload: bytes, ethertype: int = 0x0800) -> bytes:
    """Return an Ethernet frame."""
    return bytes.fromhex("020000000001020000000002") + struct.pack(">H", ethertype) + payload


def vlan(number: int, payload: bytes, ethertype: int = 0x0800) -> bytes:
    """Return what follows the type of a VLAN tag."""
    return struct.pack(">HH", 0x6000 | number, ethertype) + payload


def frame(data: bytes, captured: int | None = None, linktype: int = ETHERNET) -> Frame:
    """Return a frame of which the first bytes are captured."""
    return Frame(data[:captured], len(data), linktype)


def columns_of(frames: Iterable[Frame], filler: bytes = b"") -> FrameColumns:
    """Return frames with consecutive numbers in one buffer, ``filler`` between them."""
    frames = list(frames)
    parts = [filler]
    for each in frames:
        parts += [each.data, filler]
    columns = empty_frames(np.frombuffer(b"".join(parts) or b"\0", np.uint8), len(frames))
    start = len(filler)
    for row, each in enumerate(frames):
        values = (start, len(each.data), each.on_wire, 1_000 + row, row + 1, each.linktype)
        for name, value in zip(FRAME_TYPES, values, strict=True):
            getattr(columns, name)[row] = value
        start += len(each.data) + len(filler)
    return columns


def decode(*frames: Frame) -> tuple[SegmentColumns, list[Status]]:
    """Decode frames one by one with the compiled loop; return rows (one for each, decoded or not) and statuses."""
    columns = columns_of(frames, filler=b"\xff" * 40)
    segments = empty_segments(len(frames))
    for name in SEGMENT_TYPES:
        getattr(segments, name)[...] = UNTOUCHED
    statuses = []
    for index in range(len(frames)):
        one = FrameColumns(columns.buffer, *(getattr(columns, name)[index : index + 1] for name in FRAME_TYPES))
        row = SegmentColumns(*(getattr(segments, name)[index : index + 1] for name in SEGMENT_TYPES))
        declined, skipped = np.empty(1, np.int64), np.zeros(len(Status), np.int64)
        consumed, rows, declined_count = decode_frames(one, 0, row, 0, declined, skipped)
        assert consumed == 1
        assert rows + declined_count + skipped.sum() == 1
        if rows:
            statuses.append(Status.DECODED)
        else:
            statuses.append(Status.TUNNEL if declined_count else Status(int(skipped.argmax())))
    return segments, statuses


def decoded(one: Frame) -> dict[str, Any]:
    """Decode a frame that gives a row; return it as plain numbers, addresses as text."""
    segments, (status,) = decode(one)
    assert status is Status.DECODED
    return plain(segments, 0)


def plain(segments: SegmentColumns, row: int) -> dict[str, Any]:
    """Return a row as plain numbers, addresses as text, SACK edges as far as they have a meaning."""
    values = {name: getattr(segments, name)[row].tolist() for name in SEGMENT_TYPES}
    for name in ("src", "dst"):
        address = IPv6Address(getattr(segments, name)[row].tobytes())
        values[name] = str(address if values["quality"] & 0x100 else address.ipv4_mapped)
    values["sack"] = values["sack"][: 2 * values["sack_count"]]
    return values


def status_of(one: Frame) -> Status:
    """Return what became of a frame; TUNNEL for everything that is declined."""
    return decode(one)[1][0]


def pcap_frames(path: Path) -> Iterator[Frame]:
    """Yield the frames of a little-endian pcap file."""
    data = path.read_bytes()
    linktype = struct.unpack_from("<I", data, 20)[0]
    at = 24
    while at < len(data):
        captured, on_wire = struct.unpack_from("<II", data, at + 8)
        yield Frame(data[at + 16 : at + 16 + captured], on_wire, linktype)
        at += 16 + captured


def address_text(packed: bytes) -> str:
    """Return the text of an address of 4 or 16 bytes."""
    return str(ip_address(packed))
