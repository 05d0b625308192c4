"""``segwatch schema``: the tables of the store."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sinks.schema import TableDescription


@click.command(name="schema")
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@click.option("--store", metavar="local|URL", help="Which store [local].")
@click.option("--markdown", is_flag=True, help="Print the reference page of the schema.")
def command(tables: tuple[str, ...], store: str | None, markdown: bool) -> None:
    r"""Show the tables of the store, their columns and what these mean; make or upgrade them where needed.

    \b
    Examples:
      segwatch schema                              all tables
      segwatch schema anomalies flows              these two
      segwatch schema --store clickhouse://segwatch@db.example/segwatch
      segwatch schema --markdown > docs/schema.md

    Exit codes: 0 done, 2 no such table, 5 the store failed or is of a newer version.
    """
    from segwatch.errors import UsageError
    from segwatch.settings import settings
    from sinks.schema import as_markdown, describe
    from sinks.store import open_store

    with open_store(store or settings().store) as opened:
        described = describe(opened.client, opened.address)
    known = {table.name: table for table in described}
    for name in tables:
        if name not in known:
            raise UsageError(f"There is no table {name!r}; there are {', '.join(known)}.")
    chosen = [known[name] for name in tables] or described
    if markdown:
        click.echo(as_markdown(chosen), nl=False)
    else:
        click.echo("\n\n".join(_text(table) for table in chosen))


def _text(table: "TableDescription") -> str:
    lines = [f"{table.name}: {table.comment} ({table.engine})"]
    if table.columns and table.engine != "MaterializedView":
        name_width = max(len(column.name) for column in table.columns)
        type_width = max(len(_short(column.type_name)) for column in table.columns)
        lines += [
            f"  {column.name:{name_width}}  {_short(column.type_name):{type_width}}  {column.comment}"
            for column in table.columns
        ]
    return "\n".join(lines)


def _short(type_name: str) -> str:
    """Return the name of a type without the list of an enumeration's values."""
    return "Enum8" if type_name.startswith("Enum8(") else type_name
