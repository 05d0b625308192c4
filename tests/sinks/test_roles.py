"""TLS and users on a real server: each role may do what it must, and nothing else."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver.errors import ServerException

from segwatch.errors import StoreError, StoreUnavailableError, UsageError
from segwatch.jobs.status_store import StoreLook
from segwatch.settings import Settings
from sinks.connection import ServerAddress, connect, new_client, parse_store_url
from sinks.consumer.store_tables import StoreTables
from sinks.failures import ACCESS_DENIED
from sinks.migration_files import Migration, created_objects, migrations
from sinks.pruning import prune_session, prune_until
from sinks.querying import Querying
from sinks.retention import keep_as_set
from sinks.roles import STORE_ROLES, as_sql, as_xml, password_hash
from sinks.schema import migrate
from sinks.sizes import read_sizes, today
from sinks.writer import Origin, Writer
from tests.certificates import Authority
from tests.sinks.rows import some_findings, some_intervals, some_segments
from tests.sinks.secured import SecuredStore
from tests.support import REPOSITORY

ROWS = 500
READONLY = 164
TOO_MANY_ROWS_OR_BYTES = 396
TOO_MANY_ROWS = 158
SETTING_CONSTRAINT_VIOLATION = 452
DEPLOY = REPOSITORY / "deploy" / "clickhouse"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredStore]:
    """Give a server whose tables the user ``segwatch_migrate`` has made, and ``segwatch_write`` has filled."""
    folder = tmp_path_factory.mktemp("secured")
    store = SecuredStore(folder / "data", Authority(folder))
    store.start()
    store.make_tables()
    write(store.address("write"))
    yield store
    store.stop()


def write(address: ServerAddress) -> None:
    """Insert rows as the sink does."""
    client = connect(address)
    writer = Writer(client, address)
    origin = Origin("sensor", "00ff" * 8, datetime.now(UTC).date())
    writer.write_anomalies(some_segments(ROWS), some_findings(ROWS), origin, "1")
    writer.write_intervals(some_intervals(ROWS), origin, "1")
    writer.write_segments(some_segments(ROWS), origin, "1")
    client.disconnect()


def run(address: ServerAddress, statement: str, **settings: Any) -> list[tuple[Any, ...]]:
    """Run a statement."""
    client = new_client(address)
    try:
        rows: list[tuple[Any, ...]] = client.execute(statement, settings=settings)
        return rows
    finally:
        client.disconnect()


@pytest.mark.parametrize("role", ["read", "grafana", "migrate"])
def test_what_the_sink_stored_is_read_with_all_that_follows_from_it(secured: SecuredStore, role: str) -> None:
    address = secured.address(role)
    for table in ("anomalies", "intervals", "segments", "flows"):
        assert run(address, f"SELECT count() FROM {table}") == [(ROWS,)]
    for table in ("anomalies_1m", "traffic_1m", "connections"):
        assert run(address, f"SELECT count() > 0 FROM {table}") == [(1,)]


def test_the_programs_of_a_role_work_with_it(secured: SecuredStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.connection.settings", lambda: Settings(store_ca_file=str(secured.authority.ca_file)))
    for role in ("write", "read"):
        monkeypatch.setenv("SEGWATCH_STORE_PASSWORD_FILE", str(secured.password_file(role)))
        url = secured.environment(role)["SEGWATCH_STORE"]
        assert parse_store_url(url) == secured.address(role)
        if role == "write":
            assert StoreTables(url).open() == url
        else:
            assert StoreLook(url).seen()["rows"]["anomalies"] == ROWS
    asked = Querying(secured.address("read"))
    assert list(asked.run("SELECT count() FROM anomalies").rows) == [(ROWS,)]
    assert {"anomalies", "connections"} <= set(asked.tables())
    asked.close()


def test_the_migrating_role_keeps_measures_and_prunes(secured: SecuredStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.retention.settings", lambda: Settings(keep_sensors_days=30))
    address = secured.address("migrate")
    client = connect(address)
    assert [change.table for change in keep_as_set(client)] == ["sensors"]
    assert {size.table: size.rows for size in read_sizes(client, address)}["anomalies"] == ROWS
    prune_until(client, address, today() - timedelta(1))
    prune_session(client, address, "ab" * 16)
    client.disconnect()


def test_the_sink_reads_nothing_where_views_have_the_rights_of_who_made_them(tmp_path: Path) -> None:
    users = re.sub(r" *<query>GRANT SELECT ON segwatch\.(anomalies|intervals)</query>\n", "", as_xml())
    assert users != as_xml()
    store = SecuredStore(tmp_path / "data", Authority(tmp_path), users)
    try:
        store.start()
        store.make_tables()
        views = [name for name, kind in created_objects().items() if kind == "MATERIALIZED VIEW"]
        for view in views:
            run(store.address("migrate"), f"ALTER TABLE {view} MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER")
        write(store.address("write"))
        assert run(store.address("read"), "SELECT count() FROM flows") == [(ROWS,)]
        assert run(store.address("read"), "SELECT count() > 0 FROM anomalies_1m") == [(1,)]
        with pytest.raises(ServerException) as caught:
            run(store.address("write"), "SELECT count() FROM anomalies")
        assert caught.value.code == ACCESS_DENIED
    finally:
        store.stop()


READING = ("read", "grafana")
REFUSED = [
    *((role, statement) for role in READING for statement in (
        "INSERT INTO anomalies (frame) SELECT 1",
        "DROP TABLE anomalies",
        "DROP DATABASE segwatch",
        "TRUNCATE TABLE anomalies",
        "ALTER TABLE anomalies DELETE WHERE true",
        "DELETE FROM anomalies WHERE true",
        "CREATE TABLE own (x UInt8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE own (x UInt8) ENGINE = Memory",
        "CREATE FUNCTION own AS x -> x",
        "CREATE USER own",
        "SELECT * FROM system.parts",
        "SELECT * FROM system.processes",
        "SELECT * FROM system.users",
        "SELECT * FROM system.server_settings",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM remote('127.0.0.1:1', 'system.one')",
        "SYSTEM SHUTDOWN",
        "KILL QUERY WHERE true",
    )),
    *(("write", statement) for statement in (
        "SELECT * FROM segments",
        "SELECT * FROM sensors",
        "SELECT * FROM connections",
        "INSERT INTO captures (file_name) SELECT ''",
        "INSERT INTO schema_migrations (number) SELECT 99",
        "DELETE FROM anomalies WHERE true",
        "DROP TABLE anomalies",
        "CREATE TABLE own (x UInt8) ENGINE = Memory",
        "SELECT * FROM system.parts",
    )),
    *(("migrate", statement) for statement in (
        "CREATE DATABASE another",
        "CREATE USER own",
        "GRANT SELECT ON *.* TO segwatch_grafana",
        "SELECT * FROM system.users",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SYSTEM SHUTDOWN",
    )),
]  # fmt: skip


@pytest.mark.parametrize(("role", "statement"), REFUSED)
def test_a_role_is_refused_the_rest(secured: SecuredStore, role: str, statement: str) -> None:
    with pytest.raises(ServerException) as caught:
        run(secured.address(role), statement)
    assert caught.value.code in {ACCESS_DENIED, READONLY}, caught.value


@pytest.mark.parametrize("role", READING)
def test_limits_hold(secured: SecuredStore, role: str) -> None:
    address = secured.address(role)
    limits = next(one.limits for one in STORE_ROLES if one.name == role)
    names = [one.name for one in limits]
    found = run(address, f"SELECT {', '.join(f'getSetting({name!r})' for name in names)}")[0]
    assert dict(zip(names, map(int, found), strict=True)) == {one.name: one.value for one in limits}
    for one in limits:
        assert run(address, "SELECT 1", **{one.name: one.most}) == [(1,)]
        for value in (0, one.most + 1):
            with pytest.raises(ServerException) as caught:
                run(address, "SELECT 1", **{one.name: value})
            assert caught.value.code == SETTING_CONSTRAINT_VIOLATION, one
    with pytest.raises(ServerException) as caught:
        run(address, "SELECT 1", readonly=0)
    assert caught.value.code == READONLY
    with pytest.raises(ServerException) as caught:
        run(address, "SELECT frame FROM anomalies", max_result_rows=10)
    assert caught.value.code == TOO_MANY_ROWS_OR_BYTES
    with pytest.raises(ServerException) as caught:
        run(address, "SELECT count() FROM anomalies WHERE frame > 5", max_rows_to_read=10)
    assert caught.value.code == TOO_MANY_ROWS


def test_without_its_password_nobody_comes_in(secured: SecuredStore) -> None:
    for role in STORE_ROLES:
        address = replace(secured.address(role.name), password="wrong")  # noqa: S106  # that is the point
        with pytest.raises(StoreError, match="refused the user name or the password"):
            connect(address)


def test_a_sink_does_not_make_tables(secured: SecuredStore) -> None:
    address = secured.address("write")
    client = connect(address)
    migrate(client, address)  # all is there: nothing is done
    newer = Migration(9999, "9999_own.sql", "CREATE TABLE IF NOT EXISTS own (x UInt8) ENGINE = Memory;\n")
    with pytest.raises(StoreError, match=r"has not the rights .* tables are made and upgraded by one of its own"):
        migrate(client, address, (*migrations(), newer))
    client.disconnect()


def test_certificates_of_others_are_not_trusted(secured: SecuredStore, tmp_path: Path) -> None:
    address = secured.address("read")
    stranger = replace(address, ca_file=str(Authority(tmp_path, "a stranger").ca_file))
    with pytest.raises(StoreError, match=r"The certificate of the store .* is not trusted \(.*SEGWATCH_STORE_CA_FILE"):
        connect(stranger)
    with pytest.raises(StoreError, match=r"is not trusted \(IP address mismatch"):
        connect(replace(address, host="127.0.0.1"))


def test_the_wrong_protocol_gets_a_sentence(secured: SecuredStore) -> None:
    address = secured.address("read")
    with pytest.raises(StoreUnavailableError, match="by clickhouses:// where it speaks TLS"):
        connect(replace(address, secure=False))
    plain = secured.local.status().tcp_port
    assert plain is not None
    with pytest.raises(StoreUnavailableError, match="cannot be reached"):
        connect(replace(address, port=plain))


def test_a_file_of_certificates_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.connection.settings", lambda: Settings(store_ca_file="missing.pem"))
    with pytest.raises(UsageError, match=r"the setting store_ca_file names missing\.pem, which cannot be read"):
        parse_store_url("clickhouses://db/segwatch")
    assert not parse_store_url("clickhouse://db/segwatch").secure


def segwatch(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    return subprocess.run(
        [sys.executable, "-m", "segwatch", *arguments],
        capture_output=True,
        text=True,
        env=dict(os.environ),
        check=False,
    )


def test_what_is_deployed_is_what_is_printed() -> None:
    assert segwatch("db", "grants").stdout == as_sql() == (DEPLOY / "grants.sql").read_text("utf-8")
    assert segwatch("db", "grants", "--xml").stdout == as_xml() == (DEPLOY / "users.xml").read_text("utf-8")


def test_every_statement_is_sql(secured: SecuredStore, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("the word of the sink\n")
    done = segwatch("db", "grants", "--database", "other", "--password-file", f"write={secret}")
    assert "the word" not in done.stdout
    digest = password_hash("the word of the sink")
    assert f"CREATE USER OR REPLACE segwatch_write IDENTIFIED WITH sha256_hash BY '{digest}'" in done.stdout
    statements = [one for one in done.stdout.split(";\n") if one]
    assert len(statements) > len(STORE_ROLES)
    for statement in statements:
        assert "segwatch." not in statement
        assert run(secured.address("read"), f"SELECT formatQuerySingleLine($${statement}$$)")[0][0].startswith(
            statement.split(" ")[0]
        )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--password-file", "boss=x"), "--password-file takes ROLE=FILE"),
        (("--password-file", "read=no-such-file"), "cannot be read"),
        (("--password-file", f"read={os.devnull}"), "is empty"),
        (("--xml", "--password-file", f"read={os.devnull}"), "--xml takes no --password-file"),
        (("--database", "a;b"), "other characters than letters"),
    ],
)
def test_wrong_use_gets_a_sentence(arguments: tuple[str, ...], words: str) -> None:
    done = segwatch("db", "grants", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
