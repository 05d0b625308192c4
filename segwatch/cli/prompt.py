"""The prompt of ``segwatch query``."""

import os

import click
from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from segwatch.cli.results import write_result
from segwatch.errors import SegwatchError
from segwatch.settings import settings
from sinks.querying import Querying

HELP = """Statements end with a semicolon; Enter before it begins another line.
  \\d           list the tables            \\d TABLE   list the columns of a table
  \\?           this help                  \\q         leave (or Ctrl-D)
Ctrl-C cancels a statement that is typed or runs. Tab completes tables, columns and keywords."""
KEYWORDS = (
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "LIMIT BY", "DISTINCT", "AS", "AND", "OR",
    "NOT", "IN", "BETWEEN", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL", "JOIN", "LEFT JOIN", "ON", "USING", "UNION ALL",
    "WITH", "DESC", "ASC", "FINAL", "ARRAY JOIN", "INTERVAL", "CASE", "WHEN", "THEN", "ELSE", "END", "EXPLAIN",
    "count()", "sum(", "avg(", "min(", "max(", "uniq(", "uniqMerge(", "quantile(0.99)(", "has(", "toStartOfMinute(",
    "toStartOfHour(", "toDateTime(", "now()",
)  # fmt: skip


def run_prompt(querying: Querying, format_name: str) -> None:
    """Read statements and run them until the user leaves. Raises ``StoreError`` if the tables cannot be read."""
    tables = querying.tables()
    session: PromptSession[str] = PromptSession(
        "segwatch> ",
        history=_history(),
        completer=_completer(tables),
        complete_while_typing=False,
        multiline=True,
        prompt_continuation="       -> ",
        key_bindings=_key_bindings(),
    )
    click.echo(f"Store {querying.address}; \\? helps, Ctrl-D leaves.")
    while True:
        try:
            text = session.prompt().strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if text.rstrip(";") in {"\\q", "exit", "quit"}:
            return
        if text.startswith("\\"):
            click.echo(_answer(text, tables))
        elif text.rstrip("; \n"):
            _run(querying, text.rstrip("; \n"), format_name)
            tables = querying.tables() if _changes_tables(text) else tables
            session.completer = _completer(tables)


def is_complete(text: str) -> bool:
    """Return whether Enter after this text runs it."""
    stripped = text.strip()
    return not stripped or stripped.endswith(";") or stripped.startswith("\\") or stripped in {"exit", "quit"}


def _run(querying: Querying, statement: str, format_name: str) -> None:
    try:
        write_result(querying.run(statement), format_name)
    except SegwatchError as error:
        click.echo(str(error), err=True)
    except KeyboardInterrupt:
        querying.cancel()
        click.echo("Cancelled.", err=True)


def _changes_tables(statement: str) -> bool:
    return statement.lstrip().lower().startswith(("create", "drop", "alter", "rename", "use"))


def _answer(text: str, tables: dict[str, list[tuple[str, str, str]]]) -> str:
    name, _, rest = text.rstrip(";").partition(" ")
    wanted = rest.strip()
    if name != "\\d":
        return HELP
    if not wanted:
        return "\n".join(sorted(tables))
    if wanted not in tables:
        return f"There is no table {wanted!r}; \\d lists them."
    width = max(len(column) for column, _, _ in tables[wanted])
    return "\n".join(f"{column:{width}}  {comment or type_name}" for column, type_name, comment in tables[wanted])


def _completer(tables: dict[str, list[tuple[str, str, str]]]) -> WordCompleter:
    columns = {column for described in tables.values() for column, _, _ in described}
    return WordCompleter([*sorted(tables), *sorted(columns), *KEYWORDS], ignore_case=True)


def _history() -> History:
    path = settings().data_dir / "query-history"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    except OSError:
        return InMemoryHistory()  # a history that cannot be kept is no reason not to answer
    return FileHistory(str(path))


def _key_bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    return bindings
