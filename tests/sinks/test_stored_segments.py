"""Segments read back are those that were stored, in the order of their frames."""

from collections.abc import Iterator

import numpy as np
import pytest

from segwatch.errors import StoreError
from segwatch.records.segments import SEGMENT_TYPES, SegmentColumns, join_segments, take_segments
from sinks.connection import ServerAddress
from sinks.decoding import ArrayReader
from sinks.spool import FindingSpool
from sinks.store import CaptureFacts, Store
from sinks.stored_segments import StoredSession, file_sessions, stored_segments, stored_sessions
from tests.sinks.rows import some_segments

ROWS = 1000
ONE, OTHER = "1a" * 16, "2b" * 16


@pytest.fixture
def reader(address: ServerAddress) -> Iterator[ArrayReader]:
    opened = ArrayReader(address)
    yield opened
    opened.close()


def _store(store: Store, session: str, sensor: str, segments: SegmentColumns) -> None:
    with FindingSpool() as spool:
        spool.add_segments(segments)
        facts = CaptureFacts("file", 1, ROWS, ROWS, 1, int(segments.ts[0]), int(segments.ts[-1]))
        store.store_session(session, sensor, spool, facts)


def _assert_equal(found: SegmentColumns, wanted: SegmentColumns) -> None:
    present = np.arange(wanted.sack.shape[1]) < 2 * wanted.sack_count[:, None].astype(int)
    wanted = wanted._replace(sack=np.where(present, wanted.sack, 0))
    for name, (kind, _) in SEGMENT_TYPES.items():
        column = getattr(found, name)
        assert column.dtype == kind
        assert column.flags.writeable
        np.testing.assert_array_equal(column, getattr(wanted, name), err_msg=name)


def test_every_column_comes_back(store: Store, reader: ArrayReader) -> None:
    segments = some_segments(ROWS)
    segments.wscale[:-1] = -1  # what is nearly always the same the server would like to send in another form
    segments.vlan[:-1] = 0
    segments.sack_count[: ROWS // 2] = 0
    _store(store, ONE, "a", take_segments(segments, np.random.default_rng(4).permutation(ROWS)))
    begin, end = int(segments.ts[0]), int(segments.ts[-1]) + 1
    _assert_equal(join_segments(list(stored_segments(reader, ONE, begin, end))), segments)
    first, last = 10, 20
    some = list(stored_segments(reader, ONE, int(segments.ts[first]), int(segments.ts[last])))
    _assert_equal(join_segments(some), take_segments(segments, slice(first, last)))


def test_segments_of_one_frame_stay_in_order(store: Store, reader: ArrayReader) -> None:
    """A frame of sFlow holds several, of the same conversation and time even."""
    segments = some_segments(ROWS)
    for column in (segments.ts, segments.src, segments.dst, segments.sport, segments.dport):
        column[:] = column[0]
    segments.frame[:] = 1 + np.arange(ROWS) // 50
    _store(store, ONE, "a", segments)
    begin = int(segments.ts[0])
    _assert_equal(join_segments(list(stored_segments(reader, ONE, begin, begin + 1))), segments)


def test_sessions_of_a_range(store: Store, address: ServerAddress) -> None:
    segments, later = some_segments(ROWS), some_segments(ROWS)
    later.ts[:] += int(segments.ts[-1] - segments.ts[0]) + 1
    _store(store, ONE, "a", segments)
    _store(store, OTHER, "b", later)
    begin, middle, end = int(segments.ts[0]), int(later.ts[0]), int(later.ts[-1]) + 1
    found = stored_sessions(store.client, address, begin, end)
    assert found == [StoredSession(ONE, "a", ROWS, False), StoredSession(OTHER, "b", ROWS, False)]
    assert stored_sessions(store.client, address, begin, end, sensor="b") == found[1:]
    assert stored_sessions(store.client, address, begin, end, session=ONE) == found[:1]
    assert stored_sessions(store.client, address, middle - 1, end)[0] == StoredSession(ONE, "a", 1, True)
    assert stored_sessions(store.client, address, 0, begin) == []
    assert file_sessions(store.client, address, [ONE, "3c" * 16]) == {ONE}


def test_what_is_not_stored_completely_is_no_session(store: Store, address: ServerAddress) -> None:
    segments = some_segments(ROWS)
    store.begin(ONE, "a")
    store.add_segments(segments)
    assert stored_sessions(store.client, address, int(segments.ts[0]), int(segments.ts[-1])) == []
    store.abandon()


def test_a_refused_statement_is_one_sentence(store: Store, reader: ArrayReader) -> None:
    with pytest.raises(StoreError, match="nonsense"):
        list(reader.blocks("SELECT nonsense", {}, {}))
    ((_, columns),) = list(reader.blocks("SELECT toUInt8(7) AS seven", {}, {}))
    assert columns["seven"].tolist() == [7]
