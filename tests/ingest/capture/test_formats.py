"""Every variant of every capture format, written byte by byte."""

import struct

import pytest

from ingest.capture.reader import open_capture
from segwatch.errors import InputError
from tests.ingest.capture.files import (
    VARIANTS,
    Frame,
    block,
    enhanced,
    interface,
    numbered,
    obsolete,
    option,
    pcap_header,
    pcap_record,
    read_file,
    section,
    simple,
    snoop_header,
    snoop_record,
)

SECOND = 1_000_000_000
FRAMES = numbered(
    [
        Frame(1_600_000_000 * SECOND + 123_456_000, b"first" * 12, 1500),
        Frame(1_600_000_001 * SECOND, b"x", 1),
        Frame(4_294_967_295 * SECOND + 999_999_000, b"", 60),
        Frame(0, b"more captured than there was", 3),
    ]
)
TIME = 1_600_000_000_123_456_789


@pytest.mark.parametrize("variant", VARIANTS)
def test_variant(tmp_path, variant):
    """Frames of every variant, with what the reader says of the file."""
    write, _ = VARIANTS[variant]
    frames, reader = read_file(tmp_path / "capture", write(FRAMES))
    assert frames == FRAMES
    assert reader.damage is None
    assert reader.frames == len(FRAMES)
    assert reader.link_types == {1}
    assert reader.format.startswith(variant[:4])
    assert reader.bytes_read == reader.total_bytes == (tmp_path / "capture").stat().st_size


@pytest.mark.parametrize("write", [write for write, _ in VARIANTS.values()])
def test_no_frames(tmp_path, write):
    """A file of headers alone is whole."""
    frames, reader = read_file(tmp_path / "capture", write([]))
    assert frames == []
    assert reader.damage is None
    assert reader.link_types == set()


@pytest.mark.parametrize(
    ("network", "link_type"), [(1, 1), (0x24000001, 1), (12, 101), (14, 101), (113, 113), (9999, 9999)]
)
def test_pcap_link_type(tmp_path, network, link_type):
    """The link type has 16 bits; check sum bits above do not count, platform values become registered ones."""
    content = pcap_header(network=network) + pcap_record(FRAMES[0])
    frames, reader = read_file(tmp_path / "capture", content)
    assert [frame.link_type for frame in frames] == [link_type]
    assert reader.link_types == {link_type}
    assert reader.snaplen == 65535


def test_pcap_lengths_of_old_versions(tmp_path):
    """Before version 2.3 the lengths stood the other way round, in 2.3 either way."""
    swapped = Frame(TIME // 1000 * 1000, b"y" * 20, 60)
    record = struct.pack("<IIII", 1_600_000_000, 123_456, 60, 20) + swapped.data
    ordinary = pcap_record(swapped)
    for version, content in (
        ((2, 2), record * 2),
        ((2, 3), record + ordinary),
        ((543, 0), record * 2),
        ((2, 4), ordinary * 2),
    ):
        frames, reader = read_file(tmp_path / "capture", pcap_header(version=version) + content)
        assert frames == numbered([swapped, swapped]), version
        assert reader.damage is None


@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B2CD34])
@pytest.mark.parametrize("order", ["<", ">"])
def test_pcap_patched_headers(tmp_path, magic, order):
    """Record headers of 24 and 28 bytes, which the magic number does not tell apart."""
    extra = struct.pack(order + "IHBB", 3, 0x0800, 4, 0xFF) + (b"\0" * 4 if magic == 0xA1B2CD34 else b"")
    records = b"".join(pcap_record(frame, order, extra=extra) for frame in FRAMES[:3])
    frames, reader = read_file(tmp_path / "capture", pcap_header(order, magic) + records)
    assert frames == FRAMES[:3]
    assert "1999" in reader.format


def test_pcap_nokia(tmp_path):
    """Record headers of 20 bytes under the standard magic number."""
    records = b"".join(pcap_record(frame, extra=struct.pack("<I", 0x9FBFB601)) for frame in FRAMES[:3])
    frames, reader = read_file(tmp_path / "capture", pcap_header() + records)
    assert frames == FRAMES[:3]
    assert "Nokia" in reader.format


def test_pcap_aix(tmp_path):
    """AIX: other link types, nanoseconds, padding before FDDI frames."""
    record = struct.pack(">IIII", 1_600_000_000, 5, 60, 23) + b"pad" + b"z" * 20
    frames, reader = read_file(tmp_path / "capture", pcap_header(">", version=(2, 2), network=15) + record)
    assert frames == numbered([Frame(1_600_000_000 * SECOND + 5, b"z" * 20, 57, 10)])
    assert "AIX" in reader.format


@pytest.mark.parametrize(("magic", "unit"), [(0x1C0001AB, 1000), (0x1C0001AC, 1)])
def test_pcap_ixia(tmp_path, magic, unit):
    """Ixia: four more bytes of file header."""
    records = b"".join(pcap_record(frame, unit=unit) for frame in FRAMES)
    frames, _ = read_file(tmp_path / "capture", pcap_header(magic=magic) + struct.pack("<I", len(records)) + records)
    assert frames == FRAMES


def test_pcapng_kinds_of_packets(tmp_path):
    """The three kinds of packet blocks; a simple one has no time, and its length follows the snapshot length."""
    content = section() + interface(snaplen=20) + interface(link_type=113)
    content += (
        enhanced(TIME // 1000, b"a" * 30, 100) + simple(b"b" * 20, 100) + obsolete(TIME // 1000, b"c" * 5, 9, number=1)
    )
    frames, reader = read_file(tmp_path / "capture", content)
    time = TIME // 1000 * 1000
    assert frames == numbered([Frame(time, b"a" * 30, 100), Frame(0, b"b" * 20, 100), Frame(time, b"c" * 5, 9, 113)])
    assert reader.link_types == {1, 113}
    assert reader.snaplen == 20


def test_pcapng_sections_differ_in_byte_order(tmp_path):
    """Every section has a byte order and interfaces of its own; frames are numbered through."""
    content = b""
    for order, link_type in (("<", 1), (">", 113), ("<", 101)):
        content += section(order, length=0 if order == ">" else -1) + interface(order, link_type)
        content += enhanced(TIME // 1000, b"abcde", 5, order)
    frames, reader = read_file(tmp_path / "capture", content)
    assert [(frame.link_type, frame.number) for frame in frames] == [(1, 1), (113, 2), (101, 3)]
    assert reader.link_types == {1, 113, 101}


def test_pcapng_more_interfaces_than_at_first(tmp_path):
    """Interfaces may be described at any place."""
    content = section()
    for number in range(50):
        content += interface(link_type=200 + number) + enhanced(TIME // 1000, b"abcd", 4, number=number)
    frames, reader = read_file(tmp_path / "capture", content)
    assert [frame.link_type for frame in frames] == list(range(200, 250))
    assert reader.damage is None


@pytest.mark.parametrize(
    ("resolution", "count", "time"),
    [
        (0, 1_600_000_000, 1_600_000_000 * SECOND),
        (3, 1_600_000_000_123, 1_600_000_000_123_000_000),
        (6, TIME // 1000, TIME // 1000 * 1000),
        (9, TIME, TIME),
        (10, TIME * 10 + 9, TIME),
        (12, (1 << 64) - 1, ((1 << 64) - 1) // 1000),
        (19, (1 << 64) - 1, 1_844_674_407),
        (20, TIME, 0),
        (0x80, 1_600_000_000, 1_600_000_000 * SECOND),
        (0x80 | 10, (1_600_000_000 << 10) + 1023, 1_600_000_000 * SECOND + 1023 * SECOND // 1024),
        (0x80 | 20, (1_600_000_000 << 20) + 12345, 1_600_000_000 * SECOND + 12345 * SECOND // (1 << 20)),
        (0x80 | 32, (1_600_000_000 << 32) + 0xFFFFFFFF, 1_600_000_000 * SECOND + 999_999_999),
        (0x80 | 40, (1_600_000 << 40) + 0xFEDCBA9876, 1_600_000 * SECOND + 0xFEDCBA9876 * SECOND // (1 << 40)),
        (0x80 | 63, (1 << 64) - 1, 1_999_999_999),
        (0x80 | 64, TIME, 0),
        (0, 1 << 40, (1 << 63) - 1),
        (9, (1 << 64) - 1, -1),
        (9, 1 << 63, (1 << 63) - 1),
        (6, 1 << 63, (1 << 63) - 1),
        (6, (1 << 64) - 505_873_674, -505_873_674_000),
        (0x80 | 4, (1 << 64) - 1, (1 << 63) - 1),
    ],
)
def test_pcapng_time_resolution(tmp_path, resolution, count, time):
    """Powers of 10 and of 2, rounded down; too late: the largest time; too fine: 0; the upper half: before 1970."""
    options = option(9, bytes([resolution])) + option(0, b"")
    frames, _ = read_file(tmp_path / "capture", section() + interface(options=options) + enhanced(count, b"abcd", 4))
    assert [frame.time for frame in frames] == [time]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("resolution", [6, 9, 12, 0x80 | 20, 0x80 | 40])
@pytest.mark.parametrize("offset", [1000, -1000])
def test_pcapng_time_offset(tmp_path, order, resolution, offset):
    """The offset counts seconds, of either sign."""
    units = 1 << (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    options = option(9, bytes([resolution]), order) + option(14, struct.pack(order + "q", offset), order)
    content = section(order) + interface(order, options=options) + enhanced(5000 * units, b"abcd", 4, order)
    frames, _ = read_file(tmp_path / "capture", content)
    assert [frame.time for frame in frames] == [(5000 + offset) * SECOND]


def test_pcapng_options_that_do_not_count(tmp_path):
    """A time resolution of two bytes is ignored, as in Wireshark, and what follows the end of the options too."""
    options = option(9, b"\x09\0") + option(0, b"") + option(9, b"\x03")
    frames, _ = read_file(
        tmp_path / "capture", section() + interface(options=options) + enhanced(TIME // 1000, b"abcd", 4)
    )
    assert [frame.time for frame in frames] == [TIME // 1000 * 1000]


NUMBERED_BLOCKS = {0x0BAD: 8, 0x40000BAD: 8, 9: 40, 0x204: 32, 0x216: 32, 0x221: 32}


@pytest.mark.parametrize("block_type", [4, 5, 7, 8, 10, 0x201, 0x208, 0x123, 0x80000001, *NUMBERED_BLOCKS])
def test_pcapng_blocks_without_a_packet(tmp_path, block_type):
    """Wireshark 4.0 gives a number to custom blocks, journal entries and system calls, and to no other."""
    packet = enhanced(TIME // 1000, b"abcd", 4)
    content = section() + interface() + packet + block(block_type, b"\0" * NUMBERED_BLOCKS.get(block_type, 8)) + packet
    frames, reader = read_file(tmp_path / "capture", content)
    assert [frame.number for frame in frames] == [1, 3 if block_type in NUMBERED_BLOCKS else 2]
    assert reader.frames == frames[-1].number
    assert reader.damage is None


def test_pcapng_length_without_padding(tmp_path):
    """A total length that leaves out the padding is rounded up, as in Wireshark."""
    body = struct.pack("<IIIII", 0, 0, 5, 5, 5) + b"abcde\0\0\0"
    content = section() + interface() + block(6, body, length=37) + enhanced(6, b"abcd", 4)
    frames, reader = read_file(tmp_path / "capture", content)
    assert [frame.data for frame in frames] == [b"abcde", b"abcd"]
    assert reader.damage is None


@pytest.mark.parametrize(("network", "link_type"), [(0, 1), (4, 1), (8, 10), (14, 0), (18, 123)])
def test_snoop_link_type(tmp_path, network, link_type):
    """Data link types of snoop as registered ones."""
    frames, _ = read_file(tmp_path / "capture", snoop_header(network) + snoop_record(FRAMES[0]))
    assert [frame.link_type for frame in frames] == [link_type]


def test_snoop_of_shomiti(tmp_path):
    """Enough padding in the first record makes the link type one of Shomiti."""
    frames, reader = read_file(tmp_path / "capture", snoop_header(12, 3) + snoop_record(FRAMES[0], padding=16))
    assert frames == FRAMES[:1]
    assert reader.format == "snoop, Shomiti"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n", "is no capture file"),
        (b"<html>", "is no capture file"),
        (pcap_header()[:23], "cut short in the header"),
        (pcap_header(version=(1, 2)), "version 1.2"),
        (pcap_header(network=0x10001), "reserved bits"),
        (snoop_header()[:15], "cut short in the header"),
        (snoop_header(version=9), "version 9"),
        (snoop_header(network=5), "link type 5"),
        (section()[:20], "cut short in the header"),
        (section(version=(2, 0)), "version 2.0"),
        (block(0x0A0D0D0A, bytes(16)), "byte order"),
        (block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1), length=16), "too short"),
        (block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1), length=0xFFFFFFF0), "larger than the maximum"),
        (block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1), trailer=32), "two lengths"),
    ],
)
def test_no_capture(tmp_path, content, words):
    """One sentence, with the name of the file."""
    path = tmp_path / "capture"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as raised:
        open_capture(path)
    assert str(path) in str(raised.value)
