"""Conversations are found again, however many there are."""

import numpy as np
import numpy.typing as npt

from processors.flow_table.table import FlowTable
from segwatch.records.segments import SegmentColumns, empty_segments, take_segments

_HOSTS, _PORTS = 40, 300


def _segments(rows: int) -> SegmentColumns:
    """Return segments between few hosts and many ports, each conversation in both directions."""
    random = np.random.default_rng(20261126)
    segments = empty_segments(rows)
    for column in segments:
        column[:] = 0
    segments.src[:, 1], segments.dst[:, 1] = random.integers(1, _HOSTS, (2, rows))
    segments.sport[:], segments.dport[:] = random.integers(1, _PORTS, (2, rows))
    return segments


def _expected(segments: SegmentColumns) -> npt.NDArray[np.int32]:
    numbers: dict[object, int] = {}
    keys = (
        tuple(sorted(((int(s), int(sp)), (int(d), int(dp)))))
        for s, sp, d, dp in zip(segments.src[:, 1], segments.sport, segments.dst[:, 1], segments.dport, strict=True)
    )
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int32)


def test_conversations_are_numbered_in_order_while_the_table_grows() -> None:
    segments = _segments(20_000)
    table = FlowTable()
    found = [table.find(take_segments(segments, slice(start, start + 777))) for start in range(0, 20_000, 777)]
    assert (np.concatenate(found) == _expected(segments)).all()


def test_a_table_read_back_finds_what_the_first_one_knew() -> None:
    segments = _segments(20_000)
    table, later = FlowTable(), FlowTable()
    table.find(take_segments(segments, slice(0, 10_000)))
    later.restore(table.keys())
    assert (later.find(segments) == _expected(segments)).all()


def test_what_is_kept_is_found_and_what_is_forgotten_is_new() -> None:
    segments = _segments(4_000)
    table = FlowTable()
    numbers = table.find(segments)
    conversations = table.conversations
    kept = np.arange(conversations) % 3 == 0
    places = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
    table.keep(places, int(kept.sum()))
    assert (table.find(segments)[kept[numbers]] == places[numbers][kept[numbers]]).all()
    assert table.conversations == conversations
