"""Taking rows out of the store before their time to live does: those of old days, or those of a session.

Old days go as whole partitions, a session's rows by deletion. In both cases captures whose rows go are claimed first
and no longer listed, so whoever analyses them again stores them again. With only some of the tables chosen, captures
stay listed: what is left of them is what a time to live would leave.

What sinks have stored is not stored again: their marks are in Kafka. A block whose insert a crash has interrupted may
come again after its day was dropped; then its rows are there once.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from segwatch.errors import StoreError
from sinks.connection import ServerAddress, as_store_errors
from sinks.layout import read_layout
from sinks.retention import SETTING_OF
from sinks.sessions import SESSION_TABLES, claim_sessions, close_claims, remove_rows, remove_session
from sinks.sizes import read_partitions

_DIVIDED: Final = tuple(SETTING_OF)
"""Tables that are divided by the day of storing: all that have rows of sessions, but the list of captures."""

_WHATEVER_SIZE = {"max_partition_size_to_drop": 0}
"""The server's limit of 50 GB is against mistakes; this was asked for."""
_AT_ONCE = {"lightweight_deletes_sync": 2}


class Portion(NamedTuple):
    """What a table has of the rows to remove."""

    table: str
    days: tuple[date, ...]
    """Days whose rows all go; empty for a session."""
    rows: int
    bytes: int | None
    """On disk; ``None`` for a session: its rows lie among others."""


def portions_until(client: Any, address: ServerAddress, last: date, tables: Sequence[str] = ()) -> list[Portion]:
    """Return what was stored until the day ``last``, in ``tables`` or in all of them. Raises ``StoreError``."""
    with as_store_errors(address):
        layout = read_layout(client)
    old = [one for one in read_partitions(client, address, layout) if one.day is not None and one.day <= last]
    portions = []
    for table in tables or _DIVIDED:
        found = [one for one in old if one.table == table]
        days = tuple(one.day for one in found if one.day is not None)
        if found:
            portions.append(Portion(table, days, sum(one.rows for one in found), sum(one.bytes for one in found)))
    return portions


def portions_of(client: Any, address: ServerAddress, session: str, tables: Sequence[str] = ()) -> list[Portion]:
    """Return what there is of a session, in ``tables`` or in all of them. Raises ``StoreError``."""
    portions = []
    with as_store_errors(address):
        for table in tables or _DIVIDED:
            query = f"SELECT count() FROM {table} WHERE session = toUUID(%(session)s)"  # noqa: S608 - names of our own
            if rows := client.execute(query, {"session": session})[0][0]:
                portions.append(Portion(table, (), rows, None))
    return portions


def count_captures(client: Any, address: ServerAddress, *, last: date | None = None, session: str = "") -> int:
    """Return how many captures are listed that were stored until the day ``last``, or that are ``session``."""
    where = "stored <= %(last)s" if last else "session = toUUID(%(session)s)"
    with as_store_errors(address):
        query = f"SELECT count() FROM captures WHERE {where}"  # noqa: S608 - one of two texts
        count: int = client.execute(query, {"last": last, "session": session})[0][0]
    return count


def prune_until(client: Any, address: ServerAddress, last: date, tables: Sequence[str] = ()) -> None:
    """Remove what was stored until the day ``last``, from ``tables`` or from all of them.

    Raises ``StoreError``, before anything was removed, where a capture of these days is still being stored.
    """
    with as_store_errors(address):
        layout = read_layout(client)
        claims = [] if tables else claim_sessions(client, last)
        if not tables:
            client.execute("DELETE FROM captures WHERE stored <= %(last)s", {"last": last}, settings=_AT_ONCE)
        for portion in portions_until(client, address, last, tables):
            for day in portion.days:
                statement = f"ALTER TABLE {layout.named(portion.table)} DROP PARTITION '{day}'"
                client.execute(statement, settings=_WHATEVER_SIZE)
        close_claims(client, claims)


def prune_session(client: Any, address: ServerAddress, session: str, tables: Sequence[str] = ()) -> None:
    """Remove the rows of a session (32 hexadecimal digits) from ``tables``, or all that there is of it.

    The rows are gone at once; their room on disk is free when the server has written their parts anew.
    Raises ``StoreError`` where the session is being stored.
    """
    with as_store_errors(address):
        if tables:
            remove_rows(client, session, tables)
        elif not remove_session(client, session):
            raise StoreError(f"Another process is at work on the session {session}; wait until it is done.")
        layout = read_layout(client)
        for table in tables or SESSION_TABLES:
            client.execute(f"ALTER TABLE {layout.named(table)} APPLY DELETED MASK")
