"""A session is stored once and completely, or not at all."""

import os
import sys
import threading

import pytest

import sinks.encoding
import sinks.store
from segwatch.errors import StoreError
from sinks.connection import ServerAddress
from sinks.ownership import is_alive, new_owner
from sinks.querying import Querying
from sinks.sessions import SESSION_TABLES, claim_session
from sinks.spool import FindingSpool
from sinks.store import SessionState, Store
from tests.sinks.rows import FACTS, some_findings, some_intervals, some_segments, some_verdicts

SESSION = "0123456789abcdef" * 2
OTHER = "fedcba9876543210" * 2
FILLED = tuple(table for table in SESSION_TABLES if table != "sensors")


def _spool() -> FindingSpool:
    spool = FindingSpool()
    spool.add_anomalies(some_segments(50), some_findings(50))
    spool.add_intervals(some_intervals(40))
    spool.add_verdicts(some_verdicts(20))
    spool.add_segments(some_segments(30))
    return spool


def _rows(store: Store, session: str = SESSION) -> dict[str, int]:
    query = "SELECT count() FROM {table} WHERE session = toUUID(%(session)s)"
    return {table: store.client.execute(query.format(table=table), {"session": session})[0][0] for table in FILLED}


def _is_empty(store: Store) -> bool:
    return not any(_rows(store).values())


def test_storing_once(store: Store) -> None:
    assert store.session_state(SESSION) is SessionState.ABSENT
    store.store_session(SESSION, "here", _spool(), FACTS)
    assert store.session_state(SESSION) is SessionState.STORED
    rows = _rows(store)
    kept = ("captures", "anomalies", "intervals", "verdicts", "segments")
    assert [rows[table] for table in kept] == [1, 50, 40, 20, 30]
    with pytest.raises(StoreError, match=f"The session {SESSION} is in the store on this machine already"):
        store.store_session(SESSION, "here", _spool(), FACTS)
    assert _rows(store) == rows
    listed = store.client.execute(
        "SELECT file_name, frames, segments, anomalies, intervals, verdicts, stored_segments, state, problem, "
        "toUnixTimestamp64Nano(first), toUnixTimestamp64Nano(last) FROM captures"
    )
    assert listed == [("capture.pcap", 60, 50, 50, 40, 20, 30, "complete", "", FACTS.first, FACTS.last)]


def test_removing_leaves_the_others_and_allows_storing_again(store: Store) -> None:
    for session in (SESSION, OTHER):
        store.store_session(session, "here", _spool(), FACTS)
    stored = _rows(store)
    store.remove(SESSION)
    assert _is_empty(store)
    assert _rows(store, OTHER) == stored
    store.store_session(SESSION, "here", _spool(), FACTS)
    assert _rows(store) == stored


def test_interrupted_session_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Store, "finish", interrupt)
        with pytest.raises(KeyboardInterrupt):
            store.store_session(SESSION, "here", _spool(), FACTS)
    assert _is_empty(store)
    assert store.session_state(SESSION) is SessionState.ABSENT
    store.store_session(SESSION, "here", _spool(), FACTS)
    assert _rows(store)["anomalies"] == 50


@pytest.mark.parametrize("reason", [KeyboardInterrupt, SystemExit])
def test_session_interrupted_within_a_block_leaves_nothing(
    reason: type[BaseException], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The half block on the connection must not be in the way of clearing up."""

    def interrupted(*_: object) -> None:
        raise reason

    store.begin(SESSION, "here")
    store.add_intervals(some_intervals(40))
    with monkeypatch.context() as patched:
        patched.setattr(sinks.encoding, "_send_block", interrupted)
        with pytest.raises(reason):
            store.add_anomalies(some_segments(20), some_findings(20))
    store.abandon()
    assert _is_empty(store)


def test_leaving_the_context_abandons(address: ServerAddress, store: Store) -> None:
    with Store(address) as other:
        other.begin(SESSION, "here")
        other.add_intervals(some_intervals(10))
        assert store.session_state(SESSION) is SessionState.STORING
    assert _is_empty(store)


def test_session_of_a_dead_process_is_cleared_by_the_next_start(address: ServerAddress) -> None:
    with Store(address):
        pass
    child = os.posix_spawn(*_child_that_dies(address))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    with Store(address) as store:
        assert store.client.execute("SELECT count() FROM session_claims") != [(0,)]
        assert _is_empty(store)
        store.store_session(SESSION, "here", _spool(), FACTS)
        assert _rows(store)["intervals"] == 40


def test_session_of_a_dead_process_is_not_counted_by_a_query(address: ServerAddress) -> None:
    with Store(address):
        pass
    child = os.posix_spawn(*_child_that_dies(address))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    querying = Querying(address)
    try:
        assert list(querying.run("SELECT count() FROM intervals").rows) == [(0,)]
    finally:
        querying.close()


_DIES = """
import os, sys
from sinks.connection import ServerAddress
from sinks.store import Store
from tests.sinks.rows import some_intervals, some_verdicts
host, port, user, password, database, session = sys.argv[1:]
store = Store(ServerAddress(host, int(port), user, password, database, is_local=True))
store.begin(session, "here")
store.add_intervals(some_intervals(40))
assert store.client.execute("SELECT count() FROM flows") == [(40,)]
os._exit(9)
"""


def _child_that_dies(address: ServerAddress) -> tuple[str, list[str], dict[str, str]]:
    values = [address.host, str(address.port), address.user, address.password, address.database, SESSION]
    return sys.executable, [sys.executable, "-c", _DIES, *values], dict(os.environ)


def test_living_claims_are_left_alone(address: ServerAddress, store: Store) -> None:
    store.begin(SESSION, "here")
    store.add_intervals(some_intervals(40))
    with Store(address) as other:
        assert _rows(other)["intervals"] == 40
        with pytest.raises(StoreError, match="Another process is putting the session"):
            other.begin(SESSION, "here")
        with pytest.raises(StoreError, match="is at work on the session"):
            other.remove(SESSION)
    store.finish(FACTS)
    assert store.session_state(SESSION) is SessionState.STORED


def test_of_many_claims_one_wins(address: ServerAddress, store: Store) -> None:
    stores = [Store(address) for _ in range(6)]
    won: list[object] = []
    ready = threading.Barrier(len(stores))

    def run(one: Store) -> None:
        ready.wait()
        won.append(claim_session(one.client, SESSION))

    threads = [threading.Thread(target=run, args=(one,)) for one in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in stores:
        one.__exit__(None, None, None)
    assert len(won) == 6
    assert sum(claim is not None for claim in won) >= 1
    newest = store.client.execute("SELECT max(generation), uniqExact(owner), count() FROM session_claims")[0]
    assert newest[1] == newest[2] == newest[0], "a claim has one owner"


def test_lost_claim_stops_the_loser(address: ServerAddress, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sinks.store, "RENEW_SECONDS", -1)
    monkeypatch.setattr(sinks.sessions, "is_alive", lambda _: False)
    store.begin(SESSION, "here")
    with Store(address) as other:
        other.begin(SESSION, "there")
        with pytest.raises(StoreError, match="has taken over the session"):
            store.add_intervals(some_intervals(40))


def test_partial_capture(store: Store) -> None:
    facts = sinks.store.CaptureFacts("a\udcffb.pcap", 1, 2, 3, 4, 0, 0, problem="cut after frame 2 ('quoted' \\ %s)")
    store.store_session(SESSION, "here", _spool(), facts)
    listed = store.client.execute("SELECT file_name, state, problem FROM captures")
    assert listed == [("a\\udcffb.pcap", "partial", facts.problem)]


def test_owner_of_another_place_is_not_judged() -> None:
    owner = new_owner()
    assert is_alive(str(owner)) is True
    assert is_alive(str(owner._replace(started=owner.started + 1))) is False
    assert is_alive(str(owner._replace(place="elsewhere"))) is None
    assert is_alive("nonsense") is None
