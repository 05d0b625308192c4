"""Small TCP frames by the million, as if an interface received them: a BPF program that is run with live frames.

python -m tests.live.flood INTERFACE FLOWS RATE SECONDS [repeats] offers about RATE frames a second, each flow's data in
order, on demand with one segment in 64 sent twice, and prints how many there were. The kernel (5.18 or later) makes the
frames and gives them to the interface's receiving side, which costs a fraction of sending them: bpf(2),
BPF_PROG_TEST_RUN with BPF_F_TEST_XDP_LIVE_FRAMES.
"""

import ctypes
import json
import os
import platform
import socket
import struct
import sys
import time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segwatch.records.segments import SegmentColumns

FILTER: Final = "tcp and net 10.99.0.0/16"
"""What captures these frames alone."""
FRAME_BYTES: Final = 64
"""With the four bytes of the frame check sequence, which are not in memory."""
_BYTES: Final = FRAME_BYTES - 4
PAYLOAD_BYTES: Final = 6
REPEAT_EVERY: Final = 64
"""The last of so many frames of a flow is the one before it again; a power of two."""
_REPEATS: Final = "repeats"
_SOURCE_PORT, _SEQUENCE = 14 + 20, 14 + 20 + 4
_FIRST_PORT: Final = 1024
_BURST_SECONDS: Final = 0.25
"""Frames come in bursts: every run of the program waits tens of milliseconds, however many frames it makes."""
_SYSTEM_CALLS: Final = {"x86_64": 321, "aarch64": 280}
_MAP_CREATE, _PROG_LOAD, _PROG_TEST_RUN = 0, 5, 10
_MAP_TYPE_ARRAY, _PROG_TYPE_XDP, _XDP_PASS = 2, 6, 2
_LIVE_FRAMES: Final = 2
_AT_ONCE: Final = 64


def arguments(interface: str, flows: int, rate: int, seconds: float, *, repeats: bool = False) -> list[str]:
    """Return the command line of the sender; ``flows``: a power of two; ``repeats``: as ``REPEAT_EVERY`` says."""
    command = [sys.executable, "-m", "tests.live.flood", interface, str(flows), str(rate), str(seconds)]
    return [*command, _REPEATS] if repeats else command


def numbers(segments: SegmentColumns, flows: int) -> NDArray[np.int64]:
    """Return which of the sender's frames these segments are, counted from 0, where it repeats none."""
    rounds = (segments.seq.astype(np.int64) - 1) // PAYLOAD_BYTES
    return rounds * flows + segments.sport.astype(np.int64) - _FIRST_PORT


def _bpf(command: int, attributes: bytes) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    result = int(library.syscall(_SYSTEM_CALLS[platform.machine()], command, buffer, len(attributes)))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command}): {os.strerror(ctypes.get_errno())}")
    return result


def _instruction(code: int, target: int = 0, source: int = 0, offset: int = 0, value: int = 0) -> bytes:
    return struct.pack("<BBhi", code, source << 4 | target, offset, value)


def _program(counter: int, flows: int, *, repeats: bool) -> bytes:
    """Return instructions that give each frame the port of the next flow, and that flow's next sequence number."""
    one = _instruction
    repeating = [
        one(0xBF, 5, 0),
        one(0x07, 5, value=1),
        one(0x77, 5, value=REPEAT_EVERY.bit_length() - 1),
        one(0x1F, 0, 5),  # r0 = without those that were repetitions
    ]
    chosen = repeating if repeats else []
    return b"".join(
        [
            one(0x61, 2, 1, 0),  # r2 = data
            one(0x61, 3, 1, 4),  # r3 = end of the data
            one(0xBF, 4, 2),
            one(0x07, 4, value=_BYTES),
            one(0x2D, 4, 3, 16 + len(chosen)),  # not all of a frame: pass it on
            one(0x18, 1, 2, value=counter),
            one(0),  # r1 = address of the counter
            one(0x79, 0, 1, 0),  # r0 = frames so far
            one(0xBF, 5, 0),
            one(0x07, 5, value=1),
            one(0x7B, 1, 5, 0),
            one(0xBF, 5, 0),
            one(0x57, 5, value=flows - 1),
            one(0x07, 5, value=_FIRST_PORT),
            one(0xDC, 5, value=16),
            one(0x6B, 2, 5, _SOURCE_PORT),
            one(0x77, 0, value=flows.bit_length() - 1),  # r0 = frames of this flow so far
            *chosen,
            one(0x27, 0, value=PAYLOAD_BYTES),
            one(0x07, 0, value=1),
            one(0xDC, 0, value=32),
            one(0x63, 2, 0, _SEQUENCE),
            one(0xB7, 0, value=_XDP_PASS),
            one(0x95),
        ]
    )


def _frame() -> bytes:
    """Return a frame with a little data; no host has its hardware address."""
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 46, 0, 0x4000, 64, 6, 0, bytes([10, 99, 0, 1]), bytes([10, 98, 0, 1]))
    tcp = struct.pack("!HHIIHHHH", _FIRST_PORT, 443, 1, 1, 0x5018, 8192, 0, 0)
    return (b"\x02\0\0\0\0\x99" + b"\x02\0\0\0\0\x98" + b"\x08\0" + ip + tcp).ljust(_BYTES, b"\0")


class _Flood:
    """Offers frames to an interface."""

    def __init__(self, interface: str, flows: int, *, repeats: bool) -> None:
        counter = _bpf(_MAP_CREATE, struct.pack("<IIIII", _MAP_TYPE_ARRAY, 4, 8, 1, 0))
        program = _program(counter, flows, repeats=repeats)
        instructions, licence = ctypes.create_string_buffer(program, len(program)), ctypes.create_string_buffer(b"GPL")
        places = ctypes.addressof(instructions), ctypes.addressof(licence)
        self._program = _bpf(_PROG_LOAD, struct.pack("<IIQQ", _PROG_TYPE_XDP, len(program) // 8, *places) + bytes(24))
        self._frame = ctypes.create_string_buffer(_frame(), _BYTES)
        context = struct.pack("<IIIIII", 0, _BYTES, 0, socket.if_nametoindex(interface), 0, 0)
        self._context = ctypes.create_string_buffer(context, len(context))

    def offer(self, frames: int) -> None:
        """Let the interface receive so many more frames."""
        places = ctypes.addressof(self._frame), ctypes.addressof(self._context)
        _bpf(
            _PROG_TEST_RUN,
            struct.pack(
                "<IIIIQQIIIIQQIII",
                self._program, 0, _BYTES, 0, places[0], 0, frames, 0, len(self._context), 0, places[1], 0,
                _LIVE_FRAMES, 0, _AT_ONCE,
            ),
        )  # fmt: skip


def _run(interface: str, flows: int, rate: int, seconds: float, *, repeats: bool) -> dict[str, float]:
    flood, sent = _Flood(interface, flows, repeats=repeats), 0
    began = time.monotonic()
    while (now := time.monotonic() - began) < seconds:
        due = min(int(rate * (now + _BURST_SECONDS)) - sent, 2 * int(rate * _BURST_SECONDS))
        if due > 0:
            flood.offer(due)
            sent += due
        time.sleep(max(began + sent / rate - _BURST_SECONDS - time.monotonic(), 0))
    took = time.monotonic() - began
    return {"sent": sent, "seconds": took, "rate": sent / took}


if __name__ == "__main__":
    name, flow_count, frame_rate, duration, *more = sys.argv[1:]
    made = _run(name, int(flow_count), int(frame_rate), float(duration), repeats=more == [_REPEATS])
    sys.stdout.write(f"{json.dumps(made)}\n")
