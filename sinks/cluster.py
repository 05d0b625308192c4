"""The schema on a cluster: the statements of the same migrations, rewritten, and applied on all of its servers.

Rows lie in replicated tables on the shards (``anomalies_local``). The name without suffix is a distributed table over
all shards, so that inserts and queries say the same as on one server. Materialized views work on each shard, beside
the rows that they read. The short lists of migrations, captures and claims are not divided: each server has all.
"""

import re
from typing import Any, Final, NamedTuple

from segwatch.errors import StoreError, UsageError
from sinks.connection import ServerAddress, as_store_errors
from sinks.layout import LOCAL_SUFFIX
from sinks.migration_files import Migration, migrations
from sinks.retention import Change, keep_as_set, ttl_statements, wanted_days
from sinks.schema import applied_migrations, check_applied

WHOLE: Final = frozenset({"schema_migrations", "captures", "session_claims"})
"""Tables that each server has in full."""
TOKEN_SECONDS: Final = 604_800
"""How long replicas remember tokens: as long as Kafka keeps findings. ClickHouse's own figure is an hour, after which a
block that comes again would be stored twice."""

_ENDS = "(client, client_port), (server, server_port)"
_CONVERSATION = f"cityHash64(least({_ENDS}), greatest({_ENDS}))"
SHARDING_KEYS: Final = {
    "anomalies": _CONVERSATION,
    "intervals": _CONVERSATION,
    "verdicts": _CONVERSATION,
    "segments": "cityHash64(least((src, sport), (dst, dport)), greatest((src, sport), (dst, dport)))",
    "sensors": "cityHash64(sensor)",
}
"""What divides the rows that are inserted: both directions of a conversation, and all that is said of it, lie on one
shard. The other tables are filled there by views, and take no rows through their distributed table."""

_NAME = re.compile(r"[A-Za-z0-9_.{}-]+")
_KIND = re.compile(
    r"(?P<verb>CREATE (?:OR REPLACE )?(?P<kind>TABLE|VIEW|MATERIALIZED VIEW|FUNCTION) (?:IF NOT EXISTS )?|ALTER TABLE "
    r"|(?P<rename>RENAME) TABLE IF EXISTS )(?P<name>\w+)"
)
_REFERENCE = re.compile(r"\b(FROM|JOIN|TO) (\w+)\b")
_ENGINE = re.compile(r"^ENGINE = (\w*MergeTree)(?:\((\w+)\))?$", re.MULTILINE)
"""An engine, and the column that tells it which of several rows to keep, if it has one."""
_WINDOW = re.compile(r"\bnon_replicated_deduplication_window = (\d+)")
_OF_ROWS = re.compile(r"\s+(?:(?:ADD|DROP|MATERIALIZE) INDEX|MODIFY SETTING)\b")
"""Changes that mean nothing to a distributed table, which holds no rows."""
_COMMENT = re.compile(r"^COMMENT '.*'\Z", re.MULTILINE)


class Cluster(NamedTuple):
    """A cluster of the servers' configuration, and the database for the tables."""

    name: str
    database: str

    def statements(self, migration: Migration) -> list[str]:
        """Return the statements of a migration for this cluster."""
        return [rewritten for statement in migration.statements for rewritten in self._rewritten(statement)]

    def functions(self, migration: Migration) -> list[str]:
        """Return the statements of a migration that make functions, for this cluster."""
        return [rewritten for statement in migration.functions for rewritten in self._rewritten(statement)]

    def everything(self) -> list[str]:
        """Return all statements that make the schema in an empty cluster, with the settings' times to live."""
        statements = [self.create_database()]
        for migration in migrations():
            statements += [*self.statements(migration), self.record(migration)]
        for table, days in wanted_days().items():
            statements += ttl_statements(self.full(table, local=True) + self.on, days)
        return statements

    def create_database(self) -> str:
        """Return the statement that makes the database on all servers."""
        return (
            f"CREATE DATABASE IF NOT EXISTS {self.database}{self.on} COMMENT 'Findings of segwatch, which created it'"
        )

    def record(self, migration: Migration) -> str:
        """Return the statement that notes, once, that a migration was applied."""
        return (
            f"INSERT INTO {self.database}.schema_migrations (number, name, checksum, applied_at) "
            f"SETTINGS insert_deduplicate = 1, insert_deduplication_token = 'migration/{migration.number}' "
            f"SELECT {migration.number}, '{migration.name}', '{migration.checksum}', now64(3)"
        )

    @property
    def on(self) -> str:
        """What makes a statement one for all servers, behind the name of its object."""
        return f" ON CLUSTER '{self.name}'"

    def full(self, table: str, *, local: bool) -> str:
        """Return a name with its database; ``local``: of the table that holds a shard's rows."""
        suffix = LOCAL_SUFFIX if local and table not in WHOLE else ""
        return f"{self.database}.{table}{suffix}"

    def _rewritten(self, statement: str) -> list[str]:
        match = _KIND.match(statement)
        if match is None:
            raise ValueError(f"no way is known to bring this statement to a cluster: {statement[:80]}")
        verb, kind, name = match["verb"], match["kind"], match["name"]
        rest = statement[match.end() :]
        if match["rename"]:
            # Of views alone, whose names are the same on all servers.
            return [f"{verb}{self.database}.{name}{rest.replace(' TO ', f' TO {self.database}.')}{self.on}"]
        if kind == "FUNCTION":
            return [f"{verb}{name}{self.on}{rest}"]
        if kind == "TABLE":
            return self._table(verb, name, rest)
        if kind is None and name in _objects("TABLE"):
            local = f"{verb}{self.full(name, local=True)}{self.on}{rest}"
            is_all = name in WHOLE or _OF_ROWS.match(rest)
            return [local] if is_all else [local, f"{verb}{self.full(name, local=False)}{self.on}{rest}"]
        # A view of people reads the distributed tables, one that fills a table the rows of its own shard.
        rest = self._with_databases(rest, local=kind != "VIEW")
        return [f"{verb}{self.full(name, local=False)}{self.on}{rest}"]

    def _table(self, verb: str, name: str, rest: str) -> list[str]:
        place, replica = ("all", "{shard}-{replica}") if name in WHOLE else ("{shard}", "{replica}")
        path = f"/clickhouse/tables/{place}/{{database}}/{{table}}"
        rest = _ENGINE.sub(
            lambda engine: (
                f"ENGINE = Replicated{engine[1]}('{path}', '{replica}'{f', {engine[2]}' if engine[2] else ''})"
            ),
            rest,
        )
        window = rf"replicated_deduplication_window = \1, replicated_deduplication_window_seconds = {TOKEN_SECONDS}"
        local = f"{verb}{self.full(name, local=True)}{self.on}{_WINDOW.sub(window, rest)}"
        if name in WHOLE:
            return [local]
        comment = _COMMENT.search(rest)
        key = f", {SHARDING_KEYS[name]}" if name in SHARDING_KEYS else ""
        distributed = (
            f"{verb}{self.full(name, local=False)}{self.on} AS {self.full(name, local=True)}\n"
            f"ENGINE = Distributed('{self.name}', '{self.database}', '{name}{LOCAL_SUFFIX}'{key})\n"
            f"{comment[0] if comment else ''}"
        )
        return [local, distributed.rstrip()]

    def _with_databases(self, text: str, *, local: bool) -> str:
        """Name the database of each table and view that a query reads or fills."""
        tables, views = _objects("TABLE"), _objects("VIEW")

        def full(match: re.Match[str]) -> str:
            keyword, name = match[1], match[2]
            if name not in tables and name not in views:
                return match[0]
            return f"{keyword} {self.full(name, local=local and name in tables)}"

        return _REFERENCE.sub(full, text)


def _objects(kind: str) -> set[str]:
    """Return the names of all objects of a kind that migrations make."""
    statements = [statement for migration in migrations() for statement in migration.statements]
    return {match["name"] for statement in statements if (match := _KIND.match(statement)) and match["kind"] == kind}


def cluster_of(name: str, database: str) -> Cluster:
    """Return the cluster of a name that a user gave. Raises ``UsageError``."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name of a cluster: letters, digits and _ . - only, or a macro as {{cluster}}."
        )
    return Cluster(name, database)


def migrate_cluster(client: Any, address: ServerAddress, cluster: Cluster) -> tuple[list[Migration], list[Change]]:
    """Bring all servers of a cluster to this version's schema; return what was applied, and new times to live.

    Raises ``StoreError`` where the cluster is not made for it, or where the database has tables of one server.
    """
    with as_store_errors(address):
        applied = applied_migrations(client)
        check_applied(applied, migrations(), str(address))
        _check_servers(client, address, cluster)
        missing = [migration for migration in migrations() if migration.number not in applied]
        if missing:
            client.execute(cluster.create_database())
        for migration in missing:
            for statement in [*cluster.statements(migration), cluster.record(migration)]:
                client.execute(statement)
        for migration in migrations():
            for statement in cluster.functions(migration):
                client.execute(statement)
        changes = keep_as_set(client)
    return missing, changes


_SERVERS = """
SELECT sum(replicas), max(replicas > 1 AND NOT internal)
FROM (
    SELECT count() AS replicas, any(internal_replication) AS internal
    FROM system.clusters WHERE cluster = %(name)s GROUP BY shard_num
)
"""


def _check_servers(client: Any, address: ServerAddress, cluster: Cluster) -> None:
    """Raise ``StoreError`` where rows would be doubled, or could not be stored at all."""
    macros = dict(client.execute("SELECT macro, substitution FROM system.macros"))
    name = re.sub(r"\{(\w+)\}", lambda macro: macros.get(macro[1], macro[0]), cluster.name)
    servers, doubling = client.execute(_SERVERS, {"name": name})[0]
    if not servers:
        raise StoreError(f"The store {address} knows no cluster {name}: see remote_servers in its configuration.")
    if doubling:
        raise StoreError(
            f"The cluster {name} of the store {address} would write every row once for each replica: set "
            "internal_replication to true for its shards."
        )
    if missing := [macro for macro in ("shard", "replica") if macro not in macros]:
        raise StoreError(f"The store {address} has no macro {missing[0]}, which its replicated tables need.")
    engines = client.execute(
        "SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'"
    )
    if engines and not engines[0][0].startswith("Replicated"):
        raise StoreError(
            f"The store {address} has the tables of one server already; a cluster needs a database of its own."
        )
