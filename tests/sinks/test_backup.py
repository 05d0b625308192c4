"""A backup brings back tables and rollups, and what comes afterwards is counted as before (docs/operations.md)."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime

from sinks.connection import ServerAddress, connect, new_client
from sinks.store import Store
from sinks.writer import Origin, Writer
from tests.sinks.rows import some_findings, some_intervals, some_segments, some_verdicts
from tests.sinks.test_writer import COUNTS

ROWS = 200


def counts(address: ServerAddress) -> dict[str, tuple[int, ...]]:
    """Return what the tables of a store add up to."""
    client = connect(address, create=False)
    try:
        return {table: client.execute(question)[0] for table, question in COUNTS.items()}
    finally:
        client.disconnect()


def fill(address: ServerAddress, session: str) -> None:
    """Insert rows of all kinds."""
    origin = Origin("sensor", session, datetime(2026, 11, 23, tzinfo=UTC).date())
    client = connect(address, create=False)
    writer = Writer(client, address)
    segments, findings = some_segments(ROWS), some_findings(ROWS)
    writer.write_anomalies(segments, findings, origin, f"{session} anomalies")
    writer.write_intervals(some_intervals(ROWS), origin, f"{session} intervals")
    writer.write_verdicts(some_verdicts(ROWS), origin, f"{session} verdicts")
    writer.write_segments(segments, origin, f"{session} segments")
    client.disconnect()


def test_a_backup_brings_everything_back(store: Store, server: ServerAddress) -> None:
    address = store.address
    fill(address, "1a" * 16)
    before = counts(address)
    assert all(sums[0] for sums in before.values())
    file = secrets.token_hex(6)
    administrator = new_client(server, database="")
    administrator.execute(f"BACKUP DATABASE {address.database} TO File('{file}')")
    administrator.execute(f"DROP DATABASE {address.database} SYNC")
    administrator.execute(f"RESTORE DATABASE {address.database} FROM File('{file}')")
    administrator.disconnect()
    assert counts(address) == before
    fill(address, "2b" * 16)
    assert counts(address) == {table: tuple(2 * one for one in sums) for table, sums in before.items()}


def test_a_backup_is_tried_under_another_name(store: Store, server: ServerAddress) -> None:
    address = store.address
    fill(address, "1a" * 16)
    other = replace(address, database=f"{address.database}_tried")
    file = secrets.token_hex(6)
    administrator = new_client(server, database="")
    administrator.execute(f"BACKUP DATABASE {address.database} TO File('{file}')")
    administrator.execute(f"RESTORE DATABASE {address.database} AS {other.database} FROM File('{file}')")
    assert counts(other) == counts(address)
    administrator.execute(f"DROP DATABASE {other.database} SYNC")
    administrator.disconnect()
