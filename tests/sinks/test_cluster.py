"""The schema on a cluster: every statement is understood by ClickHouse, and says what the migrations say."""

import re

import pytest

from segwatch.errors import StoreError, UsageError
from sinks.cluster import SHARDING_KEYS, TOKEN_SECONDS, WHOLE, Cluster, cluster_of, migrate_cluster
from sinks.layout import ONE_SERVER, Layout
from sinks.migration_files import Migration, created_objects, migrations
from sinks.retention import ttl_statements
from sinks.store import Store

CLUSTER = Cluster("main", "segwatch")
TABLES = [name for name, kind in created_objects().items() if kind == "TABLE"]


def _statements(beginning: str) -> list[str]:
    return [statement for statement in CLUSTER.everything() if statement.startswith(beginning)]


@pytest.mark.parametrize("name", ["main", "{cluster}"])
def test_clickhouse_understands_every_statement(store: Store, name: str) -> None:
    statements = Cluster(name, "segwatch").everything()
    parsed = [store.client.execute("SELECT formatQuery(%(text)s)", {"text": text})[0][0] for text in statements]
    # The record of a migration is an insert into one server: replication brings it to the others.
    assert [text[:60] for text in parsed if f"ON CLUSTER `{name}`" not in text and "ON CLUSTER" not in text] == [
        f"INSERT INTO {CLUSTER.database}.schema_migrations (number, name, checksum, applied_at)"[:60]
        for _ in migrations()
    ]


def test_every_table_is_replicated_and_those_of_rows_are_divided() -> None:
    for table in TABLES:
        name = table if table in WHOLE else f"{table}_local"
        (create,) = _statements(f"CREATE TABLE IF NOT EXISTS segwatch.{name} ON CLUSTER 'main'\n")
        assert re.search(r"^ENGINE = Replicated\w*MergeTree\('/clickhouse/tables/", create, re.MULTILINE), table
        assert "non_replicated" not in create
        assert f"replicated_deduplication_window_seconds = {TOKEN_SECONDS}" in create
        distributed = _statements(f"CREATE TABLE IF NOT EXISTS segwatch.{table} ON CLUSTER 'main' AS")
        assert len(distributed) == (table not in WHOLE), table
    assert "{shard}-{replica}" in _statements("CREATE TABLE IF NOT EXISTS segwatch.captures")[0]
    assert set(SHARDING_KEYS) <= set(TABLES)


def test_views_read_what_they_should() -> None:
    """Those that fill tables stay on their shard, those for people read all shards."""
    (filler,) = _statements("CREATE MATERIALIZED VIEW IF NOT EXISTS segwatch.intervals_to_flows")
    assert " ON CLUSTER 'main' TO segwatch.flows_local AS" in filler
    assert "FROM segwatch.intervals_local" in filler
    modified = _statements("ALTER TABLE segwatch.intervals_to_flows ON CLUSTER 'main' MODIFY QUERY")
    assert all("FROM segwatch.intervals_local" in statement for statement in modified)
    views = _statements("CREATE OR REPLACE VIEW segwatch.connections ON CLUSTER 'main'")
    assert all("FROM segwatch.flows AS flow FINAL" in statement for statement in views)


def test_views_are_renamed_on_all_servers() -> None:
    (away, back) = _statements("RENAME TABLE IF EXISTS segwatch.intervals_to_flows")
    assert away.endswith("intervals_to_flows TO segwatch.intervals_to_flows_renamed ON CLUSTER 'main'")
    assert back.endswith("intervals_to_flows_renamed TO segwatch.intervals_to_flows ON CLUSTER 'main'")


def test_a_column_comes_to_both_tables() -> None:
    for name in ("sensors_local", "sensors"):
        (altered, *_) = _statements(f"ALTER TABLE segwatch.{name} ON CLUSTER 'main'\n    ADD COLUMN")
        assert "ADD COLUMN IF NOT EXISTS shed_segments UInt64" in altered


def test_functions_are_made_on_all_servers() -> None:
    made = [one for migration in migrations() for one in CLUSTER.functions(migration)]
    assert made
    assert all(" FUNCTION " in one and CLUSTER.on in one for one in made)


def test_what_changes_rows_reaches_all_shards(store: Store) -> None:
    layout = Layout("main", frozenset({"anomalies"}))
    name = layout.named("anomalies")
    for statement in (
        f"DELETE FROM {name} WHERE session = toUUID('00')",
        f"ALTER TABLE {name} DROP PARTITION '2026-11-26'",
        f"ALTER TABLE {name} APPLY DELETED MASK",
        *ttl_statements(name, 5),
        *ttl_statements(name, 0),
    ):
        ((parsed,),) = store.client.execute("SELECT formatQuerySingleLine(%(text)s)", {"text": statement})
        assert "anomalies_local ON CLUSTER main" in parsed
    assert layout.named("captures") == "captures", "a change of a replica reaches the others"
    assert ONE_SERVER.named("anomalies") == "anomalies"


def test_a_statement_of_another_kind_is_refused() -> None:
    """Whoever writes a migration learns that the cluster needs a thought, too."""
    with pytest.raises(ValueError, match="no way is known to bring this statement to a cluster: DROP TABLE flows"):
        CLUSTER.statements(Migration(9999, "9999_future.sql", "DROP TABLE flows;\n"))


@pytest.mark.parametrize("name", ["", "a b", "main'; DROP", "main`"])
def test_a_name_of_another_kind_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is no name of a cluster"):
        cluster_of(name, "segwatch")


def test_a_server_without_the_cluster_is_left_alone(store: Store) -> None:
    with pytest.raises(StoreError, match=r"knows no cluster main: see remote_servers"):
        migrate_cluster(store.client, store.address, CLUSTER)
