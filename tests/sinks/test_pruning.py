"""Rows that are removed before their time: what goes, what stays, and what may be stored again."""

import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from typing import Self

import pytest

import sinks.pruning
import sinks.sessions
from segwatch.errors import StoreError
from segwatch.settings import settings
from sinks.connection import ServerAddress
from sinks.pruning import count_captures, portions_of, portions_until, prune_session, prune_until
from sinks.retention import SETTING_OF
from sinks.sizes import Freed, read_sizes, today
from sinks.spool import FindingSpool
from sinks.store import SessionState, Store
from sinks.writer import Origin, Writer
from tests.sinks.rows import FACTS, some_findings, some_intervals, some_segments, some_verdicts

SESSION = "0123456789abcdef" * 2
OTHER = "fedcba9876543210" * 2
STREAMED = "00ff" * 8
AGE = timedelta(40)
LAST = timedelta(30)
TABLES = tuple(table for table in SETTING_OF if table != "sensors")
PATIENCE_SECONDS = 60


@pytest.fixture(autouse=True)
def long_kept_segments(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let nothing be over by itself: rows whose time is over are not even taken."""
    monkeypatch.setenv("SEGWATCH_CONFIG", "/dev/null")
    monkeypatch.setenv("SEGWATCH_KEEP_SEGMENTS_DAYS", "90")
    settings.cache_clear()
    yield
    settings.cache_clear()


class Past(datetime):
    """A clock that is ``AGE`` behind."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Return the time."""
        return super().now(tz) - AGE


def _spool() -> FindingSpool:
    spool = FindingSpool()
    spool.add_anomalies(some_segments(50), some_findings(50))
    spool.add_intervals(some_intervals(40))
    spool.add_verdicts(some_verdicts(20))
    spool.add_segments(some_segments(30))
    return spool


def _store_in_the_past(store: Store, monkeypatch: pytest.MonkeyPatch, session: str = SESSION) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(sinks.sessions, "datetime", Past)
        store.store_session(session, "here", _spool(), FACTS)


def _stream(store: Store, day: date, token: str = "stream") -> None:  # noqa: S107  # no password
    writer = Writer(store.client, store.address)
    origin = Origin("edge", STREAMED, day)
    writer.write_anomalies(some_segments(50), some_findings(50), origin, f"{token}/{day}")
    writer.write_intervals(some_intervals(40), origin, f"{token}/{day}")
    writer.write_verdicts(some_verdicts(20), origin, f"{token}/{day}")


def _rows(store: Store, session: str | None = None) -> dict[str, int]:
    where = "" if session is None else f"WHERE session = toUUID('{session}')"
    return {table: store.client.execute(f"SELECT count() FROM {table} {where}")[0][0] for table in TABLES}


def test_old_days_go_as_a_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _store_in_the_past(store, monkeypatch)
    _stream(store, today() - AGE)
    store.store_session(OTHER, "here", _spool(), FACTS)
    _stream(store, today())
    kept = {OTHER: _rows(store, OTHER), STREAMED: _rows(store, STREAMED)}
    last = today() - LAST
    portions = portions_until(store.client, store.address, last)
    assert {portion.table for portion in portions} == set(TABLES)
    assert all(portion.days == (today() - AGE,) and portion.bytes for portion in portions)
    assert count_captures(store.client, store.address, last=last) == 1
    prune_until(store.client, store.address, last)
    assert portions_until(store.client, store.address, last) == []
    assert not any(_rows(store, SESSION).values())
    assert _rows(store, OTHER) == kept[OTHER]
    for table, rows in _rows(store, STREAMED).items():
        assert 2 * rows >= kept[STREAMED][table] >= rows
    assert store.client.execute("SELECT max(stored) FROM session_claims") == [(today(),)]
    assert store.client.execute("SELECT count() FROM captures") == [(1,)]


def test_pruned_captures_are_stored_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _store_in_the_past(store, monkeypatch)
    rows = _rows(store)
    for _ in range(2):
        prune_until(store.client, store.address, today() - LAST)
        assert store.session_state(SESSION) is SessionState.ABSENT
        _store_in_the_past(store, monkeypatch)
        assert store.session_state(SESSION) is SessionState.STORED
        assert _rows(store) == rows
    prune_session(store.client, store.address, SESSION)
    assert store.session_state(SESSION) is SessionState.ABSENT
    assert not any(_rows(store).values())
    store.store_session(SESSION, "here", _spool(), FACTS)
    assert _rows(store) == rows


def test_a_block_that_comes_again_is_there_once(store: Store) -> None:
    """As after a crash of a sink between insert and commit, with a pruning in between, or without."""
    day = today() - AGE
    _stream(store, day)
    rows = _rows(store)
    _stream(store, day)
    assert _rows(store) == rows
    prune_until(store.client, store.address, today() - LAST)
    for _ in range(2):
        _stream(store, day)
        assert _rows(store) == rows
    prune_until(store.client, store.address, today() - LAST, ("anomalies", "flows"))
    _stream(store, day)
    assert _rows(store) == rows, "what the tables still have is not doubled, and what was pruned is there once"


def test_some_tables_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _store_in_the_past(store, monkeypatch)
    before = _rows(store)
    prune_until(store.client, store.address, today() - LAST, ("segments",))
    assert _rows(store) == before | {"segments": 0}
    prune_session(store.client, store.address, SESSION, ("intervals",))
    assert _rows(store) == before | {"segments": 0, "intervals": 0}
    assert store.session_state(SESSION) is SessionState.STORED


def test_a_capture_that_is_being_stored_stops_it(
    address: ServerAddress, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stream(store, today() - AGE)
    before = _rows(store)
    with monkeypatch.context() as patched:
        patched.setattr(sinks.sessions, "datetime", Past)
        store.begin(SESSION, "here")
    with Store(address) as other:
        with pytest.raises(StoreError, match=f"at work on the session {SESSION} since"):
            prune_until(other.client, other.address, today() - LAST)
        with pytest.raises(StoreError, match=f"at work on the session {SESSION}; wait"):
            prune_session(other.client, other.address, SESSION)
        assert _rows(other) == before
        prune_until(other.client, other.address, today() - AGE - timedelta(1))


def test_interrupted_pruning_is_finished_by_the_next_start(
    address: ServerAddress, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    _store_in_the_past(store, monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(sinks.pruning, "portions_until", interrupt)
        with pytest.raises(KeyboardInterrupt):
            prune_until(store.client, store.address, today() - LAST)
    with monkeypatch.context() as patched:
        patched.setattr(sinks.sessions, "is_alive", lambda _: False)
        with Store(address) as other:
            assert other.session_state(SESSION) is SessionState.ABSENT
            assert not any(_rows(other).values())
            other.store_session(SESSION, "here", _spool(), FACTS)


def test_session_of_a_sensor(store: Store) -> None:
    """No claim stands for it; what it brings later is stored, and can be removed again."""
    store.store_session(OTHER, "here", _spool(), FACTS)
    kept = _rows(store)
    for number in range(2):
        _stream(store, today(), f"stream {number}")
        assert {one.table for one in portions_of(store.client, store.address, STREAMED)} == {*TABLES} - {"segments"}
        prune_session(store.client, store.address, STREAMED)
        assert portions_of(store.client, store.address, STREAMED) == []
        assert _rows(store) == kept


def test_removed_rows_leave_the_disk(store: Store) -> None:
    _stream(store, today())
    query = "SELECT sum(rows) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'anomalies'"
    assert store.client.execute(query) == [(50,)]
    prune_session(store.client, store.address, STREAMED)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while store.client.execute(query) != [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_sizes(store: Store) -> None:
    for age in (40, 5, 0):
        _stream(store, today() - timedelta(age))
    sizes = {size.table: size for size in read_sizes(store.client, store.address)}
    found = sizes["anomalies"]
    assert (found.rows, found.oldest, found.newest, found.keep_days) == (150, today() - AGE, today(), 90)
    assert found.parts == 3
    assert found.next is not None
    assert (found.next.on, found.next.rows) == (today() + timedelta(50), 50)
    assert 0 < found.next.bytes < found.bytes
    assert sizes["flows"].keep_days == 400
    assert sizes["segments"] == ("segments", 0, 0, 0, None, None, 90, None)
    assert (sizes["captures"].oldest, sizes["captures"].keep_days) == (None, 0)
    store.client.execute(
        "ALTER TABLE intervals MODIFY TTL stored + toIntervalDay(5) SETTINGS materialize_ttl_after_modify = 0"
    )
    over = {size.table: size for size in read_sizes(store.client, store.address)}["intervals"]
    assert isinstance(over.next, Freed)
    assert (over.next.on, over.next.rows) == (today(), 80)
