"""What was seen, as a summary like that of ``segwatch analyze``."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from segwatch.jobs.content import Content
from segwatch.jobs.decoding import DecodedCapture
from segwatch.jobs.pipeline import AnalysedBatch
from segwatch.jobs.summary import Summary
from segwatch.jobs.totals import Totals
from segwatch.jobs.trouble_counts import label_place
from segwatch.jobs.watch.book import Count
from segwatch.jobs.watch.feed import FeedStatus
from segwatch.jobs.watch.picture import Picture
from segwatch.records.intervals import INTERVAL
from segwatch.vocabulary import Label

if TYPE_CHECKING:
    from segwatch.jobs.keeping import Keeper

_ROWS: Final = 1 << 13
_FIELDS: Final = {
    "segments": Count.SEGMENTS, "data_segments": Count.DATA_SEGMENTS, "payload_bytes": Count.PAYLOAD_BYTES,
    "retransmitted_bytes": Count.RETRANSMITTED_BYTES, "rtt_sum": Count.RTT_SUM, "rtt_count": Count.RTT_COUNT,
    "resets": Count.RESETS, "zero_window_time": Count.ZERO_WINDOW_TIME,
}  # fmt: skip
_LABELS: Final = {
    Label.RETRANSMISSION: Count.RETRANSMISSIONS, Label.LOST_SEGMENT: Count.LOST_SEGMENTS,
    Label.OUT_OF_ORDER: Count.OUT_OF_ORDER, Label.DUPLICATE_ACK: Count.DUPLICATE_ACKS,
    Label.ZERO_WINDOW: Count.ZERO_WINDOWS,
}  # fmt: skip
_SAME: Final = (
    "client", "server", "client_port", "server_port", "ip_version", "completeness", "reset", "closer", "opened", "last",
    "initial_rtt",
)  # fmt: skip


class FileRecap:
    """Follows a file: its summary is that of ``segwatch analyze``, and so is what the store gets."""

    def __init__(self, conversations: Callable[[], int], keeper: "Keeper | None") -> None:
        """``conversations`` gives how many there were so far."""
        self.summary = Summary()
        self._conversations = conversations
        self._keeper = keeper
        if keeper is not None:
            keeper.begin()

    def add_batch(self, batch: AnalysedBatch) -> None:
        """Count and keep some segments and what was found of them."""
        self.summary.add_rows(batch.findings.reset)
        self.summary.add_intervals(batch.closed, self._conversations())
        if self._keeper is not None:
            self._keeper.add_batch(batch)

    def add_intervals(self, intervals: npt.NDArray[Any]) -> None:
        """Count and keep intervals."""
        self.summary.add_intervals(intervals, self._conversations())
        if self._keeper is not None:
            self._keeper.add_intervals(intervals)


def part_of_file(capture: DecodedCapture, picture: Picture, status: FeedStatus) -> Content:
    """Return what a capture held that was left before its end, as far as it was analysed."""
    reader = capture.reader
    return Content(
        name=reader.name,
        format=reader.format,
        link_types=tuple(sorted(reader.link_types)),
        frames=status.frames,
        first=picture.began or 0,
        last=picture.now,
        bytes=reader.bytes_read,
        skipped={},
        damage=None,
        digest=None,
    )


def live_summary(picture: Picture, name: str, conversations: int, status: FeedStatus) -> dict[str, Any]:
    """Return the summary of a live capture: exact sums, and of the conversations those that are remembered."""
    summary = Summary(_totals(picture), picture.resets)
    content = Content(
        name=name,
        format="live",
        link_types=(),
        frames=status.frames,
        first=picture.began or 0,
        last=picture.now,
        bytes=0,
        skipped={"undecoded": status.undecoded},
        damage=None,
        digest=None,
    )
    return summary.finished(content) | {"conversations": conversations}


def _totals(picture: Picture) -> Totals:
    """Return what is in the book as totals; the sums are those of all conversations."""
    totals = Totals()
    book = picture.book[np.argsort(picture.book["key"])]
    for first in range(0, len(book), _ROWS):
        totals.add(_intervals(book[first : first + _ROWS], first), min(first + _ROWS, len(book)))
    totals.sums[:] = picture.sums
    return totals


def _intervals(conversations: npt.NDArray[Any], first: int) -> npt.NDArray[Any]:
    """Return an interval record for each of (C,) ``CONVERSATION``, numbered from ``first`` on."""
    records = np.zeros(len(conversations), INTERVAL)
    for name in _SAME:
        records[name] = conversations[name]
    records["stream"] = np.arange(first, first + len(conversations))
    for name, count in _FIELDS.items():
        records["sent"][name] = conversations["start"][:, :, count]
    for label, count in _LABELS.items():
        records["sent"]["labels"][:, :, label_place(label)] = conversations["start"][:, :, count]
    return records
