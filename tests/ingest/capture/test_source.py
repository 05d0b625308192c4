"""Sources: what cannot be opened, and compressed streams whole, cut and damaged."""

import os
import random
import threading

import pytest

from ingest.capture.reader import open_capture
from ingest.capture.source import Source
from segwatch.errors import InputError
from tests.ingest.capture.files import COMPRESSIONS, VARIANTS, Frame, frames_of, numbered, read_file

BYTES = random.Random(1)  # noqa: S311 - incompressible content, not a secret
FRAMES = numbered([Frame(1_600_000_000_000_000_000, BYTES.randbytes(1000), 1000) for _ in range(3000)])
CONTENT = VARIANTS["pcap-le"][0](FRAMES)
PACKED = {name: pack(CONTENT) for name, pack in COMPRESSIONS.items() if name != "none"}


def read_all(source: Source, piece: int = 100_000) -> bytes:
    """Return the content up to its end."""
    content = bytearray()
    buffer = bytearray(piece)
    while count := source.readinto(memoryview(buffer)):
        content += buffer[:count]
    return bytes(content)


@pytest.mark.parametrize("compression", PACKED)
@pytest.mark.parametrize("piece", [1000, 1_000_000])
def test_compressed(tmp_path, compression, piece):
    """Whole streams, in small and large pieces; the position ends at the size of the file."""
    path = tmp_path / "capture"
    path.write_bytes(PACKED[compression])
    source = Source(path)
    assert source.compression == compression
    assert read_all(source, piece) == CONTENT
    assert source.damage is None
    assert source.position == source.total_bytes == len(PACKED[compression])
    source.close()


@pytest.mark.parametrize("compression", PACKED)
def test_several_members(tmp_path, compression):
    """Streams written one after another are one content, as for the compressors' own tools."""
    half = len(CONTENT) // 2
    content = COMPRESSIONS[compression](CONTENT[:half]) + COMPRESSIONS[compression](CONTENT[half:])
    found, reader = read_file(tmp_path / "capture", content + b"\0" * 1000)
    assert found == FRAMES
    assert reader.damage is None


@pytest.mark.parametrize("compression", PACKED)
def test_something_else_behind(tmp_path, compression):
    """What is behind a stream and is none is damage, after all frames."""
    found, reader = read_file(tmp_path / "capture", PACKED[compression] + b"something else, long enough")
    assert found == FRAMES
    assert reader.damage is not None
    assert "what follows is something else" in reader.damage


@pytest.mark.parametrize("compression", PACKED)
def test_cut(tmp_path, compression):
    """A cut stream gives what was there."""
    packed = PACKED[compression]
    found, reader = read_file(tmp_path / "capture", packed[: len(packed) * 2 // 3])
    assert found == FRAMES[: len(found)]
    assert compression == "bzip2" or len(found) > len(FRAMES) // 2  # its blocks have 900 kB
    assert reader.damage is not None
    assert "cut short" in reader.damage
    assert f"(frame {len(found) + 1})" in reader.damage


@pytest.mark.parametrize("compression", PACKED)
def test_cut_anywhere(tmp_path, compression):
    """Cuts at every byte of a small stream, the first ones included."""
    packed = COMPRESSIONS[compression](VARIANTS["pcap-le"][0](FRAMES[:1]))
    for cut in range(min(200, len(packed))):
        try:
            found, reader = read_file(tmp_path / "capture", packed[:cut])
        except InputError:
            continue
        assert found == []
        assert reader.damage is not None


@pytest.mark.parametrize("compression", PACKED)
def test_damaged(tmp_path, compression):
    """Nothing but an InputError, or frames with a sentence, comes from bytes that were changed."""
    for place in range(3, 203):
        packed = bytearray(COMPRESSIONS[compression](CONTENT[:20_000]))
        packed[place * len(packed) // 210] ^= 0x55
        try:
            found, _ = read_file(tmp_path / "capture", bytes(packed))
        except InputError:
            continue
        assert len(found) <= 20


def test_bomb_is_unpacked_in_pieces(tmp_path):
    """Content of 300 MB in a small file is read without being held."""
    packed = COMPRESSIONS["bzip2"](bytes(1 << 20)) * 300
    path = tmp_path / "capture"
    path.write_bytes(packed)
    source = Source(path)
    buffer = memoryview(bytearray(1 << 20))
    total = 0
    while count := source.readinto(buffer):
        assert count <= 1 << 20
        total += count
    assert total == 300 << 20
    source.close()


def test_what_cannot_be_opened(tmp_path):
    """One sentence each, with the name."""
    (tmp_path / "empty").write_bytes(b"")
    wrong = {"missing": "does not exist", "": "is a directory", "empty": "is empty", "a\0b": "cannot be opened"}
    for name, words in wrong.items():
        with pytest.raises(InputError, match=words) as raised:
            open_capture(tmp_path / name)
        assert str(tmp_path) in str(raised.value)


def test_no_permission(tmp_path, monkeypatch):
    """Permission denied is said so; the refusal is put in place of the system's, as root may read everything."""
    path = tmp_path / "capture"
    path.write_bytes(CONTENT)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("ingest.capture.source.io.FileIO", refuse)
    with pytest.raises(InputError, match="permission denied"):
        open_capture(path)


def test_read_error_midway(tmp_path, monkeypatch):
    """A disk that fails midway is damage, after the frames before."""
    path = tmp_path / "capture"
    path.write_bytes(CONTENT)
    with open_capture(path, buffer_bytes=1 << 16) as reader:

        class FailingDisk:
            def readinto(self, target):
                raise OSError(5, "Input/output error")

            def close(self):
                pass

        reader._source._raw.close()
        monkeypatch.setattr(reader._source, "_raw", FailingDisk())
        found = frames_of(reader)
    assert found == FRAMES[: len(found)]
    assert found
    assert reader.damage is not None
    assert "Input/output error" in reader.damage


def test_pipe(tmp_path):
    """A named pipe is read like a file, and has no size."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(PACKED["gzip"]))
    writer.start()
    with open_capture(path) as reader:
        assert reader.total_bytes is None
        assert frames_of(reader) == FRAMES
    writer.join()
