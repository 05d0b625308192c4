"""The job behind ``segwatch db migrate``."""

from typing import Any

import click

from sinks.cluster import cluster_of, migrate_cluster
from sinks.connection import DEFAULT_DATABASE, ServerAddress, as_store_errors, connect, parse_store_url
from sinks.migration_files import Migration, migrations
from sinks.retention import Change, keep_as_set
from sinks.schema import apply_missing, make_functions
from sinks.store import LOCAL, store_address


def migrate_store(store: str, cluster: str | None) -> None:
    """Bring a store to this version's schema and to the settings' times to live, and say what was done.

    Raises ``StoreError`` or ``UsageError``.
    """
    address = store_address(store)
    client: Any = connect(address)
    try:
        if cluster is None:
            applied, changes = _migrate_server(client, address)
        else:
            applied, changes = migrate_cluster(client, address, cluster_of(cluster, address.database))
    finally:
        client.disconnect()
    for migration in applied:
        click.echo(f"Applied {migration.name}.")
    for change in changes:
        click.echo(f"{change.table}: {_kept(change)}.")
    if not applied and not changes:
        click.echo(f"The store {address} is as it must be.")


def _migrate_server(client: Any, address: ServerAddress) -> tuple[list[Migration], list[Change]]:
    """Return the migrations that were applied, and the new times to live of tables that had others."""
    applied = apply_missing(client, address, migrations())
    with as_store_errors(address):
        make_functions(client)
        changes = keep_as_set(client)
    is_new = len(applied) == len(migrations())
    return applied, [] if is_new else changes


def print_statements(store: str, cluster: str) -> None:
    """Print the statements that make the schema on a cluster, without asking the store. Raises ``UsageError``."""
    database = DEFAULT_DATABASE if store == LOCAL else parse_store_url(store, password="").database
    for statement in cluster_of(cluster, database).everything():
        click.echo(f"{statement};\n")


def _kept(change: Change) -> str:
    def text(days: int) -> str:
        return f"{days} days" if days else "for ever"

    return f"rows are kept {text(change.after)}, not {text(change.before)}"
