"""Frames as they are onto an interface: python -m tests.live.raw INTERFACE FILE RATE sends those of a file, in order.

sendmmsg(2) on a packet socket that skips the queueing discipline, some hundred frames a call.
"""

import ctypes
import errno
import json
import os
import socket
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

SHORTEST_FRAME, LONGEST_FRAME = 14, 1514
"""What a packet socket sends on Ethernet with the usual MTU."""
_SOL_PACKET, _PACKET_QDISC_BYPASS = 263, 20
_AT_ONCE: Final = 256
_BURST_SECONDS: Final = 0.005
_IOVEC: Final = np.dtype([("base", np.uintp), ("length", np.uintp)])
_MESSAGE: Final = np.dtype(
    {
        "names": ["vector", "vectors"], "formats": [np.uintp, np.uintp], "offsets": [16, 24], "itemsize": 64,
    }
)  # fmt: skip
"""``struct mmsghdr`` of 64-bit Linux."""


class Frames(NamedTuple):
    """Frames one after the other."""

    data: npt.NDArray[np.uint8]
    length: npt.NDArray[np.int64]
    """(N,) bytes of each, 14 to 1514."""

    def save(self, path: Path) -> None:
        """Write them to a file for the sender."""
        np.savez(path, data=self.data, length=self.length)


def load_frames(path: Path) -> Frames:
    """Return the frames of a file."""
    with np.load(path) as content:
        return Frames(content["data"], content["length"])


def in_order(parts: list[Frames], places: list[npt.NDArray[np.float64]]) -> tuple[Frames, npt.NDArray[np.int64]]:
    """Return the frames of all parts ordered by their places, and of which part each is."""
    length = np.concatenate([part.length for part in parts])
    part_of = np.repeat(np.arange(len(parts)), [len(part.length) for part in parts])
    order = np.argsort(np.concatenate(places), kind="stable")
    data = np.concatenate([part.data for part in parts])
    starts = (np.cumsum(length) - length)[order]
    length = length[order]
    within = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
    return Frames(data[within + np.repeat(starts, length)], length), part_of[order]


class RawSender:
    """Sends frames on an interface."""

    def __init__(self, interface: str, frames: Frames) -> None:
        self._frames = frames
        self._library = ctypes.CDLL(None, use_errno=True)
        self._vectors = np.zeros(len(frames.length), _IOVEC)
        self._vectors["base"] = frames.data.ctypes.data + np.cumsum(frames.length) - frames.length
        self._vectors["length"] = frames.length
        self._messages = np.zeros(len(frames.length), _MESSAGE)
        self._messages["vector"] = self._vectors.ctypes.data + _IOVEC.itemsize * np.arange(len(frames.length))
        self._messages["vectors"] = 1
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
        self._socket.bind((interface, 0))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def send(self, rate: float) -> None:
        """Send all frames, ``rate`` a second."""
        total, sent, began = len(self._frames.length), 0, time.monotonic()
        while sent < total:
            due = min(int(rate * (time.monotonic() - began)) + 1, total) - sent
            if due > 0:
                sent += self._send_some(sent, min(due, _AT_ONCE))
            else:
                time.sleep(_BURST_SECONDS)

    def _send_some(self, first: int, count: int) -> int:
        place = self._messages.ctypes.data + _MESSAGE.itemsize * first
        done = int(self._library.sendmmsg(self._socket.fileno(), ctypes.c_void_p(place), count, 0))
        if done >= 0:
            return done
        if ctypes.get_errno() == errno.ENOBUFS:
            return 0
        raise OSError(ctypes.get_errno(), f"frame {first}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    name, file, frame_rate = sys.argv[1:]
    with closing(RawSender(name, load_frames(Path(file)))) as sender:
        start = time.monotonic()
        sender.send(float(frame_rate))
    sys.stdout.write(f"{json.dumps({'seconds': time.monotonic() - start})}\n")
