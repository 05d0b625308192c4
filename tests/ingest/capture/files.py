"""Capture files written byte by byte, and frames read back as plain values."""

import bz2
import gzip
import lzma
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import lz4.frame
import zstandard

from ingest.capture.reader import CaptureReader, open_capture


class Frame(NamedTuple):
    """One captured frame."""

    time: int
    """Nanoseconds since 1970."""
    data: bytes
    wirelen: int
    link_type: int = 1
    number: int = 0
    """Filled in by reading."""


def pcap_header(
    order: str = "<", magic: int = 0xA1B2C3D4, version: tuple[int, int] = (2, 4), network: int = 1
) -> bytes:
    """Return a pcap file header of snapshot length 65535."""
    return struct.pack(order + "IHHiIII", magic, *version, 0, 0, 65535, network)


def pcap_record(frame: Frame, order: str = "<", unit: int = 1000, extra: bytes = b"") -> bytes:
    """Return a pcap record; ``extra`` goes between its header and the frame."""
    seconds, fraction = divmod(frame.time, 1_000_000_000)
    return struct.pack(order + "IIII", seconds, fraction // unit, len(frame.data), frame.wirelen) + extra + frame.data


def block(
    block_type: int, body: bytes, order: str = "<", *, length: int | None = None, trailer: int | None = None
) -> bytes:
    """Return a pcapng block, its length and trailer true unless they are given."""
    body += b"\0" * (-len(body) % 4)
    length = len(body) + 12 if length is None else length
    trailer = length if trailer is None else trailer
    return struct.pack(order + "II", block_type, length) + body + struct.pack(order + "I", trailer)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """Return a pcapng option."""
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def section(order: str = "<", length: int = -1, version: tuple[int, int] = (1, 0), options: bytes = b"") -> bytes:
    """Return a section header block."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, *version, length) + options, order)


def interface(order: str = "<", link_type: int = 1, snaplen: int = 0, options: bytes = b"") -> bytes:
    """Return an interface description block."""
    return block(1, struct.pack(order + "HHI", link_type, 0, snaplen) + options, order)


def enhanced(count: int, data: bytes, wirelen: int, order: str = "<", number: int = 0, options: bytes = b"") -> bytes:
    """Return an enhanced packet block whose time is ``count`` units."""
    padded = data + b"\0" * (-len(data) % 4)
    return block(
        6,
        struct.pack(order + "IIIII", number, count >> 32, count & 0xFFFFFFFF, len(data), wirelen) + padded + options,
        order,
    )


def simple(data: bytes, wirelen: int, order: str = "<") -> bytes:
    """Return a simple packet block."""
    return block(3, struct.pack(order + "I", wirelen) + data, order)


def obsolete(count: int, data: bytes, wirelen: int, order: str = "<", number: int = 0) -> bytes:
    """Return an obsolete packet block that tells of 7 drops."""
    fields = struct.pack(order + "HHIIII", number, 7, count >> 32, count & 0xFFFFFFFF, len(data), wirelen)
    return block(2, fields + data, order)


def snoop_header(network: int = 4, version: int = 2) -> bytes:
    """Return a snoop file header."""
    return b"snoop\0\0\0" + struct.pack(">II", version, network)


def snoop_record(frame: Frame, padding: int | None = None) -> bytes:
    """Return a snoop record, padded to 4 bytes unless ``padding`` says how far."""
    padding = -len(frame.data) % 4 if padding is None else padding
    seconds, fraction = divmod(frame.time, 1_000_000_000)
    header = struct.pack(
        ">IIIIII", frame.wirelen, len(frame.data), 24 + len(frame.data) + padding, 0, seconds, fraction // 1000
    )
    return header + frame.data + b"\0" * padding


def netmon(
    records: list[bytes],
    version: tuple[int, int] = (2, 0),
    *,
    network: int = 1,
    start: tuple[int, ...] = (1970, 1, 4, 1, 0, 0, 0, 0),
    order: list[int] | None = None,
    hole: bytes = b"",
) -> bytes:
    """Return a Network Monitor file; ``order`` lists the records in the table, ``hole`` stands before each of them."""
    content = b""
    places = []
    for record in records:
        places.append(128 + len(content + hole))
        content += hole + record
    table = [places[number] for number in (range(len(places)) if order is None else order)]
    magic = b"RTSS" if version[0] == 1 else b"GMBU"
    fields = (magic, version[1], version[0], network, *start, 128 + len(content), 4 * len(table))
    header = struct.pack("<4sBBH8HII", *fields).ljust(128, b"\0")
    return header + content + struct.pack(f"<{len(table)}I", *table)


def netmon_record(
    frame: Frame, version: tuple[int, int] = (2, 0), network: int = 1, *, count: int | None = None
) -> bytes:
    """Return a Network Monitor record; ``count`` is its time in the version's own unit, if not the frame's."""
    if version[0] == 1:
        count = frame.time // 1_000_000 if count is None else count
        return struct.pack("<IHH", count, frame.wirelen, len(frame.data)) + frame.data
    delta = frame.time // 1000 if count is None or version >= (2, 3) else count
    trailer = struct.pack("<H", network) if version >= (2, 1) else b""
    trailer += struct.pack("<I", 7) if version >= (2, 2) else b""
    if version >= (2, 3):
        trailer += struct.pack("<QB", frame.time // 100 + 116_444_736_000_000_000 if count is None else count, 0)
    return struct.pack("<QII", delta, frame.wirelen, len(frame.data)) + frame.data + trailer


def write_netmon(frames: list[Frame], version: tuple[int, int]) -> bytes:
    """Return a Network Monitor file whose records lie in another order than the table has them, with holes."""
    records = [netmon_record(frame, version) for frame in reversed(frames)]
    return netmon(records, version, order=list(range(len(frames)))[::-1], hole=b"hole" if frames else b"")


def write_pcap(frames: list[Frame], order: str, magic: int, unit: int, extra: bytes) -> bytes:
    """Return a pcap file of one variant."""
    return pcap_header(order, magic) + b"".join(pcap_record(frame, order, unit, extra) for frame in frames)


def write_pcapng(frames: list[Frame], order: str, unit: int, resolution: int) -> bytes:
    """Return a pcapng file with blocks of no interest between the frames."""
    content = section(order, options=option(4, b"test", order)) + interface(
        order, options=option(9, bytes([resolution]), order) + option(0, b"", order)
    )
    for frame in frames:
        content += block(4, b"\0" * 8, order) + enhanced(
            frame.time // unit,
            frame.data,
            frame.wirelen,
            order,
            options=option(1, b"comment", order) + option(0, b"", order),
        )
    return content + block(5, b"\0" * 12, order)


VARIANTS: dict[str, tuple[Callable[[list[Frame]], bytes], int]] = {
    "pcap-le": (lambda frames: write_pcap(frames, "<", 0xA1B2C3D4, 1000, b""), 1000),
    "pcap-be": (lambda frames: write_pcap(frames, ">", 0xA1B2C3D4, 1000, b""), 1000),
    "pcapns-le": (lambda frames: write_pcap(frames, "<", 0xA1B23C4D, 1, b""), 1),
    "pcapns-be": (lambda frames: write_pcap(frames, ">", 0xA1B23C4D, 1, b""), 1),
    "pcapmod-le": (
        lambda frames: write_pcap(frames, "<", 0xA1B2CD34, 1000, struct.pack("<IHBB", 2, 0x800, 0, 0)),
        1000,
    ),
    "pcapmod-be": (
        lambda frames: write_pcap(frames, ">", 0xA1B2CD34, 1000, struct.pack(">IHBB", 2, 0x800, 0, 0)),
        1000,
    ),
    "pcapng-le": (lambda frames: write_pcapng(frames, "<", 1000, 6), 1000),
    "pcapng-be-ns": (lambda frames: write_pcapng(frames, ">", 1, 9), 1),
    "snoop": (lambda frames: snoop_header() + b"".join(map(snoop_record, frames)), 1000),
    "Network Monitor 2.0": (lambda frames: write_netmon(frames, (2, 0)), 1000),
    "Network Monitor 2.2": (lambda frames: write_netmon(frames, (2, 2)), 1000),
    "Network Monitor 2.3": (lambda frames: write_netmon(frames, (2, 3)), 100),
}
"""Name of a variant: how it is written, and the nanoseconds of its unit of time."""

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": lambda content: gzip.compress(content, mtime=0),
    "zstandard": lambda content: zstandard.ZstdCompressor().compress(content),
    "lz4": lz4.frame.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}


def frames_of(reader: CaptureReader, batch: int = 1000) -> list[Frame]:
    """Return all frames that are left."""
    frames: list[Frame] = []
    while (columns := reader.read(batch)) is not None:
        assert 1 <= len(columns.offset) <= batch
        rows = zip(*(column.tolist() for column in columns[1:]), strict=True)
        for offset, caplen, wirelen, ts, number, link_type in rows:
            assert 0 <= offset <= offset + caplen <= len(columns.buffer)
            frames.append(Frame(ts, columns.buffer[offset : offset + caplen].tobytes(), wirelen, link_type, number))
    return frames


def read_file(
    path: Path, content: bytes, batch: int = 1000, buffer_bytes: int = 1 << 20
) -> tuple[list[Frame], CaptureReader]:
    """Write a file, read all of it, and return its frames and the reader that is at its end."""
    path.write_bytes(content)
    with open_capture(path, buffer_bytes=buffer_bytes) as reader:
        return frames_of(reader, batch), reader


def numbered(frames: list[Frame], first: int = 1) -> list[Frame]:
    """Return the frames with the numbers that reading gives them."""
    return [frame._replace(number=number) for number, frame in enumerate(frames, first)]
