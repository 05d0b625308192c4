"""Findings: what the analysis says of each segment, in columns beside the segment columns."""

from enum import IntFlag
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


class Shown(IntFlag):
    """Which fields tshark displays for a segment; what is not displayed is empty in text and null in Arrow."""

    STREAM = 1 << 0
    """``stream``, ``seq`` (raw where not analysable) and ``completeness``."""
    LENGTH = 1 << 1
    """``payload_len`` of the segment record: the segment was analysed."""
    WINDOW = 1 << 2
    """``window``."""
    SCALE = 1 << 3
    """``window_scale``."""
    TIMES = 1 << 4
    """``time_relative`` and ``time_delta``."""
    ACK = 1 << 5
    """``ack`` (raw where not analysable)."""
    NEXT_SEQUENCE = 1 << 6
    """``nxtseq``."""


class FindingColumns(NamedTuple):
    """Columns of N findings; row i belongs to row i of the segment columns that were analysed.

    Numbers are 0 where they do not apply, except where ``shown`` says more.
    """

    stream: npt.NDArray[np.int32]
    """(N,) number of the conversation (``tcp.stream``), -1 if the segment belongs to none."""
    labels: npt.NDArray[np.uint32]
    """(N,) bits of ``vocabulary.Label``."""
    events: npt.NDArray[np.uint16]
    """(N,) bits of ``vocabulary.Event``."""
    reset: npt.NDArray[np.uint8]
    """(N,) ``vocabulary.Reset``."""
    dup_ack_num: npt.NDArray[np.uint32]
    """(N,) number of the duplicate ACK; has a meaning only with that label."""
    dup_ack_frame: npt.NDArray[np.int64]
    """(N,) frame that the duplicate ACK repeats; has a meaning only with that label."""
    bytes_in_flight: npt.NDArray[np.uint32]
    push_bytes: npt.NDArray[np.uint32]
    """(N,) bytes sent since the last PSH; has a meaning only where ``bytes_in_flight`` is not 0."""
    rto: npt.NDArray[np.int64]
    """(N,) nanoseconds, may be negative."""
    rto_frame: npt.NDArray[np.int64]
    """(N,) has a meaning only where ``rto`` is not 0."""
    ack_rtt: npt.NDArray[np.int64]
    """(N,) nanoseconds, may be negative."""
    acks_frame: npt.NDArray[np.int64]
    initial_rtt: npt.NDArray[np.int64]
    """(N,) nanoseconds, may be negative."""
    window: npt.NDArray[np.uint32]
    """(N,) window after scaling."""
    window_scale: npt.NDArray[np.int32]
    """(N,) multiplier, -1 unknown, -2 no scaling."""
    seq: npt.NDArray[np.uint32]
    """(N,) relative sequence number (raw where the segment is not analysable)."""
    ack: npt.NDArray[np.uint32]
    """(N,) relative acknowledgment number (raw where there is no ACK flag or the segment is not analysable)."""
    nxtseq: npt.NDArray[np.uint32]
    time_relative: npt.NDArray[np.int64]
    """(N,) nanoseconds since the first segment of the conversation."""
    time_delta: npt.NDArray[np.int64]
    """(N,) nanoseconds since the previous segment of the conversation."""
    completeness: npt.NDArray[np.uint8]
    """(N,) bits of ``vocabulary.Completeness`` before this segment counted."""
    from_client: npt.NDArray[np.uint8]
    """(N,) 1 if the client of the conversation sent the segment, 0 if the server did."""
    shown: npt.NDArray[np.uint8]
    """(N,) bits of ``Shown``."""


FINDING_TYPES: dict[str, Any] = {
    "stream": np.int32,
    "labels": np.uint32,
    "events": np.uint16,
    "reset": np.uint8,
    "dup_ack_num": np.uint32,
    "dup_ack_frame": np.int64,
    "bytes_in_flight": np.uint32,
    "push_bytes": np.uint32,
    "rto": np.int64,
    "rto_frame": np.int64,
    "ack_rtt": np.int64,
    "acks_frame": np.int64,
    "initial_rtt": np.int64,
    "window": np.uint32,
    "window_scale": np.int32,
    "seq": np.uint32,
    "ack": np.uint32,
    "nxtseq": np.uint32,
    "time_relative": np.int64,
    "time_delta": np.int64,
    "completeness": np.uint8,
    "from_client": np.uint8,
    "shown": np.uint8,
}


def empty_findings(rows: int) -> FindingColumns:
    """Return uninitialised columns for ``rows`` findings."""
    return FindingColumns(**{name: np.empty(rows, dtype) for name, dtype in FINDING_TYPES.items()})


def take_findings(findings: FindingColumns, rows: Any) -> FindingColumns:
    """Return the rows chosen by a slice (views) or by an index array (copies)."""
    return FindingColumns(*(column[rows] for column in findings))
