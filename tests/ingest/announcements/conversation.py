"""Hand-made conversations, as frames for the decoder and as capture files for tshark."""

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np

from ingest.decode.decoder import Decoder
from segwatch.records.frames import FRAME_TYPES, FrameColumns, empty_frames
from segwatch.records.segments import SegmentColumns, join_segments
from segwatch.vocabulary import Flag, Quality

CLIENT, SERVER = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")
MILLISECOND = 1_000_000
_HEADERS = 54
_NANOSECONDS_MAGIC = 0xA1B23C4D
_ETHERNET = 1


class Capture:
    """Frames in capture order."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, bytes, int]] = []
        """Time in nanoseconds, captured bytes, bytes on the wire."""
        self._now = 1_700_000_000_000_000_000

    def add(
        self,
        ends: tuple[IPv4Address, int, IPv4Address, int],
        seq: int,
        ack: int,
        flags: int,
        payload: bytes = b"",
        *,
        captured: int | None = None,
        after: int = 10 * MILLISECOND,
    ) -> None:
        """Add a segment of which ``captured`` payload bytes were captured."""
        source, sport, destination, dport = ends
        self._now += after
        ports = struct.pack(">HHIIHHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 5 << 12 | flags, 9000, 0, 0)
        total = 40 + len(payload)
        header = struct.pack(">BBHHHBBH", 0x45, 0, total, 1, 0, 64, 6, 0) + source.packed + destination.packed
        frame = bytes.fromhex("0200000000010200000000020800") + header + ports + payload
        self.frames.append(
            (self._now, frame[: _HEADERS + len(payload) if captured is None else _HEADERS + captured], len(frame))
        )

    def probe(self) -> None:
        """Add a segment of a conversation of its own, whose stream number tells how many there were before."""
        number = len(self.frames)
        ends = IPv4Address("192.0.2.1"), 20_000 + number % 20_000, IPv4Address(0xC6336400 + number // 20_000), 60_000
        self.add(ends, 1, 0, Flag.ACK)

    def write(self, path: Path) -> Path:
        """Write a pcap file and return its path."""
        with path.open("wb") as file:
            file.write(struct.pack("<IHHiIII", _NANOSECONDS_MAGIC, 2, 4, 0, 0, 65535, _ETHERNET))
            for time, data, on_wire in self.frames:
                file.write(struct.pack("<IIII", *divmod(time, 10**9), len(data), on_wire) + data)
        return path

    def decode(self, batch: int = 1 << 20) -> SegmentColumns:
        """Return the segments, decoded in batches of so many frames."""
        decoder = Decoder()
        return join_segments([decoder.decode(columns) for columns in self._batches(batch)])

    def marked(self, mark: Quality, batch: int = 1 << 20) -> list[int]:
        """Return the numbers of the frames whose segment has a mark."""
        segments = self.decode(batch)
        return segments.frame[segments.quality & int(mark) != 0].tolist()

    def _batches(self, batch: int) -> Iterator[FrameColumns]:
        for first in range(0, len(self.frames), batch):
            part = self.frames[first : first + batch]
            buffer = np.frombuffer(b"".join(data for _, data, _ in part), np.uint8)
            columns = empty_frames(buffer, len(part))
            start = 0
            for row, (time, data, on_wire) in enumerate(part):
                values = (start, len(data), on_wire, time, first + row + 1, _ETHERNET)
                for name, value in zip(FRAME_TYPES, values, strict=True):
                    getattr(columns, name)[row] = value
                start += len(data)
            yield columns


class Conversation:
    """One connection of a capture."""

    def __init__(
        self,
        capture: Capture,
        client_port: int = 40_000,
        server_port: int = 1080,
        *,
        first: int = 1000,
        handshake: bool = True,
        server: IPv4Address = SERVER,
    ) -> None:
        self._capture = capture
        self._request = (CLIENT, client_port, server, server_port)
        self._reply = (server, server_port, CLIENT, client_port)
        self._next = [first, first + 5000]
        if handshake:
            capture.add(self._request, first, 0, Flag.SYN)
            capture.add(self._reply, first + 5000, first + 1, Flag.SYN | Flag.ACK)
            self._next = [first + 1, first + 5001]
            self.client()

    def client(self, payload: bytes = b"", flags: int = Flag.ACK, **more: int) -> None:
        """Add a segment of the client; ``back`` bytes before its next number where given."""
        self._say(0, payload, flags, **more)

    def server(self, payload: bytes = b"", flags: int = Flag.ACK, **more: int) -> None:
        """Add a segment of the server."""
        self._say(1, payload, flags, **more)

    def _say(self, side: int, payload: bytes, flags: int, back: int = 0, **more: int) -> None:
        seq = self._next[side] - back
        ends = self._reply if side else self._request
        self._capture.add(ends, seq, self._next[1 - side], flags, payload, **more)
        self._next[side] = max(self._next[side], seq + len(payload))
