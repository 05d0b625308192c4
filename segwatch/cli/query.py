"""``segwatch query``: statements against the store."""

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sinks.querying import Querying

FORMATS = ("table", "csv", "tsv", "json", "jsonl")


@click.command(name="query")
@click.argument("sql", required=False)
@click.option("--store", metavar="local|URL", help="Which store [local].")
@click.option(
    "--format", "format_name", type=click.Choice(FORMATS), help="Form of the rows [table on a terminal, else tsv]."
)
def command(sql: str | None, store: str | None, format_name: str | None) -> None:
    """Ask the store in SQL (ClickHouse's dialect). Without SQL, on a terminal: a prompt.

    With - in place of SQL the statement comes from standard input. `segwatch schema` lists the tables.

    \b
    Examples:
      segwatch query "SELECT * FROM connections ORDER BY retransmissions DESC"
      segwatch query --format csv "SELECT ts, label_names FROM anomalies" > a.csv
      segwatch query - < statement.sql
      segwatch query

    Exit codes: 0 done, 1 the statement was refused, 2 wrong use, 5 the store failed.
    """  # noqa: D301  # click wants the escape character itself
    from segwatch.cli.results import write_result
    from segwatch.errors import UsageError
    from segwatch.settings import settings
    from sinks.querying import Querying
    from sinks.store import store_address

    if sql is None and not sys.stdin.isatty():
        sql = "-"
    statement = sys.stdin.read() if sql == "-" else sql
    if statement is not None:
        statement = statement.strip().rstrip(";").rstrip()
        if not statement:
            raise UsageError("There is no SQL statement to run.")
    chosen = store or settings().store
    if chosen == "none":
        raise UsageError("There is nothing to ask: the setting `store` is none; name a store with --store.")
    querying = Querying(store_address(chosen))
    try:
        if statement is None:
            _prompt(querying, format_name or "table")
        else:
            write_result(querying.run(statement), format_name or ("table" if sys.stdout.isatty() else "tsv"))
    finally:
        querying.close()


def _prompt(querying: "Querying", format_name: str) -> None:
    from segwatch.cli.prompt import run_prompt

    run_prompt(querying, format_name)
