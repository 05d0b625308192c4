"""One local server for the tests of a process, and a database of its own for each test."""

import secrets
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sinks.connection import ServerAddress, new_client
from sinks.local_server import LocalServer
from sinks.store import Store


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerAddress]:
    """Start a local server in a temporary folder, and stop it in the end."""
    local = LocalServer(tmp_path_factory.mktemp("local"))
    yield local.wait_ready()
    local.stop()


@pytest.fixture
def address(server: ServerAddress) -> Iterator[ServerAddress]:
    """Give the address of a database that does not exist yet, and drop it in the end."""
    address = replace(server, database=f"test_{secrets.token_hex(6)}")
    yield address
    client = new_client(server, database="")
    client.execute(f"DROP DATABASE IF EXISTS {address.database} SYNC")
    client.disconnect()


@pytest.fixture
def store(address: ServerAddress) -> Iterator[Store]:
    """Give an open, empty store."""
    with Store(address) as opened:
        yield opened
