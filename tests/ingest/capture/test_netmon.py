"""Network Monitor: versions, clocks, networks, tables that lie, and what tshark says of the same files."""

import os
import random
import struct
import subprocess
import threading

import pytest
import xxhash

from ingest.capture.netmon import NO_LINK_TYPE, TIME_MINIMUM
from ingest.capture.reader import SMALLEST_BUFFER, open_capture
from segwatch.errors import InputError
from tests.ingest.capture.files import (
    COMPRESSIONS,
    VARIANTS,
    Frame,
    frames_of,
    netmon,
    netmon_record,
    numbered,
    read_file,
)
from tests.parity.reference import require_tshark

SECOND = 1_000_000_000
DATA = bytes.fromhex(
    "020000000002020000000001080045000028000100004006f97d0a0000010a0000020400005000000001000000005002ffff00000000"
)
"""A SYN in IPv4 in Ethernet."""
FRAME = Frame(1_600_000_000 * SECOND + 123_456_700, DATA, 1500)
TABLE_OFFSET, TABLE_LENGTH = 24, 28
LATEST = (1 << 63) - 1
START = (2020, 3, 6, 14, 10, 29, 29, 800)
STARTED = 1_584_181_769_800_000_000
WLAN = bytes.fromhex("022000") + bytes(29)
SNAP = bytes.fromhex("aaaa030000000800") + DATA[14:]

NETWORKS = [
    # network, bytes of the frame, bytes of it that are Network Monitor's own, link type
    (0, DATA, 0, 1),
    (1, DATA, 0, 1),
    (2, DATA, 0, 6),
    (3, DATA, 0, 10),
    (4, SNAP, 0, 100),
    (4, bytes(2) + DATA, 2, 1),
    (4, b"ab", 0, NO_LINK_TYPE),
    (6, WLAN + DATA, 32, 105),
    (6, WLAN, 32, 105),
    (6, WLAN[:31], 0, NO_LINK_TYPE),
    (6, b"\2\0", 0, NO_LINK_TYPE),
    (7, DATA[14:], 0, 101),
    (8, DATA[14:], 0, 101),
    (9, DATA[14:], 0, 101),
    (0xE001, DATA, 0, 1),
    (0xE00C, DATA[14:], 0, 101),
    (0xE071, DATA, 0, 113),
    (0xE080, DATA, 0, 105),
    (0xE083, DATA, 0, NO_LINK_TYPE),
    (0xFFE0, DATA, 0, NO_LINK_TYPE),
    (0xFFFB, DATA, 0, NO_LINK_TYPE),
    (0xFFFC, DATA, 0, None),
    (0xFFFD, DATA, 0, None),
    (0xFFFE, DATA, 0, None),
    (0xFFFF, DATA, 0, NO_LINK_TYPE),
    # From here on Wireshark reads no further.
    (5, DATA, 0, NO_LINK_TYPE),
    (0x1234, DATA, 0, NO_LINK_TYPE),
    (0xE081, DATA, 0, NO_LINK_TYPE),
]
READ_BY_WIRESHARK = 25


def records_of(networks: list[tuple]) -> list[bytes]:
    """Return a record of version 2.1 for each."""
    return [netmon_record(FRAME._replace(data=data), (2, 1), network) for network, data, _, _ in networks]


def test_networks(tmp_path):
    """Every frame has a network; some have a header of their own, some take no frame number, as in Wireshark."""
    found, reader = read_file(tmp_path / "capture", netmon(records_of(NETWORKS), (2, 1)))
    expected = [
        Frame(0, data[skipped:], 1500 - skipped, link_type)
        for _, data, skipped, link_type in NETWORKS
        if link_type is not None
    ]
    assert [frame._replace(time=0) for frame in found] == numbered(expected)
    assert reader.damage is None
    assert reader.link_types == {frame.link_type for frame in expected}


@pytest.mark.parametrize("version", [(1, 1), (2, 0)])
@pytest.mark.parametrize(
    ("network", "data", "skipped", "link_type"),
    [(4, bytes(16) + SNAP, 16, 100), (4, bytes(18) + DATA, 18, 1), (4, bytes(18), 0, NO_LINK_TYPE), (2, DATA, 0, 6)],
)
def test_network_of_the_file(tmp_path, version, network, data, skipped, link_type):
    """Before version 2.1 the header says what all frames are, and ATM frames have a header before them."""
    frame = Frame(5 * SECOND, data, 100)
    found, _ = read_file(tmp_path / "capture", netmon([netmon_record(frame, version)], version, network=network))
    assert found == numbered([Frame(found[0].time, data[skipped:], 100 - skipped, link_type)])


@pytest.mark.parametrize(
    ("version", "count", "time"),
    [
        ((1, 1), 1500, STARTED + 1500 * 1_000_000),
        ((1, 1), (1 << 32) - 1, STARTED + ((1 << 32) - 1) * 1_000_000),
        ((2, 0), 1500, STARTED + 1_500_000),
        ((2, 0), (1 << 64) - 50, STARTED - 50_000),
        ((2, 1), ((1 << 64) - 50) // 10, STARTED - 5_600),
        ((2, 2), 1 << 40, STARTED + (1 << 40) * 1000),
        ((2, 2), LATEST // 10, LATEST),
        ((2, 2), (1 << 63) // 10 + 1, TIME_MINIMUM),
        ((2, 2), (LATEST - STARTED) // 1000 + 1, LATEST),
        ((2, 3), 132_000_000_000_000_123, 1_555_526_400_000_012_300),
        ((2, 9), 132_000_000_000_000_123, 1_555_526_400_000_012_300),
        ((2, 3), 0, TIME_MINIMUM),
        ((2, 3), 1 << 62, LATEST),
        ((2, 3), (1 << 64) - 1, LATEST),
    ],
)
def test_times(tmp_path, version, count, time):
    """Milliseconds, microseconds with a hidden sign, and FILETIME; what 64 bits do not hold is the nearest they do."""
    record = netmon_record(FRAME, version, count=count)
    found, reader = read_file(tmp_path / "capture", netmon([record], version, start=START))
    assert found == numbered([FRAME._replace(time=time)])
    assert reader.format == f"Network Monitor {version[0]}.{version[1]}"


@pytest.mark.parametrize(
    ("start", "time"),
    [
        ((2020, 14, 0, 35, 25, 61, 61, 1800), 1_615_168_922_800_000_000),
        ((0,) * 8, TIME_MINIMUM),
        ((65535,) * 8, LATEST),
        ((2263, 1, 0, 1, 0, 0, 0, 0), LATEST),
    ],
)
def test_start_of_the_capture(tmp_path, start, time):
    """Fields beyond their range count on; any date is taken."""
    found, _ = read_file(tmp_path / "capture", netmon([netmon_record(FRAME, count=0)], start=start))
    assert [frame.time for frame in found] == [time]


def test_magic_does_not_tell_the_version(tmp_path):
    """The version is what its field says, as in Wireshark."""
    content = b"RTSS" + netmon([netmon_record(FRAME, (2, 3))], (2, 3))[4:]
    found, reader = read_file(tmp_path / "capture", content)
    assert found == numbered([FRAME])
    assert reader.format == "Network Monitor 2.3"


TSHARK_FIELDS = ("frame.number", "frame.time_epoch", "frame.len", "frame.cap_len")


@pytest.mark.parametrize("version", [(1, 1), (2, 0), (2, 1), (2, 2), (2, 3)])
def test_tshark_agrees(tmp_path, version):
    """Numbers, times and lengths are tshark's, hidden records, holes and the table's order included."""
    networks = [network for network in NETWORKS[:READ_BY_WIRESHARK] if network[2] == 0 and version >= (2, 1)]
    frames = [Frame(FRAME.time + number * 7_123_456, DATA, 60 + number) for number in range(9)]
    records = [
        netmon_record(frame, version, count=None if version == (2, 3) else 1000 * number)
        for number, frame in enumerate(frames)
    ]
    records += [
        netmon_record(FRAME._replace(data=data), version, network, count=None if version == (2, 3) else 9)
        for network, data, _, _ in networks
    ]
    order = list(range(len(records)))
    random.Random(4).shuffle(order)  # noqa: S311 - a test's own random numbers
    path = tmp_path / "capture"
    found, reader = read_file(path, netmon(records, version, start=START, order=[*order, 0], hole=b"hole"))
    assert reader.damage is None
    fields = [word for field in TSHARK_FIELDS for word in ("-e", field)]
    command = [require_tshark(), "-n", "-r", str(path), "-T", "fields", *fields]
    answer = subprocess.run(command, env={**os.environ, "TZ": "UTC"}, capture_output=True, text=True, check=True)
    theirs = [tuple(line.split("\t")) for line in answer.stdout.splitlines()]
    ours = [(f.number, f"{f.time // SECOND}.{f.time % SECOND:09d}", f.wirelen, len(f.data)) for f in found]
    assert [tuple(map(str, row)) for row in ours] == theirs


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if variant.startswith("Network Monitor")])
def test_cut_at_every_byte(tmp_path, variant):
    """The table stands at the end: what is left of it gives its frames, without it there are none."""
    frames = numbered([Frame(FRAME.time // 1000 * 1000, b"a" * size, 9) for size in (5, 0, 9, 1)])
    content = VARIANTS[variant][0](frames)
    table = len(content) - 4 * len(frames)
    for cut in range(1, len(content)):
        try:
            found, reader = read_file(tmp_path / "capture", content[:cut])
        except InputError:
            assert cut < table + 4
            continue
        assert found == frames[: (cut - table) // 4]
        assert reader.damage is not None
        assert f"is damaged at byte {table + (cut - table) // 4 * 4} (frame" in reader.damage


def test_any_byte_may_be_wrong(tmp_path):
    """Every byte in turn, several values: frames or a sentence, all of the content in the digest."""
    whole = VARIANTS["Network Monitor 2.2"][0]([FRAME._replace(data=b"d" * size) for size in (3, 7, 40)])
    for place in range(len(whole)):
        for value in (0, 1, 0x7F, 0x80, 0xFF):
            content = whole[:place] + bytes([value]) + whole[place + 1 :]
            try:
                found, reader = read_file(tmp_path / "capture", content, 2, SMALLEST_BUFFER)
            except InputError:
                continue
            assert len(found) <= len(content) // 4
            assert reader.digest() == xxhash.xxh3_128(content).hexdigest()


def patched(content: bytes, place: int, value: int) -> bytes:
    """Return the content with 32 bits of it replaced."""
    return content[:place] + struct.pack("<I", value) + content[place + 4 :]


GOOD = netmon([netmon_record(FRAME)] * 2)
SIZE = len(GOOD)


@pytest.mark.parametrize(
    ("content", "count", "words"),
    [
        (
            patched(GOOD, TABLE_LENGTH, 0xFFFFFFFF),
            2,
            f"byte {SIZE} (frame 3): of the next entry in its table of frames",
        ),
        (patched(GOOD, TABLE_LENGTH, 7), 1, "there are 3 bytes"),
        (patched(GOOD, SIZE - 4, SIZE), 1, f"byte {SIZE} (frame 2): the record that its table tells of ends beyond"),
        (patched(GOOD, SIZE - 4, 0xFFFFFFFF), 1, "at byte 4294967295 (frame 2): the record that its table tells of"),
        (
            patched(GOOD, 128 + 12, 262_145),
            0,
            "at byte 128 (frame 1): a frame of 262145 bytes is larger than the maximum of 262144",
        ),
        (patched(GOOD, 128 + 12, 0xFFFFFFFF), 0, "frame of 4294967295 bytes"),
        (
            patched(GOOD, 128 + 12, 1000),
            0,
            f"at byte 128 (frame 1): the record that its table tells of ends beyond the file's {SIZE} bytes",
        ),
    ],
)
def test_damage(tmp_path, content, count, words):
    """Tables and records that lie are damage at their place; the frames before them come."""
    found, reader = read_file(tmp_path / "capture", content)
    assert len(found) == count
    assert reader.damage is not None
    assert words in reader.damage
    assert reader.digest() == xxhash.xxh3_128(content).hexdigest()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GMBU" + bytes(27), "cut short in the header"),
        (b"RTSS" + bytes(124), "version 0.0"),
        (netmon([], (3, 0)), "version 3.0"),
        (netmon([], network=5), "network type 5"),
        (netmon([], (1, 1), network=0xFFFD), "network type 65533"),
        (patched(GOOD, TABLE_LENGTH, 0), "table of frames was never written"),
        (patched(GOOD, TABLE_OFFSET, 0xFFFFFFF0), "cut short before its table of frames"),
        (GOOD[:-8], f"stands at byte {SIZE - 8}, and the file ends at byte {SIZE - 8}"),
    ],
)
def test_no_frame_can_be_found(tmp_path, content, words):
    """One sentence, with the name of the file."""
    path = tmp_path / "capture"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as raised:
        open_capture(path)
    assert str(path) in str(raised.value)


def test_one_record_many_times(tmp_path):
    """A table may name one record as often as it has room, and only that often; hidden ones end too."""
    for network, count in ((1, 50_000), (0xFFFD, 0)):
        content = netmon([netmon_record(FRAME, (2, 1), network)], (2, 1), order=[0] * 50_000)
        found, reader = read_file(tmp_path / "capture", content, 1000, SMALLEST_BUFFER)
        assert len(found) == reader.frames == count
        assert reader.damage is None


@pytest.mark.parametrize("limit", [1000, 1 << 20])
def test_large_files_are_mapped(tmp_path, monkeypatch, limit):
    """A file gives the same frames held in memory or mapped; a batch outlives the reader."""
    monkeypatch.setattr("ingest.capture.reader.WHOLE_BYTES", limit)
    frames = numbered([Frame(FRAME.time // 1000 * 1000, bytes([number]) * 300, 300) for number in range(250)])
    content = VARIANTS["Network Monitor 2.2"][0](frames)
    found, reader = read_file(tmp_path / "capture", content, 40, SMALLEST_BUFFER)
    assert found == frames
    assert reader.digest() == xxhash.xxh3_128(content).hexdigest()
    assert reader.bytes_read == reader.total_bytes == len(content)
    with open_capture(tmp_path / "capture") as reader:
        columns = reader.read(3)
    assert columns is not None
    assert columns.buffer[columns.offset[1] : columns.offset[1] + 300].tobytes() == frames[1].data


def test_pipe(tmp_path):
    """A pipe is read to its end first."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(GOOD,))
    writer.start()
    with open_capture(path) as reader:
        writer.join()
        assert [frame.data for frame in frames_of(reader)] == [DATA, DATA]
        assert reader.damage is None


def test_compressed_beyond_the_limit(tmp_path, monkeypatch):
    """What cannot be mapped has a limit, and the sentence tells what to do."""
    monkeypatch.setattr("ingest.capture.reader.WHOLE_BYTES", len(GOOD) - 1)
    path = tmp_path / "capture"
    path.write_bytes(COMPRESSIONS["zstandard"](GOOD))
    with pytest.raises(InputError, match="unpack it into a file") as raised:
        open_capture(path)
    assert str(path) in str(raised.value)


def test_cut_compressed_stream(tmp_path):
    """Where the stream is what ends early, the sentence is about the stream."""
    path = tmp_path / "capture"
    content = netmon([netmon_record(FRAME._replace(data=random.Random(2).randbytes(90_000)))] * 2)  # noqa: S311 - no secret
    packed = COMPRESSIONS["gzip"](content)
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError, match=r"gzip stream .* stops in the middle"):
        open_capture(path)
    found, reader = read_file(path, packed[:-6])
    assert len(found) == 2
    assert reader.damage is not None
    assert "gzip stream" in reader.damage
