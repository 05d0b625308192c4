"""One conversation as columns that sentences are made from."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from segwatch.endpoints import address_text, endpoint_text
from segwatch.records.findings import FindingColumns, Shown
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Flag, Label, Quality

CLIENT, SERVER = 0, 1
SIDES = ("client", "server")
_JUST_BEFORE: Final = 3 << 30
"""Relative numbers from here on lie before the first one, as that of a keep-alive before any data does."""


@dataclass(frozen=True)
class Ledger:
    """The N segments of one conversation in capture order: all, the first ones, or those that a label speaks of.

    Sides are ``CLIENT`` and ``SERVER``. Positions are byte offsets in what a side sends, int64, counted from its first
    sequence number (RFC 9293 section 3.4) on without wrapping around.
    """

    stream: int
    """Number of the conversation in its capture, as in ``tcp.stream``."""
    segments: SegmentColumns
    findings: FindingColumns
    is_cut: bool = False
    """Whether the conversation has more segments than these, which are its first ones."""
    counts: npt.NDArray[Any] | None = None
    """Where only segments with a label or a RST were kept, these are those, perhaps none: then the counters of all
    segments, (M,) ``INTERVAL``, one for each minute in order, at least one; else None."""
    quoted: tuple[tuple[int, int], ...] = ()
    """Frames of ICMP errors that quote a segment of it, with their times (nanoseconds since the epoch)."""
    verdicts: npt.NDArray[Any] | None = None
    """(V,) ``VERDICT``, the last revision of each, in the order of the frames; None where nothing was judged. They are
    of all segments, also where ``counts`` tells that not all were kept."""

    def __len__(self) -> int:
        return len(self.segments.ts)

    @cached_property
    def side(self) -> npt.NDArray[np.int64]:
        """(N,) who sent the segment."""
        sides: npt.NDArray[np.int64] = 1 - self.findings.from_client.astype(np.int64)
        return sides

    @property
    def is_whole(self) -> bool:
        """Whether the segments follow one another, without any left out between them."""
        return self.counts is None

    @cached_property
    def begun(self) -> int:
        """Time of the conversation's first segment, nanoseconds since the epoch."""
        return int(self.segments.ts[0] if self.counts is None else self.counts["opened"][0])

    @cached_property
    def time(self) -> npt.NDArray[np.int64]:
        """(N,) nanoseconds since the first segment."""
        times: npt.NDArray[np.int64] = self.segments.ts - self.begun
        return times

    @cached_property
    def frame(self) -> npt.NDArray[np.int64]:
        """(N,) number of the frame."""
        return self.segments.frame

    @cached_property
    def is_analysed(self) -> npt.NDArray[np.bool_]:
        """(N,) whether Wireshark analyses the segment; others have no positions worth anything."""
        mask: npt.NDArray[np.bool_] = (self.findings.shown & int(Shown.LENGTH)) != 0
        return mask

    @cached_property
    def length(self) -> npt.NDArray[np.int64]:
        """(N,) bytes of payload; 0 where the segment was not analysed."""
        return np.where(self.is_analysed, self.segments.payload_len, 0).astype(np.int64)

    @cached_property
    def begin(self) -> npt.NDArray[np.int64]:
        """(N,) position of the first byte."""
        positions = np.zeros(len(self), np.int64)
        for side in (CLIENT, SERVER):
            rows = self.rows(side)
            positions[rows] = _unwrapped(self.segments.seq[rows], self.findings.seq[rows])
        return positions

    @cached_property
    def end(self) -> npt.NDArray[np.int64]:
        """(N,) position after the last byte; SYN and FIN take one each."""
        one = (self.segments.flags & int(Flag.SYN | Flag.FIN)) != 0
        ends: npt.NDArray[np.int64] = self.begin + self.length + (one & self.is_analysed)
        return ends

    @cached_property
    def acknowledged(self) -> npt.NDArray[np.int64]:
        """(N,) up to which position of the other side the segment acknowledges; -1 where it does not."""
        positions = np.full(len(self), -1, np.int64)
        for side in (CLIENT, SERVER):
            rows = self.rows(side) & self.has(Flag.ACK) & self.is_analysed
            positions[rows] = _unwrapped(self.segments.ack[rows], self.findings.ack[rows])
        return positions

    @cached_property
    def has_data(self) -> npt.NDArray[np.bool_]:
        """(N,) whether the segment carries payload."""
        mask: npt.NDArray[np.bool_] = self.length > 0
        return mask

    @cached_property
    def announces(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Which segments announce the window of each side, (N,) each."""
        says = self.has(Flag.ACK) & ~self.has(Flag.RST)
        return self.rows(CLIENT) & says, self.rows(SERVER) & says

    def rows(self, side: int) -> npt.NDArray[np.bool_]:
        """Return which segments a side sent, (N,)."""
        mask: npt.NDArray[np.bool_] = self.side == side
        return mask

    def has(self, flag: Flag) -> npt.NDArray[np.bool_]:
        """Return which segments have any of some flags, (N,)."""
        mask: npt.NDArray[np.bool_] = (self.segments.flags & int(flag)) != 0
        return mask

    def labelled(self, label: Label) -> npt.NDArray[np.bool_]:
        """Return which segments have any of some labels, (N,)."""
        mask: npt.NDArray[np.bool_] = (self.findings.labels & int(label)) != 0
        return mask

    def frames(self, rows: npt.NDArray[np.int64] | list[int]) -> tuple[int, ...]:
        """Return the numbers of frames, each once."""
        return tuple(dict.fromkeys(self.frame[rows].tolist()))

    def end_text(self, side: int) -> str:
        """Return address and port of a side."""
        if self.counts is not None:
            first, name = self.counts[0], SIDES[side]
            return endpoint_text(address_text(first[name], int(first["ip_version"])), int(first[f"{name}_port"]))
        sent = np.flatnonzero(self.rows(side))
        row = int(sent[0]) if len(sent) else 0
        is_source = self.side[row] == side
        words = (self.segments.src if is_source else self.segments.dst)[row]
        port = (self.segments.sport if is_source else self.segments.dport)[row]
        version = 6 if self.segments.quality[row] & int(Quality.IPV6) else 4
        return endpoint_text(address_text(words, version), int(port))

    def main_side(self) -> int | None:
        """Return the side that sent more data, None where no side sent any."""
        if self.counts is None:
            volumes = [int(self.length[self.rows(side)].sum()) for side in (CLIENT, SERVER)]
        else:
            volumes = self.counts["sent"]["payload_bytes"].sum(axis=0).tolist()
        return int(volumes[1] > volumes[0]) if any(volumes) else None

    def first(self, mask: npt.NDArray[np.bool_]) -> int | None:
        """Return the first row that a mask has, None for none."""
        place = int(np.argmax(mask)) if len(mask) else 0
        return place if len(mask) and mask[place] else None

    def later(self, row: int, mask: npt.NDArray[np.bool_]) -> int | None:
        """Return the first row after ``row`` that a mask has, None for none."""
        found = self.first(mask[row + 1 :])
        return None if found is None else row + 1 + found

    def earlier(self, row: int, mask: npt.NDArray[np.bool_]) -> int | None:
        """Return the last row before ``row`` that a mask has, None for none."""
        found = self.first(mask[:row][::-1])
        return None if found is None else row - 1 - found

    def closures(self, rows: list[int]) -> list[tuple[int, int | None]]:
        """Return when windows were closed that some segments of one side say to be 0.

        Each is the first row that says so, and the row that opens the window again, or None.
        """
        opens = self.rows(int(self.side[rows[0]])) & self.has(Flag.ACK) & ~self.has(Flag.SYN | Flag.RST)
        openings = np.flatnonzero(opens & (self.findings.window > 0))
        places = np.searchsorted(openings, rows)
        found: dict[int, tuple[int, int | None]] = {}
        for row, place in zip(rows, places.tolist(), strict=True):
            found.setdefault(place, (row, int(openings[place]) if place < len(openings) else None))
        return list(found.values())

    def gaps(self) -> Iterator[tuple[int, int]]:
        """Yield the silences, the longest first: the row that ended it, and its nanoseconds."""
        silence = np.diff(self.time)
        for place in np.argsort(-silence, kind="stable"):
            yield int(place) + 1, int(silence[place])


def _unwrapped(raw: npt.NDArray[np.uint32], relative: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """Return positions of 64 bits: the first is the relative one, each next one the nearest to the one before."""
    if not len(raw):
        return np.zeros(0, np.int64)
    steps = np.diff(raw.astype(np.uint32)).astype(np.int32).astype(np.int64)
    begin = int(relative[0])
    return (begin - (1 << 32) if begin >= _JUST_BEFORE else begin) + np.concatenate([[0], np.cumsum(steps)])
