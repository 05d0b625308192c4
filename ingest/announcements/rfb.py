"""Conversations in which Wireshark's heuristics find VNC (RFC 6143 section 7.1.1, the ProtocolVersion message).

The heuristic gives the addresses and ports a new conversation, which is VNC from then on. So the next segment of either
side starts a new stream. It gets ``Quality.RESTARTED``. The heuristic is not asked on ports with another dissector.
"""

import re
from typing import Any, Final

import numpy as np

from ingest.announcements.payload import captured_payload, conversation_keys
from ingest.announcements.ports import TAKES_TEXT
from ingest.decode.frames import signed
from ingest.decode.loads import load_8
from ingest.decode.transport import TWELVE_BYTES
from segwatch.compilation import kernel
from segwatch.records.frames import FrameColumns
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Flag, Quality

MOST_RECOGNISED: Final = 4096
"""Conversations that are known to be VNC; the oldest are forgotten beyond it."""

_LENGTH: Final = 12
_LONGEST_TRAILER: Final = 32
"""Bytes behind a packet within which a message is looked for: a check sequence, a time stamp of a switch."""
_VERSION: Final = re.compile(rb"RFB ...\....[\n\0]", re.DOTALL | re.IGNORECASE)
_UNREADABLE: Final = int(Quality.HEADER_UNREADABLE)
_CUT: Final = int(Quality.PAYLOAD_CUT)
_NOT_DISSECTED: Final = int(Quality.HEADER_UNREADABLE | Quality.QUOTED_IN_ICMP)
_OPENING: Final = int(Flag.SYN)
_OPENING_MASK: Final = int(Flag.SYN | Flag.ACK)
_LOWER_CASE: Final = 0x20
_R, _F, _B, _SPACE = b"rfb "


@kernel
def _says_rfb(buffer: Any, at: int) -> bool:
    """Say whether the four bytes at ``at`` are "RFB ", in any case."""
    return (
        load_8(buffer, at) | _LOWER_CASE == _R
        and load_8(buffer, at + 1) | _LOWER_CASE == _F
        and load_8(buffer, at + 2) | _LOWER_CASE == _B
        and load_8(buffer, at + 3) == _SPACE
    )


@kernel
def _may_be_message(buffer: Any, start: int, end: int, is_cut: bool) -> bool:
    """Say whether "RFB " is where a frame from ``start`` to ``end`` has a message: 12 bytes before its end or trailer.

    A payload that was cut has nothing behind it.
    """
    at = end - _LENGTH
    last = max(start, at if is_cut else at - _LONGEST_TRAILER)
    while at >= last:
        if _says_rfb(buffer, at):
            return True
        at -= 1
    return False


@kernel
def find_candidates(frames: FrameColumns, segments: SegmentColumns, rows: Any, places: Any) -> int:
    """Find the segments that may carry a version message, which is 12 bytes long as captured.

    Their indices and those of their frames get into ``rows`` and ``places``: (N,) int64, N segments. Return how many.
    ``TWELVE_BYTES`` is cleared in all.
    """
    place = 0
    found = 0
    for row in range(len(segments.quality)):
        quality = signed(segments.quality[row])
        if quality & TWELVE_BYTES == 0:
            continue
        segments.quality[row] = quality ^ TWELVE_BYTES
        while place < len(frames.frame) - 1 and frames.frame[place] < segments.frame[row]:
            place += 1
        start = signed(frames.offset[place])
        if _may_be_message(frames.buffer, start, start + signed(frames.caplen[place]), quality & _CUT != 0):
            rows[found] = row
            places[found] = place
            found += 1
    return found


class VersionMessages:
    """Remembers the conversations that became VNC, and marks the next segment of each."""

    def __init__(self) -> None:
        self._recognised: dict[int, tuple[int, int]] = {}
        self._waiting: set[int] = set()
        self._ports = np.zeros(0x10000, np.int32)

    def mark(self, frames: FrameColumns, segments: SegmentColumns) -> None:
        """Set ``Quality.RESTARTED`` in ``segments``, which were decoded from ``frames``, both in capture order."""
        start = 0
        for row in self._messages(frames, segments):
            self._watch(segments, start, row + 1)
            self._recognise(segments, row)
            start = row + 1
        self._watch(segments, start, len(segments.frame))

    def _messages(self, frames: FrameColumns, segments: SegmentColumns) -> list[int]:
        """Return the rows whose payload is a version message that the heuristic gets to see."""
        rows, places = np.empty((2, len(segments.frame)), np.int64)
        found = find_candidates(frames, segments, rows, places)
        rows, places = rows[:found], places[:found]
        chosen = ~(TAKES_TEXT[segments.sport[rows]] | TAKES_TEXT[segments.dport[rows]])
        chosen &= (segments.flags[rows] & int(Flag.RST) == 0) & (segments.quality[rows] & _NOT_DISSECTED == 0)
        pairs = zip(rows[chosen].tolist(), places[chosen].tolist(), strict=True)
        return [row for row, place in pairs if _VERSION.fullmatch(captured_payload(frames, place, segments, row))]

    def _recognise(self, segments: SegmentColumns, row: int) -> None:
        key = int(conversation_keys(segments, np.array([row]))[0])
        if key in self._recognised:
            return
        if len(self._recognised) == MOST_RECOGNISED:
            self._forget(next(iter(self._recognised)))
        ports = int(segments.sport[row]), int(segments.dport[row])
        self._recognised[key] = ports
        self._waiting.add(key)
        for port in ports:
            self._ports[port] += 1

    def _forget(self, key: int) -> None:
        for port in self._recognised.pop(key):
            self._ports[port] -= 1
        self._waiting.discard(key)

    def _watch(self, segments: SegmentColumns, start: int, end: int) -> None:
        """Mark the next segments among the rows from ``start`` to ``end``; forget conversations that a SYN replaces."""
        if not self._recognised or start == end:
            return
        part = slice(start, end)
        watched = (self._ports[segments.sport[part]] > 0) & (self._ports[segments.dport[part]] > 0)
        watched &= segments.quality[part] & _UNREADABLE == 0
        opening = segments.flags[part] & _OPENING_MASK == _OPENING
        if not self._waiting:
            watched &= opening
        rows = np.flatnonzero(watched) + start
        keys = conversation_keys(segments, rows)
        waiting = np.fromiter(self._waiting, np.uint64, len(self._waiting))
        wanted = opening[rows - start] | np.isin(keys, waiting)
        for row, key in zip(rows[wanted].tolist(), keys[wanted].tolist(), strict=True):
            if key in self._waiting:
                self._waiting.remove(key)
                segments.quality[row] |= int(Quality.RESTARTED)
            elif key in self._recognised and opening[row - start]:
                self._forget(key)
