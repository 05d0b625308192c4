"""Frames as a capture reader hands them to the decoder: where each one lies in a buffer, not copies of them."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


class FrameColumns(NamedTuple):
    """Columns of N captured frames that lie in one buffer, in capture order."""

    buffer: npt.NDArray[np.uint8]
    """(B,) the bytes that hold the frames."""
    offset: npt.NDArray[np.int64]
    """(N,) where the frame starts in the buffer; ``offset + caplen`` never lies beyond its end."""
    caplen: npt.NDArray[np.uint32]
    """(N,) bytes captured."""
    wirelen: npt.NDArray[np.uint32]
    """(N,) bytes on the wire."""
    ts: npt.NDArray[np.int64]
    """(N,) capture time, nanoseconds since 1970-01-01 UTC."""
    frame: npt.NDArray[np.int64]
    """(N,) number of the frame in its capture session, 1-based."""
    linktype: npt.NDArray[np.uint16]
    """(N,) LINKTYPE_ value of the interface that captured it (the tcpdump group's registry)."""


FRAME_TYPES: dict[str, Any] = {
    "offset": np.int64,
    "caplen": np.uint32,
    "wirelen": np.uint32,
    "ts": np.int64,
    "frame": np.int64,
    "linktype": np.uint16,
}


def empty_frames(buffer: npt.NDArray[np.uint8], rows: int) -> FrameColumns:
    """Return uninitialised columns for ``rows`` frames in ``buffer``."""
    return FrameColumns(buffer, **{name: np.empty(rows, dtype) for name, dtype in FRAME_TYPES.items()})
