"""What was inserted is known again after a start of ClickHouse, by the tables and by all that their views fill."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from sinks.connection import ServerAddress, new_client
from sinks.local_server import LocalServer
from sinks.migration_files import created_objects
from sinks.store import Store
from sinks.writer import Origin, Writer
from tests.sinks.killing import kill
from tests.sinks.rows import some_findings, some_intervals, some_segments, some_verdicts
from tests.support import REPOSITORY

ROWS = 31
ORIGIN = Origin("edge", "ab" * 16, date(2026, 11, 27))
SECURITY = REPOSITORY / "docs" / "security.md"
_MADE = "SELECT create_table_query FROM system.tables WHERE engine = 'MaterializedView' AND database = %(name)s"
VIEWS = [name for name, kind in created_objects().items() if kind == "MATERIALIZED VIEW"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    """Give a server of the test's own that has the tables since its last start."""
    one = LocalServer(tmp_path)
    with Store(one.wait_ready()):
        yield one
    one.stop()


def _insert(address: ServerAddress) -> dict[str, int]:
    """Insert blocks as a sink does; return how many rows all tables have that are filled by views."""
    client = new_client(address)
    try:
        writer = Writer(client, address)
        writer.write_anomalies(some_segments(ROWS), some_findings(ROWS), ORIGIN, "anomalies")
        writer.write_intervals(some_intervals(ROWS), ORIGIN, "intervals")
        writer.write_verdicts(some_verdicts(ROWS), ORIGIN, "verdicts")
        # Rows of one key are not merged before their parts are.
        made = client.execute(_MADE, {"name": address.database})
        filled = {re.findall(r" TO \w+\.(\w+)", query)[0] for (query,) in made}
        tables = sorted({"anomalies", "intervals", "verdicts", *filled})
        return {table: client.execute(f"SELECT count() FROM {table}")[0][0] for table in tables}
    finally:
        client.disconnect()


def _execute(address: ServerAddress, statement: str) -> None:
    client = new_client(address)
    client.execute(statement)
    client.disconnect()


def test_after_the_first_start_that_follows_the_making_of_the_tables(server: LocalServer, tmp_path: Path) -> None:
    before = _insert(server.wait_ready())
    assert {"flows", "hosts_1m"} < before.keys()
    assert all(before.values())
    kill(tmp_path)
    assert _insert(LocalServer(tmp_path).wait_ready()) == before


def test_after_views_were_given_the_rights_of_who_made_them(server: LocalServer, tmp_path: Path) -> None:
    """As the documents say it."""
    told = re.search(r"\n\n((?:    .*\n)+)\nand then take the two grants", SECURITY.read_text("utf-8"))
    assert told is not None
    for view in VIEWS:
        for statement in told[1].replace("anomalies_to_1m", view).strip().splitlines():
            _execute(server.wait_ready(), statement.strip().rstrip(";").replace("segwatch.", ""))
    before = _insert(server.wait_ready())
    kill(tmp_path)
    assert _insert(LocalServer(tmp_path).wait_ready()) == before
