"""The schema of a database: applying migrations, and describing what they made."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from segwatch.errors import StoreError
from sinks.connection import ServerAddress, as_store_errors
from sinks.failures import TABLE_NOT_FOUND
from sinks.layout import ONE_SERVER, read_layout
from sinks.migration_files import Migration, created_objects, migrations
from sinks.retention import SETTING_OF, keep_as_set

_READ_APPLIED = (
    "SELECT number, any(name), any(toString(checksum)) FROM schema_migrations GROUP BY number ORDER BY number"
)
_RECORD = (
    "INSERT INTO schema_migrations (number, name, checksum, applied_at) "
    "SELECT %(number)s, %(name)s, %(checksum)s, now64(3)"
)


class ColumnDescription(NamedTuple):
    """A column as the server knows it."""

    name: str
    type_name: str
    kind: str
    """Empty, or ``ALIAS``, ``MATERIALIZED``, ``DEFAULT``."""
    comment: str


class TableDescription(NamedTuple):
    """A table or a view as the server knows it."""

    name: str
    engine: str
    comment: str
    order: str
    columns: tuple[ColumnDescription, ...]


def migrate(client: Any, address: ServerAddress, known: tuple[Migration, ...] | None = None) -> list[Migration]:
    """Bring the database to this version's schema; return the migrations that were applied now.

    Tables that are new, and those of the local store, get the settings' times to live. Safe to run by several processes
    at once: every statement can be run again. Raises ``StoreError`` if the database is of a newer version, if a
    migration is not the one that was applied, or if one is missing on a cluster.
    """
    wanted = migrations() if known is None else known
    missing = apply_missing(client, address, wanted)
    if address.is_local or len(missing) == len(wanted):
        with as_store_errors(address):
            keep_as_set(client, ONE_SERVER)
    return missing


def apply_missing(client: Any, address: ServerAddress, wanted: Sequence[Migration]) -> list[Migration]:
    """Apply those of the ``wanted`` migrations that are missing, and return them. Raises what ``migrate`` does.

    What another process applies meanwhile is left alone, as that one may already insert.
    """
    with as_store_errors(address):
        applied = applied_migrations(client)
        check_applied(applied, wanted, str(address))
        missing = [migration for migration in wanted if migration.number not in applied]
        if missing and applied:
            _refuse_cluster(client, address)
        for migration in missing:
            if migration.number not in applied_migrations(client):
                _apply(client, migration)
    return missing


def applied_migrations(client: Any) -> dict[int, tuple[str, str]]:
    """Return name and checksum of the applied migrations by number."""
    try:
        return {number: (name, checksum) for number, name, checksum in client.execute(_READ_APPLIED)}
    except Exception as error:
        if getattr(error, "code", None) == TABLE_NOT_FOUND:
            return {}
        raise


def check_applied(applied: dict[int, tuple[str, str]], wanted: Iterable[Migration], store: str) -> None:
    """Raise ``StoreError`` where a migration that was applied is not among the ``wanted`` ones, or is another one."""
    by_number = {migration.number: migration for migration in wanted}
    for number, (name, checksum) in applied.items():
        migration = by_number.get(number)
        if migration is None:
            raise StoreError(
                f"The store {store} is of a newer version of segwatch (it has {name}, which this version does not "
                "know); upgrade segwatch, or use another store."
            )
        if migration.checksum != checksum:
            raise StoreError(
                f"The store {store} was made with another {migration.name} than this version's; use the version of "
                "segwatch that made it, or another store."
            )


def _refuse_cluster(client: Any, address: ServerAddress) -> None:
    """Raise ``StoreError`` for the tables of a cluster, which statements for one server would spoil."""
    if cluster := read_layout(client).cluster:
        raise StoreError(
            f"The store {address} is a cluster with tables of an older version; upgrade them by `segwatch db migrate "
            f"--cluster {cluster}`."
        )


def make_functions(client: Any, known: Iterable[Migration] | None = None) -> None:
    """Make those functions of the migrations that the server lacks, as one where the database was restored does."""
    for migration in migrations() if known is None else known:
        for statement in migration.functions:
            client.execute(statement)


def _apply(client: Any, migration: Migration) -> None:
    for statement in migration.statements:
        client.execute(statement)
    client.execute(
        _RECORD,
        {"number": migration.number, "name": migration.name, "checksum": migration.checksum},
        settings={"insert_deduplicate": 1, "insert_deduplication_token": f"migration/{migration.number}"},
    )


def describe(client: Any, address: ServerAddress) -> list[TableDescription]:
    """Return the tables and views of the database that come from migrations, in the order of their making."""
    with as_store_errors(address):
        tables = client.execute(
            "SELECT name, engine, comment, sorting_key FROM system.tables WHERE database = %(database)s",
            {"database": address.database},
        )
        columns = client.execute(
            "SELECT table, name, type, default_kind, comment FROM system.columns WHERE database = %(database)s "
            "ORDER BY table, position",
            {"database": address.database},
        )
    by_table: dict[str, list[ColumnDescription]] = {}
    for table, *column in columns:
        by_table.setdefault(table, []).append(ColumnDescription(*column))
    found = {
        name: TableDescription(name, engine, comment, order, tuple(by_table.get(name, ())))
        for name, engine, comment, order in tables
    }
    return [found[name] for name in created_objects() if name in found]


def as_markdown(tables: list[TableDescription]) -> str:
    """Return the reference page of the schema."""
    lines = [
        "# The schema",
        "",
        "Made by `segwatch schema --markdown` from the migrations in `sinks/migrations`; do not edit it.",
        "",
        "Columns marked *alias* are computed when they are read: they are not part of `SELECT *`.",
        "",
        "| table | what it holds |",
        "| --- | --- |",
    ]
    shown = [table for table in tables if table.engine != "MaterializedView"]
    lines += [f"| [{table.name}](#{table.name}) | {table.comment} |" for table in shown]
    for table in shown:
        lines += ["", f"## {table.name}", "", f"{table.comment}.", ""]
        order = f", sorted by `{table.order}`" if table.order else ""
        kept = f" Kept for `{SETTING_OF[table.name]}` days." if table.name in SETTING_OF else ""
        lines += [f"{table.engine}{order}.{kept}", "", "| column | type | meaning |", "| --- | --- | --- |"]
        lines += [_markdown_row(column) for column in table.columns]
    fillers = [table for table in tables if table.engine == "MaterializedView"]
    lines += ["", "## Materialized views", ""]
    lines += [f"- `{table.name}`: {table.comment[0].lower()}{table.comment[1:]}." for table in fillers]
    return "\n".join(lines) + "\n"


def _markdown_row(column: ColumnDescription) -> str:
    kind = f" *{column.kind.lower()}*" if column.kind else ""
    return f"| `{column.name}` | `{column.type_name}`{kind} | {column.comment} |"
