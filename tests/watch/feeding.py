"""Captures into pictures, as ``segwatch watch`` does it."""

from ingest.capture.reader import open_capture
from ingest.decode.decoder import Decoder
from processors.engine import FOR_EVER
from segwatch.jobs.watch.analyst import Analyst, Limits
from segwatch.jobs.watch.book import COUNTS
from segwatch.jobs.watch.feed import FeedStatus
from segwatch.jobs.watch.frame import Frame
from segwatch.jobs.watch.picture import Look, Picture
from segwatch.records.segments import SegmentColumns, join_segments, take_segments
from tests.support import REPOSITORY

DEMONSTRATION = REPOSITORY / "segwatch" / "data" / "demo.pcap.gz"
SECOND = 1_000_000_000
RULES = "wireshark-4.0"


def segments_of(path: str) -> SegmentColumns:
    """Return all segments of a capture."""
    reader, decoder, parts = open_capture(path), Decoder(), []
    while (frames := reader.read(1 << 15)) is not None:
        parts.append(take_segments(decoder.decode(frames), slice(None)))
    reader.close()
    return join_segments(parts)


def watched(
    segments: SegmentColumns, *, window: int = 60, most: int = 1000, batch: int = 1 << 15, limits: Limits | None = None
) -> tuple[Analyst, Picture]:
    """Return what has been given segments, some at a time; ``window``: seconds."""
    picture = Picture(window * SECOND, most)
    analyst = Analyst(picture, RULES, limits or Limits(FOR_EVER, None))
    session = analyst.begin(0)
    for first in range(0, len(segments.ts), batch):
        analyst.add(session, take_segments(segments, slice(first, first + batch)))
    return analyst, picture


def framed(look: Look, name: str = "eth0") -> Frame:
    """Return a frame of a look."""
    return Frame(name, 83, 12345, 9.8e7, look, FeedStatus(frames=9, kernel_drops=7), 0, 0, "", ended=False)


def counts_by_end(look: Look) -> dict[tuple[int, int], list[int]]:
    """Return the counters of each conversation by its ports."""
    ports = zip(look.ends["client_port"].tolist(), look.ends["server_port"].tolist(), strict=True)
    found: dict[tuple[int, int], list[int]] = {}
    for ends, counts in zip(ports, look.counts.sum(axis=1).tolist(), strict=True):
        found[ends] = [sum(pair) for pair in zip(found.get(ends, [0] * COUNTS), counts, strict=True)]
    return found
