"""Small TCP frames as fast as the kernel takes them: sendmmsg(2) on a packet socket.

python -m tests.live.flood INTERFACE FLOWS RATE SECONDS sends about RATE frames a second and prints how many were sent.
"""

import ctypes
import json
import socket
import struct
import sys
import time

import numpy as np

FRAME_BYTES = 64
"""With the four bytes of the frame check sequence, which the kernel does not hand over."""
PAYLOAD_BYTES = 6
_SENT_BYTES = FRAME_BYTES - 4
_SEQUENCE = slice(14 + 20 + 4, 14 + 20 + 8)
_AT_ONCE = 256
_SOL_PACKET, _PACKET_QDISC_BYPASS = 263, 20
_ETH_P_NONE = 0


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
    """``struct mmsghdr``."""

    _fields_ = (
        ("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32), ("iovec", ctypes.POINTER(_Iovec)),
        ("iovecs", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int), ("length", ctypes.c_uint),
    )  # fmt: skip


def arguments(interface: str, flows: int, rate: int, seconds: float) -> list[str]:
    """Return the command line of the sender."""
    return [sys.executable, "-m", "tests.live.flood", interface, str(flows), str(rate), str(seconds)]


def _frames(flows: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Return a frame with a little data of each flow; no host has its hardware address."""
    frames = np.zeros((flows, _SENT_BYTES), np.uint8)
    for flow in range(flows):
        client = struct.pack("!BBH", 10, 99, flow // 50_000)
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 46, 0, 0x4000, 64, 6, 0, client, bytes([10, 98, 0, 1]))
        tcp = struct.pack("!HHIIHHHH", 1024 + flow % 50_000, 443, 1, 1, 0x5018, 8192, 0, 0)
        frame = b"\x02\0\0\0\0\x99" + b"\x02\0\0\0\0\x98" + b"\x08\0" + ip + tcp
        frames[flow, : len(frame)] = np.frombuffer(frame, np.uint8)
    return frames


def _messages(frames: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> ctypes.Array[_Message]:
    vectors = (_Iovec * len(frames))()
    messages = (_Message * len(frames))()
    for row in range(len(frames)):
        vectors[row] = _Iovec(frames.ctypes.data + row * _SENT_BYTES, _SENT_BYTES)
        messages[row].iovec = ctypes.pointer(vectors[row])
        messages[row].iovecs = 1
    return messages


def _flood(interface: str, flows: int, rate: int, seconds: float) -> dict[str, float]:
    library = ctypes.CDLL(None, use_errno=True)
    frames = _frames(flows)
    messages = _messages(frames)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, _ETH_P_NONE) as channel:
        channel.bind((interface, _ETH_P_NONE))
        channel.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
        sent, round_ = 0, 0
        began = time.monotonic()
        while (now := time.monotonic() - began) < seconds:
            if sent > rate * now:
                time.sleep(0.0005)
                continue
            if sent % flows == 0:
                # The next data of every flow.
                frames[:, _SEQUENCE] = np.frombuffer(struct.pack("!I", 1 + round_ * PAYLOAD_BYTES), np.uint8)
                round_ += 1
            first = sent % flows
            count = min(_AT_ONCE, flows - first)
            done = library.sendmmsg(channel.fileno(), ctypes.byref(messages[first]), count, 0)
            if done < 0:
                raise OSError(ctypes.get_errno(), "sendmmsg")
            sent += done
        took = time.monotonic() - began
    return {"sent": sent, "seconds": took, "rate": sent / took}


if __name__ == "__main__":
    chosen, flows_, rate_, seconds_ = sys.argv[1:]
    print(json.dumps(_flood(chosen, int(flows_), int(rate_), float(seconds_))))
