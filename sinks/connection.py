"""Where a store is, and connections to it."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from clickhouse_driver import Client
from clickhouse_driver.errors import Error, ServerException

from segwatch.certificates import tls_context
from segwatch.errors import StoreError, UsageError
from segwatch.passwords import configured_password, without_password
from segwatch.settings import settings
from sinks.failures import DATABASE_NOT_FOUND, store_error

DEFAULT_DATABASE = "segwatch"
DEFAULT_PORT = 9000
DEFAULT_SECURE_PORT = 9440
CONNECT_SECONDS = 5
ANSWER_SECONDS = 300

# A library speaks through exceptions; without a handler of its own Python would print its warnings on stderr.
logging.getLogger("clickhouse_driver").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class ServerAddress:
    """A database on a ClickHouse server (native protocol)."""

    host: str
    port: int
    user: str = "default"
    password: str = field(default="", repr=False)
    database: str = DEFAULT_DATABASE
    secure: bool = False
    """Whether connections are encrypted, and the server's certificate verified."""
    ca_file: str = ""
    """Certificates by which that is done; empty: those that this machine trusts."""
    is_local: bool = False
    """Whether it is the local server: the way to it is short, so nothing is compressed on it."""

    def __str__(self) -> str:
        """Return the name of the store for people: never with a password."""
        if self.is_local:
            return "on this machine"
        scheme = "clickhouses" if self.secure else "clickhouse"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{self.user}@{host}:{self.port}/{self.database}"


def parse_store_url(url: str, password: str | None = None) -> ServerAddress:
    """Return the address in ``clickhouse://user@host:port/database``; ``clickhouses://`` means TLS.

    Without ``password`` it is the one that the settings say. Raises ``UsageError`` for any other form, and where what
    the settings say of password and certificates cannot be used.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # The words of the error may quote a part of a password.
        _refuse_url(url, "its host or its port is none; odd characters in a name are written as %40 and the like")
    if parts.scheme not in {"clickhouse", "clickhouses"} or not parts.hostname:
        _refuse_url(url, "it must look like clickhouse://user@host:port/database")
    if parts.password is not None:
        raise UsageError("A password does not belong into the store's URL; put it into SEGWATCH_STORE_PASSWORD.")
    if parts.query or parts.fragment:
        _refuse_url(url, "nothing may follow the database")
    secure = parts.scheme == "clickhouses"
    ca_file = settings().store_ca_file if secure else ""
    if secure:
        tls_context(ca_file, "store_ca_file")  # the library would take a missing file for a server that does not answer
    return ServerAddress(
        host=parts.hostname,
        port=port or (DEFAULT_SECURE_PORT if secure else DEFAULT_PORT),
        user=unquote(parts.username or "default"),
        password=configured_password("store_password") if password is None else password,
        database=_database(url, parts),
        secure=secure,
        ca_file=ca_file,
    )


def _refuse_url(url: str, reason: str) -> NoReturn:
    raise UsageError(f"The store {without_password(url)!r} is not understood: {reason}.")


def _database(url: str, parts: SplitResult) -> str:
    name = unquote(parts.path.removeprefix("/")) or DEFAULT_DATABASE
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        _refuse_url(url, "the database's name may hold letters, digits and _ only")
    return name


def new_client(address: ServerAddress, database: str | None = None) -> Any:
    """Return a client that connects at its first statement."""
    return Client(
        address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        database=address.database if database is None else database,
        secure=address.secure,
        ca_certs=address.ca_file or None,
        compression=False if address.is_local else "lz4",
        client_name="segwatch",
        connect_timeout=CONNECT_SECONDS,
        send_receive_timeout=ANSWER_SECONDS,
    )


def connect(address: ServerAddress, create: bool = True) -> Any:
    """Return a connected client; with ``create`` the database is made where it is missing. Raises ``StoreError``."""
    client = new_client(address)
    try:
        client.execute("SELECT 1")
    except ServerException as error:
        if error.code != DATABASE_NOT_FOUND or not create:
            raise store_error(error, str(address)) from error
        with as_store_errors(address):
            _create_database(address)
            client.execute("SELECT 1")
    except (Error, OSError, EOFError) as error:
        raise store_error(error, str(address)) from error
    return client


def _create_database(address: ServerAddress) -> None:
    client = new_client(address, database="")
    try:
        client.execute(
            f"CREATE DATABASE IF NOT EXISTS {address.database} COMMENT 'Findings of segwatch, which created it'"
        )
    finally:
        client.disconnect()


@contextmanager
def as_store_errors(address: ServerAddress) -> Iterator[None]:
    """Turn errors of the server and of the connection into ``StoreError``."""
    try:
        yield
    except StoreError:
        raise
    except (Error, OSError, EOFError) as error:
        raise store_error(error, str(address)) from error
