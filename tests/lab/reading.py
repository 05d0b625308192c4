"""Reads the captures that the lab writes."""

import gzip
import struct
from pathlib import Path
from typing import Final, NamedTuple

from tests.lab.headers import Header, parse

_FILE_HEADER_BYTES: Final = 24
_RECORD: Final = struct.Struct("<IIII")
_SECOND: Final = 1_000_000_000


class Frame(NamedTuple):
    """A frame of a capture."""

    time: int
    """Nanoseconds since 1970."""
    length: int
    """On the wire; the capture has the headers only."""
    header: Header


def read(path: Path) -> list[Frame]:
    """Return the frames of a capture of the lab."""
    content = gzip.decompress(path.read_bytes())
    frames: list[Frame] = []
    at = _FILE_HEADER_BYTES
    while at < len(content):
        seconds, nanoseconds, kept, length = _RECORD.unpack_from(content, at)
        at += _RECORD.size
        header = parse(content[at : at + kept])
        if header is None:
            raise ValueError(f"{path}: frame {len(frames) + 1} is no TCP segment over IPv4")
        frames.append(Frame(seconds * _SECOND + nanoseconds, length, header))
        at += kept
    return frames
