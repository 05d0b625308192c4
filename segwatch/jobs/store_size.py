"""The job behind ``segwatch db size``."""

import json
from typing import Any

import click

from segwatch import __version__
from segwatch.jobs.lines import size_text, table_lines
from sinks.connection import connect
from sinks.schema import migrate
from sinks.sizes import TableSize, read_sizes
from sinks.store import store_address

_TITLES = ("table", "rows", "on disk", "a row", "parts", "oldest", "newest", "kept", "goes next")
_RIGHT = (1, 2, 3, 4, 7)


def show_sizes(store: str, *, as_json: bool) -> None:
    """Print how much room each table of a store takes. Raises ``StoreError`` or ``UsageError``."""
    address = store_address(store)
    client: Any = connect(address, create=address.is_local)
    try:
        if address.is_local:
            migrate(client, address)
        sizes = read_sizes(client, address)
    finally:
        client.disconnect()
    if as_json:
        document = {
            "segwatch": __version__,
            "store": str(address),
            "rows": sum(size.rows for size in sizes),
            "bytes": sum(size.bytes for size in sizes),
            "tables": [_document(size) for size in sizes],
        }
        click.echo(json.dumps(document, indent=2))
        return
    rows = [_TITLES, *(_row(size) for size in sizes if size.rows)]
    if len(rows) > 1:
        click.echo("\n".join(table_lines(rows, _RIGHT)))
    total = sum(size.bytes for size in sizes)
    click.echo(f"The store {address} holds {sum(size.rows for size in sizes):,} rows, {size_text(total)} on disk.")


def _document(size: TableSize) -> dict[str, Any]:
    return {
        "table": size.table,
        "rows": size.rows,
        "bytes": size.bytes,
        "bytes_per_row": size.bytes / size.rows if size.rows else None,
        "parts": size.parts,
        "oldest": size.oldest and str(size.oldest),
        "newest": size.newest and str(size.newest),
        "keep_days": size.keep_days,
        "next": size.next and {"on": str(size.next.on), "rows": size.next.rows, "bytes": size.next.bytes},
    }


def _row(size: TableSize) -> tuple[str, ...]:
    kept = "own rule" if size.keep_days is None else f"{size.keep_days} d" if size.keep_days else "for ever"
    goes = f"{size_text(size.next.bytes)} on {size.next.on}" if size.next else ""
    return (
        size.table,
        f"{size.rows:,}",
        size_text(size.bytes),
        f"{size.bytes / size.rows:.1f}",
        f"{size.parts:,}",
        str(size.oldest or ""),
        str(size.newest or ""),
        kept,
        goes,
    )
