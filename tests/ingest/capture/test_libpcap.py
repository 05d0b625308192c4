"""libpcap as the reference for the compiled readers."""

import ctypes

import numpy as np
import pytest

from ingest.capture.handler import FrameBlock, collect_frame
from ingest.capture.libpcap import LibpcapFile, _numbers, libpcap_library
from segwatch.buffers import BufferPool
from segwatch.errors import InputError
from tests.ingest.capture.files import VARIANTS, Frame, enhanced, frames_of, interface, numbered, section

FRAMES = numbered([Frame(1_600_000_000_123_456_000 + n * 1000, bytes([n % 256]) * (n % 300), 400) for n in range(3000)])


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name.startswith("pcap")])
@pytest.mark.parametrize("batch", [1, 700, 5000])
def test_variant(tmp_path, variant, batch):
    """Every variant that libpcap knows, in batches of any size."""
    path = tmp_path / "capture"
    path.write_bytes(VARIANTS[variant][0](FRAMES))
    with LibpcapFile(path) as file:
        assert frames_of(file, batch) == FRAMES
        assert file.frames == len(FRAMES)
        assert file.damage is None


def test_damage(tmp_path):
    """The frames before the damage come, then libpcap's own words."""
    path = tmp_path / "capture"
    good = enhanced(1_600_000_000_000_000, b"abcd", 4)
    path.write_bytes(section() + interface() + good + interface(link_type=113) + good)
    with LibpcapFile(path) as file:
        assert len(frames_of(file)) == 1
        assert file.damage is not None
        assert "frame 2" in file.damage


def test_no_capture(tmp_path):
    """What libpcap refuses is an InputError with its reason."""
    path = tmp_path / "capture"
    path.write_bytes(b"nothing that it knows of, but long enough")
    with pytest.raises(InputError, match="unknown file format"):
        LibpcapFile(path)


def test_closed(tmp_path):
    """A closed file is not handed to libpcap."""
    path = tmp_path / "capture"
    path.write_bytes(VARIANTS["pcap-le"][0](FRAMES))
    file = LibpcapFile(path)
    file.close()
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read(1)


def call_handler(block, captured, wirelen):
    """Call the callback as libpcap does."""
    header = np.array([1_600_000_000, 123_456_789, captured | wirelen << 32], np.int64)
    data = np.arange(captured, dtype=np.uint8)
    handler = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(collect_frame.address)
    handler(block.address, header.ctypes.data, data.ctypes.data)


def test_handler_keeps_the_snapshot_length():
    """No more than the snapshot length is kept; the length on the wire stays."""
    block = FrameBlock(BufferPool(4096), rows=3, snaplen=64)
    call_handler(block, 100, 1500)
    columns = block.columns(7, 113)
    assert columns.caplen.tolist() == [64]
    assert columns.wirelen.tolist() == [1500]
    assert columns.ts.tolist() == [1_600_000_000_123_456_789]
    assert columns.frame.tolist() == [7]
    assert columns.linktype.tolist() == [113]
    assert columns.buffer[columns.offset[0] :][:64].tolist() == list(range(64))


def test_handler_never_leaves_its_block():
    """Frames without a row or room are counted, not written."""
    block = FrameBlock(BufferPool(400), rows=3, snaplen=64)
    memory = block.memory.copy()
    fitting = []
    for _ in range(10):
        fitting.append(block.fitting)
        call_handler(block, 64, 64)
    assert fitting[0] == 3
    assert block.rows == 3
    assert block.lost == 7
    assert len(block.memory) == len(memory)
    small = FrameBlock(BufferPool(1), rows=3, snaplen=64)
    for _ in range(3):
        call_handler(small, 64, 64)
    assert (small.rows, small.lost) == (1, 2)


def test_newest_library_is_taken():
    """Versions are compared by number."""
    assert _numbers("libpcap version 1.10.3 (with TPACKET_V3)") == (1, 10, 3)
    assert _numbers("libpcap version 1.9.1") < _numbers("libpcap version 1.10.0")
    assert _numbers("something else") == ()
    assert _numbers(libpcap_library().pcap_lib_version().decode()) >= (1, 10)
