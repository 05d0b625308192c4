"""Random hostile conversations: tshark itself is asked about every packet."""

import struct
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.parity.reference import ask_tshark, differences, read_rows

PACKETS = 30_000
CONVERSATIONS = 600
_LINKTYPE_RAW = 101
_NANOSECONDS_MAGIC = 0xA1B23C4D
_FLAGS = [0x10] * 8 + [0x18] * 3 + [0x02, 0x02, 0x12, 0x12, 0x11, 0x19, 0x01, 0x04, 0x14, 0x00, 0x3F, 0x03, 0x06]
_STEPS = [
    0,
    1,
    1000,
    100_000,
    1_000_000,
    2_999_999,
    3_000_000,
    9_000_000,
    19_999_999,
    20_000_000,
    400_000_000,
    -500_000,
]
_OPTIONS = [b""] * 12 + [
    b"\x03\x03\x07\x00",
    b"\x03\x03\x0f\x01",
    b"\x03\x03\x00\x00",
    b"\x01\x01\x05\x0a" + struct.pack(">II", 100, 300),
    b"\x01\x01\x05\x1a" + struct.pack(">IIIIII", 100, 300, 500, 700, 2**32 - 100, 50),
    b"\x02\x04\x05\xb4",
    b"\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x02\x01\x00",
    b"\x22\x0a" + bytes(8) + b"\x00\x00",
    b"\x22\x02\x00\x00",
    b"\x09\x01\x00\x00",
]


def _number(rng: np.random.Generator, anchor: int) -> int:
    """Return a number near the conversation's anchor, near 0, or anywhere."""
    kind = rng.integers(0, 20)
    if kind == 0:
        return int(rng.integers(0, 2**32))
    if kind == 1:
        return int(rng.choice([0, 1, 2**31, 2**31 - 1, 2**32 - 1]))
    return (anchor + 100 * int(rng.integers(0, 12)) + int(rng.choice([0, 0, 0, 0, -1, 1]))) % 2**32


def _packet(rng: np.random.Generator, conversation: int, anchors: tuple[int, int]) -> tuple[bytes, int]:
    """Return the captured bytes of an IPv4 packet, headers only, and its length on the wire."""
    from_client = bool(rng.integers(0, 2))
    ends = [(bytes([10, 0, conversation >> 8, conversation & 255]), 1025 + conversation), (bytes([10, 1, 0, 1]), 4000)]
    if not from_client:
        ends.reverse()
    options = _OPTIONS[rng.integers(0, len(_OPTIONS))]
    seq = _number(rng, anchors[not from_client])
    ack = _number(rng, anchors[from_client])
    length = int(rng.choice([0, 0, 0, 1, 1, 2, 100, 100, 100, 200, 300, 1400]))
    window = int(rng.choice([0, 0, 1, 3, 100, 500, 500, 500, 65535]))
    offset = (20 + len(options)) // 4
    flags = _FLAGS[rng.integers(0, len(_FLAGS))]
    tcp = struct.pack(">HHIIBBHHH", ends[0][1], ends[1][1], seq, ack, offset << 4, flags, window, 0, 0) + options
    total = 20 + len(tcp) + length
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, total, 0, 0x4000, 64, 6, 0, ends[0][0], ends[1][0])
    return ip + tcp, total


def write_random_capture(path: Path, seed: int, packets: int = PACKETS, conversations: int = CONVERSATIONS) -> None:
    """Write a capture of random TCP packets whose numbers lie close together."""
    rng = np.random.default_rng(seed)
    near = rng.choice([0, 1000, 2**31 - 600, 2**32 - 600], (conversations, 2))
    now = 1_700_000_000_000_000_000
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", _NANOSECONDS_MAGIC, 2, 4, 0, 0, 65535, _LINKTYPE_RAW))
        for _ in range(packets):
            conversation = int(rng.integers(0, conversations))
            captured, total = _packet(rng, conversation, tuple(near[conversation].tolist()))
            now += _STEPS[rng.integers(0, len(_STEPS))] // conversations
            if rng.integers(0, 40) == 0:
                now += int(rng.choice(_STEPS))
            file.write(struct.pack("<IIII", now // 10**9, now % 10**9, len(captured), total) + captured)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("conversations", [3, CONVERSATIONS])
def test_every_packet_agrees(seed: int, conversations: int, tmp_path: Path) -> None:
    from segwatch.cli.labels import command

    capture = tmp_path / "random.pcap"
    write_random_capture(capture, seed, conversations=conversations)
    output = tmp_path / "labels.tsv"
    assert CliRunner().invoke(command, [str(capture), "-o", str(output)]).exit_code == 0
    found = differences(ask_tshark(capture), read_rows(output))
    assert found == [], f"{len(found)} of {PACKETS} packets with seed {seed}"
