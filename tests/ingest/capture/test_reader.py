"""Reading in any pieces gives the same frames; damaged files give the frames before the damage."""

import random
import sys
import threading
from queue import Queue

import numpy as np
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.capture.indexing import MAXIMUM_RECORD
from ingest.capture.reader import SMALLEST_BUFFER, open_capture
from segwatch.buffers import BufferPool
from segwatch.errors import InputError
from tests.ingest.capture.files import (
    COMPRESSIONS,
    VARIANTS,
    Frame,
    block,
    enhanced,
    frames_of,
    interface,
    numbered,
    pcap_header,
    pcap_record,
    read_file,
    section,
    snoop_header,
    snoop_record,
)

TIME = 1_600_000_000_000_000_000
FRAME = Frame(TIME, b"0123456789", 10, number=1)


def plain_frames():
    """Return a strategy for frames that every variant can hold, times in microseconds."""
    return st.builds(
        lambda time, size, more, fill: Frame(time * 1000, bytes([fill]) * size, size + more),
        st.integers(0, 4_294_967_295_999_999),
        st.one_of(st.integers(0, 200), st.integers(0, 30_000)),
        st.integers(0, 2000),
        st.integers(0, 255),
    )


@settings(deadline=None, max_examples=60)
@given(
    frames=st.lists(plain_frames(), max_size=60),
    variant=st.sampled_from(sorted(VARIANTS)),
    compression=st.sampled_from(sorted(COMPRESSIONS)),
    batch=st.integers(1, 70),
    buffer_bytes=st.integers(1, 3 * SMALLEST_BUFFER),
)
def test_any_capture(tmp_path_factory, frames, variant, compression, batch, buffer_bytes):
    """Random captures in every variant and compression, in batches and buffers of any size."""
    content = VARIANTS[variant][0](frames)
    path = tmp_path_factory.mktemp("any") / "capture"
    found, reader = read_file(path, COMPRESSIONS[compression](content), batch, buffer_bytes)
    assert found == numbered(frames)
    assert reader.damage is None
    assert reader.digest() == xxhash.xxh3_128(content).hexdigest()
    assert reader.bytes_read == reader.total_bytes


def test_source_of_small_pieces(tmp_path, monkeypatch):
    """Records may end and begin anywhere in what one read returns."""
    monkeypatch.setattr("ingest.capture.reader.PIECE_BYTES", 7)
    frames = [Frame(TIME + number * 1000, b"a" * (number * 37 % 300), 400) for number in range(700)]
    for write, _ in VARIANTS.values():
        found, reader = read_file(tmp_path / "capture", write(frames), 100, SMALLEST_BUFFER)
        assert found == numbered(frames)
        assert reader.damage is None


def test_frame_larger_than_the_buffer(tmp_path):
    """One large frame gets a buffer of its own."""
    frames = numbered([FRAME, Frame(TIME, b"b" * 262_144, 262_144), FRAME])
    for write, _ in VARIANTS.values():
        found, reader = read_file(tmp_path / "capture", write(frames), 10, SMALLEST_BUFFER)
        assert found == frames
        assert reader.damage is None


def test_batches_stay_valid(tmp_path):
    """A batch that is kept is not written over, also when it comes from another thread; a dropped one is used again."""
    frames = [Frame(TIME + number * 1000, number.to_bytes(4, "big") * 50, 200) for number in range(20_000)]
    path = tmp_path / "capture"
    path.write_bytes(VARIANTS["pcap-le"][0](frames))
    queue: Queue = Queue()
    with open_capture(path, buffer_bytes=SMALLEST_BUFFER) as reader:

        def produce() -> None:
            while (columns := reader.read(64)) is not None:
                queue.put(columns)
            queue.put(None)

        thread = threading.Thread(target=produce)
        thread.start()
        batches = list(iter(queue.get, None))
        thread.join()
    offsets = [(columns.buffer, offset) for columns in batches for offset in columns.offset.tolist()]
    assert [int.from_bytes(buffer[offset : offset + 4].tobytes(), "big") for buffer, offset in offsets] == list(
        range(20_000)
    )


def test_pool_takes_a_buffer_again_after_its_last_slice():
    """A slice, however it was made, keeps its buffer out of the pool."""
    pool = BufferPool(4096)
    buffer = pool.lease(10)
    address = buffer.ctypes.data
    part = buffer[10:20][2:4].view(np.uint16)
    del buffer
    assert pool.lease(10).ctypes.data != address
    del part
    again = [pool.lease(10) for _ in range(2)]
    assert address in [array.ctypes.data for array in again]
    assert len(pool.lease(10_000)) == 10_000


def test_digest_waits_for_the_end(tmp_path):
    """A digest of a part would name another capture."""
    path = tmp_path / "capture"
    path.write_bytes(VARIANTS["pcap-le"][0]([FRAME, FRAME]))
    with open_capture(path) as reader:
        assert reader.read(1) is not None
        with pytest.raises(RuntimeError):
            reader.digest()
        with pytest.raises(ValueError, match="one frame"):
            reader.read(0)


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if not variant.startswith("Network Monitor")])
def test_cut_at_every_byte(tmp_path, variant):
    """A cut file gives exactly the frames that are whole, and one sentence."""
    write, _ = VARIANTS[variant]
    frames = numbered([Frame(TIME, b"a" * size, 9) for size in (5, 0, 9, 1, 4)])
    content = write(frames)
    behind = 24 if variant.startswith("pcapng") else 0  # a block of statistics stands behind the last frame
    ends = [len(write(frames[:count])) - behind for count in range(len(frames) + 1)]
    # Which of the modified variants a file is shows only in its first three records.
    for cut in range(ends[3] if variant.startswith("pcapmod") else 0, len(content)):
        try:
            found, reader = read_file(tmp_path / "capture", content[:cut])
        except InputError:
            assert cut < ends[0]
            continue
        assert found == frames[: sum(cut >= end for end in ends[1:])]
        assert behind or (reader.damage is None) == (cut in ends)
        if reader.damage:
            assert "is cut short at byte" in reader.damage
            assert str(tmp_path / "capture") in reader.damage


@pytest.mark.parametrize("variant", VARIANTS)
def test_flipped_bits(tmp_path, variant):
    """Whatever the bytes say: an InputError or frames, never another exception, never an endless loop."""
    source = random.Random(variant)  # noqa: S311 - a test's own random numbers
    frames = [Frame(TIME + number * 1000, b"d" * (20 + number), 100) for number in range(12)]
    whole = VARIANTS[variant][0](frames)
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(source.randint(1, 6)):
            content[source.randrange(len(content))] = source.choice([0, 1, 0x7F, 0x80, 0xFF, source.randrange(256)])
        try:
            found, reader = read_file(tmp_path / "capture", bytes(content), 5, SMALLEST_BUFFER)
        except InputError:
            continue
        assert len(found) <= len(content) // 4
        assert reader.digest() == xxhash.xxh3_128(bytes(content)).hexdigest()


PCAP = pcap_header() + pcap_record(FRAME)
PCAPNG = section() + interface() + enhanced(TIME // 1000, FRAME.data, 10)
SNOOP = snoop_header() + snoop_record(FRAME)
LARGE = Frame(TIME, bytes(262_145), 262_145)


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        (PCAP, pcap_record(LARGE), "262145 bytes is larger than the maximum of 262144"),
        (PCAPNG, enhanced(0, LARGE.data, 1), "262145 bytes is larger than the maximum"),
        (PCAPNG, enhanced(0, b"abcd", 4, number=1), "interface 1, but the section has 1"),
        (PCAPNG, block(6, bytes(12)), "24 bytes is too short"),
        (PCAPNG, block(0x123, b"", length=8), "8 bytes is too short"),
        (PCAPNG, block(0x123, bytes(8), trailer=24), "two lengths of a block differ"),
        (PCAPNG, block(0x123, bytes(8), length=MAXIMUM_RECORD + 1), "larger than the maximum"),
        (PCAPNG, block(6, bytes(12) + b"\x05\0\0\0" * 2 + bytes(4)), "frame of 5 bytes is larger than its block"),
        (PCAPNG, block(3, b"\x05\0\0\0" + bytes(4)), "frame of 5 bytes is larger than its block"),
        (PCAPNG, section(version=(1, 1)), "version 1.1"),
        (PCAPNG, block(0x0A0D0D0A, bytes(16)), "byte order"),
        (PCAPNG, interface(options=b"\x09\0\x90\x01\0\0\0\0"), "option of 400 bytes"),
        (SNOOP, snoop_record(LARGE), "262145 bytes, more than the maximum"),
        (SNOOP, snoop_record(FRAME)[:11] + b"\x10" + snoop_record(FRAME)[12:], "larger than its record"),
    ],
)
def test_damage(tmp_path, good, bad, words):
    """Damage is told with file, place and frame; the frames before it come, those after it do not."""
    content = good + bad + good[len(good) // 2 :]
    found, reader = read_file(tmp_path / "capture", content)
    assert found == [FRAME]
    assert reader.damage is not None
    assert words in reader.damage
    assert f"{tmp_path / 'capture'} is damaged at byte {len(good)} (frame 2)" in reader.damage
    assert reader.digest() == xxhash.xxh3_128(content).hexdigest()


def test_lying_length_takes_no_memory_of_its_own(tmp_path):
    """A block that claims 255 MiB in a short file is a cut file."""
    found, reader = read_file(tmp_path / "capture", PCAPNG + block(0x123, bytes(8), length=255 << 20))
    assert found == [FRAME]
    assert reader.damage is not None
    assert "cut short" in reader.damage


def test_same_content_has_one_digest(tmp_path):
    """The digest names the content, not its compression."""
    digests = {read_file(tmp_path / "capture", pack(PCAP * 3))[1].digest() for pack in COMPRESSIONS.values()}
    assert len(digests) == 1
    assert len(digests.pop()) == 32


def test_standard_input(tmp_path, monkeypatch):
    """``-`` is standard input, which has no size."""
    path = tmp_path / "capture"
    path.write_bytes(COMPRESSIONS["zstandard"](PCAP))
    with path.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        with open_capture("-") as reader:
            assert frames_of(reader) == [FRAME]
            assert reader.total_bytes is None
            assert reader.name == "standard input"
            assert reader.format == "pcap, microseconds, little endian, zstandard"
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="closed"):
        open_capture("-")
