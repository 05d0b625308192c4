"""Captures out of what came by the points of the way: with or without faults, as files of headers only."""

import gzip
import io
import random
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.lab.middlebox import Packet, Passing
from tests.lab.settings import CaptureFaults

_MAGIC_NANOSECONDS: Final = 0xA1B23C4D
_FILE_HEADER: Final = struct.pack("<IHHiIII", _MAGIC_NANOSECONDS, 2, 4, 0, 0, 128, 1)
_RECORD: Final = struct.Struct("<IIII")
_SECOND: Final = 1_000_000_000
_TWICE_AFTER_NS: Final = (1_000, 60_000)


class Captured(NamedTuple):
    """A frame of a capture."""

    time: int
    packet: int
    copy: int
    """Of the copies that the network made; 0 is the packet itself."""
    is_again: bool = False
    """The capture has it a second time, though it came by once."""


class Capture(NamedTuple):
    """A point's frames in order, and the packets that came by and are not among them."""

    frames: list[Captured]
    omitted: dict[int, int]
    """When they came by, by packet."""


def capture(passings: Sequence[Passing], point: int, faults: CaptureFaults, seed: str) -> Capture:
    """Return what a capture at a point has."""
    numbers = random.Random(f"{seed}/capture/{point}")  # noqa: S311 (repeatable, not secret)
    here = [one for one in passings if one.point == point]
    frames: list[Captured] = []
    omitted: dict[int, int] = {}
    in_burst = False
    for at, one in enumerate(here):
        in_burst = numbers.random() < (faults.omit_burst if in_burst else faults.omit)
        if in_burst:
            omitted[one.packet] = one.time
            continue
        frames.append(Captured(one.time, one.packet, one.copy))
        if numbers.random() < faults.twice:
            again = one.time + numbers.randint(*_TWICE_AFTER_NS)
            latest = here[at + 1].time if at + 1 < len(here) else again
            frames.append(Captured(min(again, latest), one.packet, one.copy, is_again=True))
    written = {frame.packet for frame in frames}
    return Capture(frames, {packet: time for packet, time in omitted.items() if packet not in written})


def write(path: Path, frames: Sequence[Captured], packets: Sequence[Packet], clock_offset: int) -> None:
    """Write frames as a pcap of nanoseconds, cut after the TCP options; ``clock_offset`` leads to the time of day."""
    file = io.BytesIO()
    file.write(_FILE_HEADER)
    for one in frames:
        packet = packets[one.packet]
        seconds, nanoseconds = divmod(one.time + clock_offset, _SECOND)
        cut = packet.header.header_bytes
        file.write(_RECORD.pack(seconds, nanoseconds, cut, len(packet.frame)))
        file.write(packet.frame[:cut])
    path.write_bytes(gzip.compress(file.getvalue(), 9, mtime=0))
