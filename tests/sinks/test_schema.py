"""Migrations: run twice, side by side, refused; and what they made."""

import secrets
import threading
from pathlib import Path
from typing import Any

import pytest

from segwatch.errors import StoreError
from segwatch.vocabulary import EVENT_NAMES, LABEL_NAMES, RESET_NAMES, TUNNEL_NAMES, Label, Quality
from sinks import schema
from sinks.connection import ServerAddress, connect, new_client
from sinks.migration_files import Migration, created_objects, migrations
from sinks.schema import as_markdown, describe, make_functions, migrate
from sinks.sessions import SESSION_TABLES
from sinks.store import Store
from tests.support import REPOSITORY

_BEFORE_SHARES = 8
"""Migrations before the one that brought the share of conversations that was kept."""


def test_migrations_are_numbered_without_gaps() -> None:
    assert [migration.number for migration in migrations()] == list(range(1, len(migrations()) + 1))


def test_migrating_twice_changes_nothing(store: Store) -> None:
    before = store.client.execute("SELECT number, name, checksum FROM schema_migrations ORDER BY number")
    migrate(store.client, store.address)
    assert store.client.execute("SELECT number, name, checksum FROM schema_migrations ORDER BY number") == before
    assert [(number, name) for number, name, _ in before] == [(one.number, one.name) for one in migrations()]


def test_migrating_side_by_side(address: ServerAddress) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            Store(address).__exit__(None, None, None)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    client = connect(address)
    assert client.execute("SELECT count() FROM schema_migrations") == [(len(migrations()),)]
    client.disconnect()


def test_what_another_process_applies_meanwhile_is_left_alone(
    address: ServerAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may insert already, and would not bear that its views are renamed."""
    applied: list[int] = []
    apply = schema._apply

    def spy(client: Any, migration: Migration) -> None:
        applied.append(migration.number)
        apply(client, migration)
        if len(applied) == 1:
            migrate(client, address)

    monkeypatch.setattr(schema, "_apply", spy)
    with connect(address) as client:
        migrate(client, address)
    assert applied == [migration.number for migration in migrations()]


def test_newer_store_is_refused(store: Store) -> None:
    newer = Migration(9999, "9999_future.sql", "SELECT 1;\n")
    migrate(store.client, store.address, (*migrations(), newer))
    with pytest.raises(StoreError, match=r"newer version of segwatch \(it has 9999_future.sql") as caught:
        Store(store.address)
    assert caught.value.exit_code == 5


def test_changed_migration_is_refused(store: Store) -> None:
    first, *rest = migrations()
    changed = first._replace(text=first.text + "-- changed\n")
    with pytest.raises(StoreError, match=r"another 0001_schema_migrations\.sql"):
        migrate(store.client, store.address, (changed, *rest))


def test_functions_that_a_server_lacks_are_made_again(store: Store) -> None:
    """As after a database was restored on another server; others use the functions of this one meanwhile."""
    name = f"segwatch_{secrets.token_hex(6)}"
    table = f"CREATE TABLE IF NOT EXISTS {name} (n UInt8) ENGINE = Memory;\n"
    first = Migration(1, "0001_one.sql", f"{table}CREATE FUNCTION IF NOT EXISTS {name} AS (n) -> n + 1;\n")
    second = Migration(2, "0002_two.sql", f"CREATE OR REPLACE FUNCTION {name} AS (n) -> n + 2;\n")
    for _ in range(2):
        make_functions(store.client, [first, second])
    assert store.client.execute(f"SELECT {name}(2)") == [(4,)]
    store.client.execute(f"DROP FUNCTION {name}")
    assert store.client.execute(f"EXISTS TABLE {name}") == [(0,)]


def test_all_functions_are_known() -> None:
    made = {one for migration in migrations() for one in migration.statements if " FUNCTION " in one.split("(")[0]}
    assert made
    assert made == {one for migration in migrations() for one in migration.functions}


def test_rows_of_before_the_share_was_known_count_once(address: ServerAddress) -> None:
    """They have the defaults of the columns that came later, before and after parts are merged."""
    client = new_client(address, database="")
    client.execute(f"CREATE DATABASE {address.database}")
    client.disconnect()
    client = connect(address)
    migrate(client, address, migrations()[:_BEFORE_SHARES])
    for stream in (1, 2):
        client.execute(
            "INSERT INTO intervals (sensor, stored, time, stream, server_port, client_segments, server_segments, "
            f"client_payload_bytes) VALUES ('edge', '2026-11-23', '2026-11-23 10:00:00', {stream}, 443, 5, 6, 700)"
        )
    client.execute("INSERT INTO anomalies (sensor, stored, labels, quality) VALUES ('edge', '2026-11-23', 5, 262144)")
    migrate(client, address)
    for _ in range(2):
        rows = client.execute(
            "SELECT keep_one_in, conversations, segments, payload_bytes, estimated_conversations, estimated_segments, "
            "estimated_payload_bytes FROM traffic"
        )
        assert rows == [(1, 2, 22, 1400, 2, 22, 1400)]
        assert client.execute("SELECT keep_one_in, quality_names FROM connections") == [(1, [])] * 2
        assert client.execute("SELECT keep_one_in, quality_names FROM intervals") == [(1, [])] * 2
        assert client.execute("SELECT keep_one_in, quality_names FROM anomalies") == [(1, ["capture_loss"])]
        assert client.execute("SELECT sum(segments), sum(estimated_segments) FROM anomalies_1m") == [(2, 2)]
        for table in ("traffic_1m", "flows", "anomalies_1m", "intervals"):
            client.execute(f"OPTIMIZE TABLE {table} FINAL")
    client.disconnect()


def test_every_table_and_column_has_a_comment(store: Store) -> None:
    tables = describe(store.client, store.address)
    assert [table.name for table in tables] == list(created_objects())
    for table in tables:
        assert table.comment, table.name
        if table.engine != "MaterializedView":
            assert table.columns
            assert [column.name for column in table.columns if not column.comment] == [], table.name


def test_all_tables_of_sessions_are_known(store: Store) -> None:
    found = {
        table.name
        for table in describe(store.client, store.address)
        if table.engine.endswith("MergeTree") and any(column.name == "session" for column in table.columns)
    }
    assert found - {"session_claims"} == set(SESSION_TABLES)


def test_every_table_remembers_tokens(store: Store) -> None:
    rows = store.client.execute(
        "SELECT name, create_table_query FROM system.tables "
        "WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    )
    assert [name for name, query in rows if "non_replicated_deduplication_window = 10000" not in query] == []


def test_rollups_of_days_that_are_over_are_merged(store: Store) -> None:
    """So that FINAL has nothing to do there."""
    rows = store.client.execute(
        "SELECT name, create_table_query FROM system.tables "
        "WHERE database = currentDatabase() AND engine = 'AggregatingMergeTree'"
    )
    assert {name for name, _ in rows} == {"flows", "traffic_1m", "anomalies_1m", "hosts_1m"}
    for setting in ("min_age_to_force_merge_seconds = 3600", "min_age_to_force_merge_on_partition_only = 1"):
        assert [name for name, query in rows if setting not in query] == []


def test_names_are_those_of_the_vocabulary(store: Store) -> None:
    def names(mask: str, bits: int) -> object:
        query = f"SELECT {mask} FROM (SELECT toUInt32({(1 << bits) - 1}) AS bits)"
        return tuple(store.client.execute(query)[0][0])

    def expression(column: str, table: str = "anomalies") -> str:
        query = (
            "SELECT default_expression FROM system.columns "
            "WHERE database = currentDatabase() AND table = %(table)s AND name = %(name)s"
        )
        text: str = store.client.execute(query, {"table": table, "name": column})[0][0]
        for name in ("labels", "events", "resets_seen", "quality"):
            text = text.replace(f"({name})", "(bits)").replace(f"({name},", "(bits,")
        return text

    assert names(expression("label_names"), len(LABEL_NAMES)) == LABEL_NAMES
    assert names(expression("event_names"), len(EVENT_NAMES)) == EVENT_NAMES
    qualities = tuple(str(one.name).lower() for one in Quality)
    for table in ("anomalies", "segments", "flows"):
        # The bits of the share, 24 to 28, are a number: none of them has a name. Bit 23 has none yet.
        assert names(expression("quality_names", table), 29) == (*qualities, "")
    assert names(expression("reset_names", "flows"), len(RESET_NAMES)) == RESET_NAMES
    types = dict(
        store.client.execute(
            "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = 'anomalies'"
        )
    )
    for column, values in (("reset", RESET_NAMES), ("tunnel_kind", TUNNEL_NAMES)):
        expected = ", ".join(f"'{name}' = {number}" for number, name in enumerate(values))
        assert types[column] == f"Enum8({expected})"
    for table in ("intervals", "flows"):
        columns = {row[0] for row in store.client.execute(f"DESCRIBE {table}")}
        assert {f"{side}_{name}" for side in ("client", "server") for name in LABEL_NAMES} <= columns


@pytest.mark.parametrize(
    ("quality", "label", "suspect"),
    [
        (Quality.CAPTURE_LOSS, Label.ACK_LOST_SEGMENT, True),
        (Quality.CAPTURE_LOSS | Quality.IPV6, Label.OUT_OF_ORDER | Label.WINDOW_FULL, True),
        (Quality.CAPTURE_LOSS, Label.ZERO_WINDOW, False),
        (Quality.PAYLOAD_CUT, Label.LOST_SEGMENT, False),
        (Quality.SEEN_TWICE, Label.RETRANSMISSION, True),
        (Quality.SEEN_TWICE, Label.FAST_RETRANSMISSION | Label.ZERO_WINDOW, True),
        (Quality.SEEN_TWICE, Label.SPURIOUS_RETRANSMISSION, True),
        (Quality.SEEN_TWICE, Label.DUPLICATE_ACK, True),
        (Quality.SEEN_TWICE | Quality.IPV6, Label.OUT_OF_ORDER, True),
        (Quality.SEEN_TWICE, Label.LOST_SEGMENT | Label.KEEP_ALIVE, False),
        (Quality.CAPTURE_LOSS, Label.DUPLICATE_ACK, False),
        (Quality.ONE_WAY, Label.RETRANSMISSION, False),
    ],
)
def test_labels_are_suspect_where_the_capture_may_have_lost_what_they_miss(
    store: Store, quality: Quality, label: Label, suspect: bool
) -> None:
    query = (
        "SELECT default_expression FROM system.columns "
        "WHERE database = currentDatabase() AND table = 'anomalies' AND name = 'capture_suspect'"
    )
    expression = store.client.execute(query)[0][0]
    values = f"toUInt32({int(quality)}) AS quality, toUInt32({int(label)}) AS labels"
    assert store.client.execute(f"SELECT {expression} FROM (SELECT {values})") == [(int(suspect),)]


def test_reference_page_is_up_to_date(store: Store) -> None:
    committed = Path(REPOSITORY / "docs" / "schema.md").read_text(encoding="utf-8")
    made = as_markdown(describe(store.client, store.address)).replace(store.address.database, "segwatch")
    assert made == committed, "run: segwatch schema --markdown > docs/schema.md"
