"""Frames that lie: real and hand-made ones with flipped bits, cut ends, wrong lengths and other link types.

As a program it decodes such frames and prints a digest of all rows: ``python -m tests.ingest.decode.mutations COUNT``.
"""

import sys
from functools import cache
from hashlib import blake2b
from itertools import islice
from random import Random

import numpy as np

from ingest.decode.frames import decode_frames
from ingest.decode.status import Status
from segwatch.records.segments import empty_segments
from tests.ingest.decode.support import (
    LOOP,
    NULL,
    RAW,
    SLL,
    SLL2,
    Frame,
    columns_of,
    ethernet,
    ipv4,
    ipv6,
    pcap_frames,
    plain,
    tcp,
    vlan,
)
from tests.support import CASES

LINK_TYPES = (1, 1, 1, 12, RAW, 228, 229, SLL, SLL2, NULL, LOOP, 147)
_OPTIONS = bytes.fromhex("020405b4 0402 080a0000000100000002 01 030307 1e042000 2206616263645a 00")
_EXTENSIONS = bytes([43, 0]) + bytes(6) + bytes([51, 2, 4, 1]) + bytes(20) + bytes([60, 1]) + bytes(10) + bytes([44, 0])


@cache
def seeds() -> list[Frame]:
    """Return frames of every kind that the fast path has code for."""
    segment = tcp(_OPTIONS, b"payload")
    internet = [
        ipv4(segment),
        ipv6(segment),
        ipv4(segment, options=bytes.fromhex("830b04c0a80001c0a8000200")),
        ipv6(
            bytes([0, 0, 5, 2, 0, 0, 1, 0]) + bytes([43, 0]) + bytes(6) + bytes([6, 2, 4, 1]) + bytes(20) + segment, 0
        ),
        ipv6(_EXTENSIONS + segment, 0),
        ipv6(bytes([6, 0, 0xC2, 4, 0, 1, 0x11, 0x70]) + segment, 0, length=0),
        ipv4(bytes([3, 1, 0, 0, 0, 0, 0, 0]) + ipv4(segment), 1),
        ipv4(bytes([0x30, 0x39, 0x12, 0xB5, 0, 8, 0, 0]), 17),
    ]
    frames = [Frame(packet, len(packet), RAW) for packet in internet]
    for packet in internet[:2]:
        number = 0x86DD if packet[0] >> 4 == 6 else 0x0800
        tagged = ethernet(vlan(5, vlan(6, packet, number), 0x8100), 0x88A8)
        cooked = bytes(14) + number.to_bytes(2, "big") + packet
        cooked_2 = number.to_bytes(2, "big") + bytes(18) + packet
        family = (30 if number == 0x86DD else 2).to_bytes(4, "big") + packet
        for data, linktype in ((tagged, 1), (cooked, SLL), (cooked_2, SLL2), (family, NULL), (family, LOOP)):
            frames.append(Frame(data, len(data), linktype))
    frames.append(Frame(ethernet(bytes.fromhex("aaaa030000000800") + internet[0], 60), 74))
    for path in sorted(CASES.glob("*.pcap")):
        frames += islice(pcap_frames(path), 12)
    return frames


def mutated(random: Random) -> Frame:
    """Return one frame that is changed in some ways."""
    frame = random.choice(seeds())
    data, on_wire, linktype = bytearray(frame.data), frame.on_wire, frame.linktype
    for _ in range(random.choice((0, 1, 1, 2, 8))):
        at = random.randrange(random.choice((24, 80, len(data))))
        if at >= len(data):
            continue
        data[at] = random.choice((data[at] ^ 1 << random.randrange(8), 0, 0xFF, random.randrange(256)))
    if random.random() < 0.4:
        del data[random.randrange(len(data) + 1) :]
    if random.random() < 0.3:
        on_wire = random.choice((0, len(data), on_wire + random.randrange(64), 1 << 16, (1 << 32) - 1))
    if random.random() < 0.1:
        linktype = random.choice(LINK_TYPES)
    return Frame(bytes(data), on_wire, linktype)


def outcome(frame: Frame, filler: bytes = b"") -> dict[str, object] | Status:
    """Return the row of a frame as plain numbers, or why it has none; ``filler`` lies around it in the buffer."""
    segments = empty_segments(1)
    declined, skipped = np.empty(1, np.int64), np.zeros(len(Status), np.int64)
    _, rows, declined_count = decode_frames(columns_of([frame], filler), 0, segments, 0, declined, skipped)
    if rows:
        return plain(segments, 0)
    return Status.TUNNEL if declined_count else Status(int(skipped.argmax()))


def digest(count: int, seed: int = 1) -> str:
    """Return a digest of what becomes of ``count`` mutated frames."""
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    content = blake2b(digest_size=16)
    for _ in range(count):
        content.update(repr(outcome(mutated(random))).encode())
    return content.hexdigest()


if __name__ == "__main__":
    sys.stdout.write(digest(int(sys.argv[1])))
