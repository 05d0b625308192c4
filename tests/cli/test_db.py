"""``segwatch db migrate``, ``size`` and ``prune`` as a user runs them."""

import json
import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from segwatch.cli import main
from segwatch.settings import settings
from sinks.connection import ServerAddress
from sinks.local_server import LocalServer
from sinks.migration_files import migrations
from sinks.sizes import today
from sinks.spool import FindingSpool
from sinks.store import Store
from sinks.writer import Origin, Writer
from tests.sinks.rows import FACTS, some_findings, some_intervals, some_segments

SESSION = "0123456789abcdef" * 2
STREAMED = "00ff" * 8
AGE = timedelta(40)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """Start one local server for all tests."""
    server = LocalServer(tmp_path_factory.mktemp("user"))
    server.wait_ready()
    yield server
    server.stop()


@pytest.fixture
def address(local: LocalServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerAddress]:
    """Give a store with a capture of today and rows of a sensor that are forty days old; nothing else is in it."""
    monkeypatch.setenv("SEGWATCH_DATA_DIR", str(local.directory))
    monkeypatch.setenv("SEGWATCH_CONFIG", "/dev/null")
    settings.cache_clear()
    address = local.wait_ready()
    with FindingSpool() as spool, Store(address) as store:
        spool.add_anomalies(some_segments(50), some_findings(50))
        spool.add_intervals(some_intervals(40))
        store.store_session(SESSION, "here", spool, FACTS)
        origin = Origin("edge", STREAMED, today() - AGE)
        Writer(store.client, address).write_anomalies(some_segments(20), some_findings(20), origin, "old")
        yield address
        store.client.execute("DROP DATABASE segwatch SYNC")
        store.client.disconnect()
    settings.cache_clear()


def _run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Run ``segwatch db``; return what it says, on standard error where it fails."""
    capsys.readouterr()
    done = main.run(["db", *arguments])
    captured = capsys.readouterr()
    assert done == code, captured.err
    return captured.err if code else captured.out


def test_size(address: ServerAddress, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(_run(capsys, "size", "--json"))
    tables = {table["table"]: table for table in document["tables"]}
    found = tables["anomalies"]
    assert (found["rows"], found["oldest"], found["newest"]) == (70, str(today() - AGE), str(today()))
    assert (found["keep_days"], found["next"]["on"]) == (90, str(today() + timedelta(50)))
    assert found["bytes_per_row"] == found["bytes"] / 70
    assert document["bytes"] == sum(table["bytes"] for table in tables.values()) > 0
    text = _run(capsys, "size")
    assert text.splitlines()[0].split() == [
        "table", "rows", "on", "disk", "a", "row", "parts", "oldest", "newest", "kept", "goes", "next",
    ]  # fmt: skip
    assert f" on {today() + timedelta(50)}\n" in text
    assert text.splitlines()[-1].startswith(f"The store on this machine holds {document['rows']:,} rows, ")


def test_prune_by_age(address: ServerAddress, capsys: pytest.CaptureFixture[str]) -> None:
    before = json.loads(_run(capsys, "size", "--json"))
    said = _run(capsys, "prune", "--older-than", "30d", "--dry-run")
    assert f"{today() - AGE}" in said
    assert "Would remove " in said
    assert json.loads(_run(capsys, "size", "--json")) == before
    document = json.loads(_run(capsys, "prune", "--older-than", "30d", "--yes", "--json"))
    assert [(one["table"], one["days"]) for one in document["tables"]] == [
        (table, [str(today() - AGE)]) for table in ("anomalies", "anomalies_1m")
    ]
    assert (document["captures"], document["older_than_days"], document["dry_run"]) == (0, 30, False)
    assert _run(capsys, "prune", "--older-than", "30d", "--yes") == "Removed 0 rows.\n"
    assert json.loads(_run(capsys, "size", "--json"))["tables"][3]["oldest"] == str(today())


def test_prune_of_a_session(address: ServerAddress, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("prune", "--session", SESSION.upper(), "--table", "anomalies", "--table", "intervals")
    assert "Would remove 90 rows.\n" in _run(capsys, *command, "--dry-run")
    assert _run(capsys, *command, "--yes") == "Removed 90 rows.\n"
    assert ", 1 capture among them.\n" in _run(capsys, "prune", "--session", SESSION, "--yes")
    assert _run(capsys, "prune", "--session", SESSION, "--yes") == "Removed 0 rows.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--table", "anomalies"], "say which"),
        (["--older-than", "1d", "--session", SESSION], "say which"),
        (["--older-than", "36h"], "must be whole days"),
        (["--older-than", "0d"], "must be whole days, at least one"),
        (["--older-than", "soon"], "'soon' is no duration"),
        (["--session", "7"], "is not a session"),
        (["--older-than", "1d", "--table", "captures"], "'captures' is not one of"),
        (["--older-than", "30d"], "nobody can be asked here: say --yes"),
    ],
)
def test_wrong_use_of_prune(
    arguments: list[str], words: str, address: ServerAddress, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads(_run(capsys, "size", "--json"))
    assert words in _run(capsys, "prune", *arguments, code=2)
    assert json.loads(_run(capsys, "size", "--json")) == before


def test_migrate(
    address: ServerAddress, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, local: LocalServer
) -> None:
    assert _run(capsys, "migrate") == "The store on this machine is as it must be.\n"
    url = f"clickhouse://{address.user}@{address.host}:{address.port}/segwatch"
    monkeypatch.setenv("SEGWATCH_STORE_PASSWORD_FILE", str(local.files.password_file))
    monkeypatch.setenv("SEGWATCH_KEEP_ANOMALIES_DAYS", "30")
    monkeypatch.setenv("SEGWATCH_KEEP_SEGMENTS_DAYS", "0")
    settings.cache_clear()
    said = _run(capsys, "migrate", "--store", url)
    assert said.splitlines() == [
        "anomalies: rows are kept 30 days, not 90 days.", "segments: rows are kept for ever, not 7 days.",
    ]  # fmt: skip
    assert "is as it must be" in _run(capsys, "migrate", "--store", url)
    assert "knows no cluster main" in _run(capsys, "migrate", "--store", url, "--cluster", "main", code=5)
    other = f"{url}_{secrets.token_hex(6)}"
    for command in (("size",), ("prune", "--older-than", "3d", "--dry-run")):
        assert "does not exist" in _run(capsys, *command, "--store", other, code=5)
    said = _run(capsys, "migrate", "--store", other)
    assert said.splitlines() == [f"Applied {migration.name}." for migration in migrations()]
    monkeypatch.setenv("SEGWATCH_KEEP_ANOMALIES_DAYS", "20")
    settings.cache_clear()
    assert _run(capsys, "migrate") == "anomalies: rows are kept 20 days, not 30 days.\n"


def test_statements_for_a_cluster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are printed without a store."""
    said = _run(capsys, "migrate", "--store", "clickhouse://db.example/tcp", "--cluster", "{cluster}", "--print")
    assert said.startswith("CREATE DATABASE IF NOT EXISTS tcp ON CLUSTER '{cluster}' COMMENT ")
    assert "ALTER TABLE tcp.flows_local ON CLUSTER '{cluster}' MODIFY TTL stored + toIntervalDay(400);\n" in said
    assert "--cluster only" in _run(capsys, "migrate", "--print", code=2)
