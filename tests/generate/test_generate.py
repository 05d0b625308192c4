"""The generator gives the same bytes again, true frames in order of time, and the capture that comes with segwatch."""

import gzip
import io
import struct
from itertools import pairwise
from pathlib import Path

import dpkt
import numpy as np
import pytest

from tests.generate import traffic, wire
from tests.generate.__main__ import write_traffic
from tests.generate.compose import endpoints
from tests.generate.demo import demo_capture
from tests.support import REPOSITORY


def _frames(data: bytes) -> list[tuple[int, int, bytes]]:
    """Return time (microseconds), wire length and bytes of every frame."""
    frames, at = [], 24
    while at < len(data):
        seconds, fraction, captured, wire_length = struct.unpack_from("<IIII", data, at)
        frames.append((seconds * 1_000_000 + fraction, wire_length, data[at + 16 : at + 16 + captured]))
        at += 16 + captured
    return frames


def _ones_complement_sum(data: bytes) -> int:
    words: tuple[int, ...] = struct.unpack(f">{len(data) // 2}H", data)
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_the_bundled_capture_is_what_the_generator_makes() -> None:
    bundled = gzip.decompress((REPOSITORY / "segwatch" / "data" / "demo.pcap.gz").read_bytes())
    assert bundled == demo_capture(), "run: python -m tests.generate demo segwatch/data/demo.pcap.gz"


@pytest.mark.parametrize("kind", ["bulk", "flows"])
def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(kind: str, tmp_path: Path) -> None:
    names = [tmp_path / name for name in ("one", "two", "three")]
    for path, seed in zip(names, (1, 1, 2), strict=True):
        write_traffic(kind, path, packets=3000, flows=60, seed=seed)
    first, second, third = (path.read_bytes() for path in names)
    assert first == second
    assert first != third
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".unfinished")] == []


@pytest.mark.parametrize("kind", ["bulk", "flows"])
def test_frames_are_in_order_and_have_true_checksums(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "capture"
    written = write_traffic(kind, path, packets=3000, flows=60, seed=3)
    frames = _frames(path.read_bytes())
    assert len(frames) == written
    assert all(earlier[0] <= later[0] for earlier, later in pairwise(frames))
    for _, wire_length, data in frames:
        packet = dpkt.ethernet.Ethernet(data + bytes(wire_length - len(data))).data
        segment = bytes(packet.data)
        pseudo = packet.src + packet.dst + struct.pack(">HH", 6, len(segment))
        assert _ones_complement_sum(pseudo + segment + bytes(len(segment) % 2)) == 0xFFFF


def test_bulk_holds_about_as_many_packets_as_asked() -> None:
    packets = sum(len(part) for part, _ in traffic.bulk(seed=1, packets=60_000, flows=10))
    assert 60_000 <= packets <= 70_000


def test_no_two_conversations_share_their_ends_unless_a_port_is_reused() -> None:
    ends = endpoints(np.random.default_rng(1), 50_000, [443, 8443])
    keys = {(ends["address"][row].tobytes(), ends["port"][row].tobytes()) for row in range(len(ends))}
    assert len(keys) == 50_000


def test_parts_can_be_written_in_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = list(traffic.bulk(seed=1, packets=4000, flows=5))
    written = []
    for rows in (200_000, 777):
        monkeypatch.setattr(wire, "ROWS_AT_ONCE", rows)
        file = io.BytesIO()
        for part, conversations in parts:
            wire.write_packets(file, part, conversations, 128)
        written.append(file.getvalue())
    assert written[0] == written[1]
