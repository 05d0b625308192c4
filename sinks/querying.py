"""Running statements of people against a store: rows come as a stream, errors as one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from clickhouse_driver.errors import Error, ServerException, UnknownTypeError

from sinks.connection import ServerAddress, as_store_errors, connect
from sinks.exact_times import use_exact_times
from sinks.failures import (
    ACCESS_DENIED,
    AUTHENTICATION_FAILED,
    CANNOT_WRITE_TO_FILE,
    NOT_ENOUGH_SPACE,
    QueryError,
    server_message,
    store_error,
)
from sinks.schema import migrate
from sinks.sessions import clear_abandoned

_STORE_CODES = frozenset({ACCESS_DENIED, AUTHENTICATION_FAILED, CANNOT_WRITE_TO_FILE, NOT_ENOUGH_SPACE})


class Result(NamedTuple):
    """Names and types of the columns, and the rows, which come while the server works."""

    columns: list[tuple[str, str]]
    rows: Iterator[tuple[Any, ...]]


class Querying:
    """A connection for statements of people. Errors: ``QueryError`` (the statement), ``StoreError`` (the store)."""

    def __init__(self, address: ServerAddress) -> None:
        self.address = address
        self._client = connect(address, create=address.is_local)
        if address.is_local:
            migrate(self._client, address)  # an empty store has its tables, too
            with as_store_errors(address):
                clear_abandoned(self._client)  # half a session of a command that was killed would be counted
        use_exact_times(self._client)

    def run(self, statement: str) -> Result:
        """Run one statement. The rows must be taken before the next one is run."""
        with self._sentences():
            rows = iter(self._client.execute_iter(statement, with_column_types=True))
            columns: list[tuple[str, str]] = next(rows, [])
        return Result(columns, self._rows(rows))

    def tables(self) -> dict[str, list[tuple[str, str, str]]]:
        """Return name, type and comment of the columns of every table of the database."""
        with self._sentences():
            found = self._client.execute(
                "SELECT table, name, type, comment FROM system.columns WHERE database = currentDatabase() "
                "ORDER BY table, position"
            )
        tables: dict[str, list[tuple[str, str, str]]] = {}
        for table, *column in found:
            tables.setdefault(table, []).append((column[0], column[1], column[2]))
        return tables

    def cancel(self) -> None:
        """End a statement whose rows are not all taken; the server stops working on it."""
        self._client.disconnect()

    close = cancel

    def _rows(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        with self._sentences():
            yield from rows

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except ServerException as error:
            self._client.disconnect()
            if error.code in _STORE_CODES:
                raise store_error(error, str(self.address)) from error
            raise QueryError(f"The server refused the statement: {server_message(error)}.") from error
        except UnknownTypeError as error:
            self._client.disconnect()
            kind = server_message(error).removeprefix("Unknown type ")
            raise QueryError(
                f"The statement gives a column of the type {kind}, which cannot be shown: end it in the statement, as "
                "with uniqMerge(column), toString(column) or * EXCEPT column (segwatch schema tells the columns)."
            ) from error
        except (Error, OSError, EOFError) as error:
            self._client.disconnect()
            raise store_error(error, str(self.address)) from error
