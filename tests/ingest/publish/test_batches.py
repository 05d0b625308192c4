"""Segments to messages: every row once, in capture order, in its partition, however the rows come."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.publish import batches
from ingest.publish.batches import BATCH_NANOSECONDS, HEARTBEAT_NANOSECONDS, Batch, Batcher, Session
from segwatch.messages.partitioning import conversation_hashes, partitions_of
from segwatch.messages.segments import MOST_BYTES, MOST_ROWS, read_segments
from segwatch.records.gather import BLOCK_BYTES, PLAIN_ROW_BYTES
from segwatch.records.segments import SegmentColumns, join_segments, take_segments
from tests.messages.rows import valid_segments
from tests.messages.test_round_trip import same_segments

SESSION = Session("edge-1", "0123456789abcdef" * 2, "eth0", 96, live=False)
FEW_ROWS = 40
FEW_BYTES = 3000


def some_conversations(rows: int, seed: int) -> SegmentColumns:
    """Return rows of a few conversations, in both directions, in the order of their times."""
    segments = valid_segments(rows, seed)
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, 6, (rows, 2))
    segments.src[:] = ends[:, :1]
    segments.dst[:] = ends[:, 1:]
    segments.sport[:], segments.dport[:] = ends[:, 0], ends[:, 1]
    segments.ts[:] = np.sort(segments.ts[0] + rng.integers(0, 1000, rows))
    return segments


def by_partition(made: list[Batch]) -> dict[int, list[Batch]]:
    found = defaultdict(list)
    for batch in made:
        found[batch.header.partition].append(batch)
    return found


def rows_of(made: list[Batch]) -> SegmentColumns:
    return join_segments([read_segments(batch.content)[1] for batch in made])


def published(segments: SegmentColumns, cuts: list[int], pauses: list[int], partitions: int) -> list[Batch]:
    """Add the rows in pieces that end at ``cuts``, with pauses (nanoseconds) in between."""
    now = 0
    batcher = Batcher(SESSION, partitions, now)
    made = []
    edges = [0, *sorted(cut % (len(segments.ts) + 1) for cut in cuts), len(segments.ts)]
    for place, (start, end) in enumerate(pairwise(edges)):
        now += pauses[place % len(pauses)] if pauses else 0
        made += batcher.add(take_segments(segments, slice(start, end)), now)
    return made + batcher.finish(now)


@pytest.fixture
def small_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_ROWS", FEW_ROWS)
    monkeypatch.setattr(batches, "MOST_BYTES", FEW_BYTES)


@pytest.mark.usefixtures("small_messages")
@settings(max_examples=150, deadline=None)
@given(
    rows=st.integers(0, 400),
    seed=st.integers(0, 1000),
    cuts=st.lists(st.integers(0, 1000), max_size=8),
    pauses=st.lists(st.integers(0, 2 * HEARTBEAT_NANOSECONDS), max_size=4),
    partitions=st.integers(1, 5),
)
def test_all_rows_arrive_once_in_order(
    rows: int, seed: int, cuts: list[int], pauses: list[int], partitions: int
) -> None:
    segments = some_conversations(rows, seed) if rows else valid_segments(0)
    found = by_partition(published(segments, cuts, pauses, partitions))
    places = partitions_of(conversation_hashes(segments), partitions)
    assert set(found) == set(range(partitions))
    for partition, made in found.items():
        assert same_segments(rows_of(made), take_segments(segments, np.flatnonzero(places == partition)))
        headers = [batch.header for batch in made]
        assert [header.batch for header in headers] == list(range(len(made)))
        assert [header.last for header in headers] == [False] * (len(made) - 1) + [True]
        for place, header in enumerate(headers):
            assert read_segments(made[place].content)[0] == header
            later = rows_of(made[place + 1 :]).ts if made[place + 1 :] else np.empty(0)
            assert not len(later) or later.min() >= header.watermark, "a promise of time was broken"
            assert rows_of(made[: place + 1]).ts.max(initial=0) <= header.watermark
        sizes = [rows_of([batch]).sack_count for batch in made]
        assert all(len(blocks) <= FEW_ROWS for blocks in sizes)
        assert all(PLAIN_ROW_BYTES * len(blocks) + BLOCK_BYTES * blocks.sum() <= FEW_BYTES for blocks in sizes)


@settings(max_examples=50, deadline=None)
@given(
    rows=st.integers(1, 40),
    seed=st.integers(0, 1000),
    pauses=st.lists(st.integers(0, HEARTBEAT_NANOSECONDS), min_size=1, max_size=6),
)
def test_nothing_is_closed_before_it_is_due(rows: int, seed: int, pauses: list[int]) -> None:
    batcher, segments, now = Batcher(SESSION, 3, 0), some_conversations(rows, seed), 0
    for place, pause in enumerate(pauses):
        now = min(now + pause, batcher.due())
        batcher.add(take_segments(segments, slice(place, place + 1)), now)
        assert batcher.poll(batcher.due() - 1) == []
    for _ in range(8):
        assert batcher.poll(batcher.due() - 1) == []
        assert batcher.poll(batcher.due()) != []


@pytest.mark.usefixtures("small_messages")
@given(cuts=st.lists(st.integers(0, 400), max_size=30))
@settings(max_examples=50, deadline=None)
def test_how_rows_are_cut_changes_no_message(cuts: list[int]) -> None:
    segments = some_conversations(400, 3)
    whole, cut = (by_partition(published(segments, where, [], 3)) for where in ([], cuts))
    for partition in range(3):
        assert [batch.rows for batch in whole[partition]] == [batch.rows for batch in cut[partition]]


def test_the_bytes_of_a_row_are_those_of_its_columns() -> None:
    segments = valid_segments(1000)
    batcher = Batcher(SESSION, 1, 0)
    assert not batcher.add(segments, 0)
    (batch,) = batcher.finish(0)
    read = pa.ipc.open_stream(batch.content).read_all()
    assert read.nbytes == 1000 * PLAIN_ROW_BYTES + BLOCK_BYTES * int(segments.sack_count.sum())


def test_messages_are_filled_to_their_limits() -> None:
    segments = valid_segments(MOST_ROWS * 3)
    segments.sack_count[:] = 0
    (first, second, *_) = Batcher(SESSION, 1, 0).add(segments, 0)
    assert first.rows == second.rows == min(MOST_ROWS, MOST_BYTES // PLAIN_ROW_BYTES)
    segments.sack_count[:] = 4
    (first, *_) = Batcher(SESSION, 1, 0).add(segments, 0)
    assert first.rows == min(MOST_ROWS, MOST_BYTES // (PLAIN_ROW_BYTES + 4 * BLOCK_BYTES))


def test_both_directions_share_a_partition() -> None:
    there = valid_segments(200)
    back = there._replace(src=there.dst, dst=there.src, sport=there.dport, dport=there.sport)
    batcher = Batcher(SESSION, 8, 0)
    made = by_partition(batcher.add(there, 0) + batcher.add(back, 0) + batcher.finish(0))
    assert len(made) == 8
    for batches_of_one in made.values():
        frames, counts = np.unique(rows_of(batches_of_one).frame, return_counts=True)
        assert len(frames)
        assert set(counts) == {2}


def test_time_closes_a_batch() -> None:
    batcher = Batcher(SESSION, 1, 1000)
    assert batcher.add(valid_segments(3), 2000) == []
    assert batcher.poll(2000 + BATCH_NANOSECONDS - 1) == []
    (batch,) = batcher.poll(2000 + BATCH_NANOSECONDS)
    assert batch.rows == 3
    assert batcher.poll(2000 + 2 * BATCH_NANOSECONDS) == []


def test_silent_partitions_hear_of_the_time() -> None:
    batcher = Batcher(SESSION, 4, 0)
    segments = valid_segments(1)
    assert batcher.poll(HEARTBEAT_NANOSECONDS - 1) == []
    made = batcher.add(segments, HEARTBEAT_NANOSECONDS)
    assert [batch.header.partition for batch in made] == [0, 1, 2, 3]
    assert sum(batch.rows for batch in made) == 1
    assert {batch.header.watermark for batch in made} == {int(segments.ts[0])}
    assert batcher.poll(2 * HEARTBEAT_NANOSECONDS - 1) == []
    batcher.advance(int(segments.ts[0]) + 5)
    later = batcher.poll(2 * HEARTBEAT_NANOSECONDS)
    assert [batch.header.batch for batch in later] == [1, 1, 1, 1]
    assert {batch.header.watermark for batch in later} == {int(segments.ts[0]) + 5}


def test_drops_of_the_kernel_are_told_once() -> None:
    batcher = Batcher(SESSION, 2, 0)
    batcher.add_kernel_drops(3)
    batcher.add_kernel_drops(4)
    made = batcher.poll(HEARTBEAT_NANOSECONDS) + batcher.finish(HEARTBEAT_NANOSECONDS)
    assert [batch.header.kernel_drops for batch in made] == [7, 0, 0, 0]
