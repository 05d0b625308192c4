"""What holds for the findings of any input whatever."""

from typing import Any

import numpy as np
import numpy.typing as npt

from segwatch.records.findings import FindingColumns
from segwatch.records.frames import FrameColumns
from segwatch.records.segments import SACK_EDGES, SegmentColumns
from segwatch.vocabulary import LABEL_NAMES, Event, Flag, Label, Quality, Reset

FAMILY = Label.RETRANSMISSION | Label.FAST_RETRANSMISSION | Label.SPURIOUS_RETRANSMISSION | Label.OUT_OF_ORDER
EXCLUSIVE = (
    FAMILY,
    Label.RETRANSMISSION | Label.KEEP_ALIVE,
    Label.WINDOW_UPDATE | Label.DUPLICATE_ACK,
    Label.KEEP_ALIVE_ACK | Label.DUPLICATE_ACK,
    Label.ZERO_WINDOW | Label.WINDOW_UPDATE,
)
"""Labels of which a segment has one at most.

A retransmission may well be labelled a lost segment too: half the number space away, a number is above and below.
"""

NOT_ANALYSED = Quality.FRAGMENT | Quality.QUOTED_IN_ICMP | Quality.SHORT_SEGMENT


class BrokenInvariantError(AssertionError):
    """A finding that cannot be."""


def _demand(holds: npt.NDArray[np.bool_], sentence: str, frames: npt.NDArray[np.int64]) -> None:
    if not holds.all():
        raise BrokenInvariantError(f"{sentence}; first in frame {frames[np.flatnonzero(~holds)[0]]}")


def check_segments(frames: FrameColumns, segments: SegmentColumns) -> None:
    """Check what the decoder made of ``frames``."""
    number = segments.frame
    _demand(np.isin(number, frames.frame), "a segment of a frame that is not in the batch", number)
    _demand(np.diff(number, prepend=number[:1]) >= 0, "segments are not in capture order", number)
    _demand(segments.sack_count <= SACK_EDGES // 2, "more than four SACK blocks", number)
    _demand(segments.wscale >= -1, "a window scale below -1", number)
    rows = number - frames.frame[0]
    _demand(segments.ts == frames.ts[rows], "a segment with another time than its frame", number)


class SessionInvariants:
    """Follows one engine over all its batches."""

    def __init__(self) -> None:
        self._streams = 0
        self._proxied = 0
        self._highest = -1
        self._labels = np.zeros(len(LABEL_NAMES), np.int64)
        self._counted = np.zeros(len(LABEL_NAMES), np.int64)

    def check(self, segments: SegmentColumns, findings: FindingColumns) -> None:
        """Check one batch of findings."""
        number = segments.frame
        for group in EXCLUSIVE:
            bits = findings.labels & np.uint32(group)
            _demand(bits & (bits - np.uint32(1)) == 0, f"{group!r} together", number)
        self._check_streams(segments, findings, number)
        for column in ("dup_ack_frame", "rto_frame", "acks_frame"):
            referred = getattr(findings, column)
            _demand((referred >= 0) & (referred <= number), f"{column} lies in the future", number)
        duplicate = (findings.labels & np.uint32(Label.DUPLICATE_ACK)) > 0
        _demand(~duplicate | (findings.dup_ack_num > 0), "a duplicate ACK without a number", number)
        is_reset = (segments.flags & int(Flag.RST)) > 0
        _demand(is_reset | (findings.reset == Reset.NONE), "a class for what is no reset", number)
        _demand(findings.reset <= max(Reset), "an unknown class of reset", number)
        _demand(findings.completeness < 64, "unknown completeness bits", number)
        _demand(findings.labels < 1 << len(LABEL_NAMES), "unknown label bits", number)
        opening = findings.events & int(Event.SYN | Event.SYNACK)
        _demand(opening != int(Event.SYN | Event.SYNACK), "SYN and SYN/ACK at once", number)
        # What is not analysed, because it was quoted or is incomplete, can reuse ports, but no interval counts it.
        sent = findings.labels[segments.quality & np.uint32(NOT_ANALYSED) == 0]
        for bit in range(len(LABEL_NAMES)):
            self._labels[bit] += np.count_nonzero(sent & np.uint32(1 << bit))

    def _check_streams(self, segments: SegmentColumns, findings: FindingColumns, number: npt.NDArray[np.int64]) -> None:
        """Stream numbers ascend by first appearance, and none is left out but those of proxied conversations."""
        proxied = (segments.quality & np.uint32(Quality.PROXIED)) != 0
        proxied &= findings.stream >= 0
        proxied_before = self._proxied + np.cumsum(proxied) - proxied
        highest = np.maximum.accumulate(np.concatenate([[self._highest], findings.stream]))
        begins = np.diff(highest) > 0
        rank = self._streams + np.cumsum(begins) - 1
        _demand(findings.stream >= -1, "a stream below -1", number)
        _demand(~begins | (findings.stream == rank + proxied_before), "a stream number was left out", number)
        self._highest = int(highest[-1])
        self._streams += int(begins.sum())
        self._proxied += int(proxied.sum())

    def count(self, intervals: npt.NDArray[Any]) -> None:
        """Add intervals that were closed."""
        self._counted += intervals["sent"]["labels"].sum(axis=(0, 1), dtype=np.int64)

    def check_end(self, conversations: int) -> None:
        """Check the sums when all intervals are closed."""
        if conversations != self._streams + self._proxied:
            raise BrokenInvariantError(
                f"{self._streams} streams and {self._proxied} proxied ones were seen, {conversations} counted"
            )
        if (self._counted != self._labels).any():
            raise BrokenInvariantError(f"intervals count {self._counted.tolist()}, findings {self._labels.tolist()}")
