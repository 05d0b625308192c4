"""Passwords stand in no option, no help and no message."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from segwatch.cli.main import COMMANDS, root
from segwatch.errors import UsageError
from segwatch.kafka.address import parse_address
from segwatch.passwords import without_password
from sinks.connection import parse_store_url

SECRET = "the-secret-of-this-test"  # noqa: S105  # of nobody
VARIABLES = {
    "SEGWATCH_KAFKA": "127.0.0.1:1",
    "SEGWATCH_KAFKA_SECURITY": "sasl_plaintext",
    "SEGWATCH_KAFKA_USER": "edge-1",
    "SEGWATCH_KAFKA_PASSWORD": SECRET,
    "SEGWATCH_STORE": "clickhouse://segwatch_read@127.0.0.1:1/segwatch",
    "SEGWATCH_STORE_PASSWORD": SECRET,
}


def _every_command(
    group: click.Command, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield words, group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            child = group.get_command(context, name)
            assert child is not None
            yield from _every_command(child, (*words, name))


def test_no_option_takes_a_password() -> None:
    options = [option for _, one in _every_command(root) for parameter in one.params for option in parameter.opts]
    named = [option for option in options if any(word in option for word in ("password", "secret", "token", "key"))]
    assert len(options) > len(COMMANDS)
    assert {option for option in named if not option.endswith(("-file", "-key"))} == set()


def test_no_help_shows_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    for words, one in _every_command(root):
        context = click.Context(one, info_name=" ".join(words), auto_envvar_prefix="SEGWATCH")
        assert SECRET not in one.get_help(context)


@pytest.mark.parametrize(
    "arguments",
    [
        ("doctor", "--json"),
        ("status", "--json"),
        ("topics", "check"),
        ("topics", "acls"),
        ("query", "SELECT 1"),
        ("sensor", "--check", "--read", os.devnull),
    ],
)
def test_no_message_shows_one(arguments: tuple[str, ...], tmp_path: Path) -> None:
    variables = {**os.environ, **VARIABLES, "SEGWATCH_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "segwatch", *arguments], capture_output=True, text=True, env=variables, check=False
    )
    assert done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_a_password_of_another_kind_is_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "segwatch.toml"
    path.write_text("kafka_password = 123454321\n")
    done = subprocess.run(
        [sys.executable, "-m", "segwatch", "doctor"], capture_output=True, text=True, check=False,
        env={**os.environ, "SEGWATCH_CONFIG": str(path)},
    )  # fmt: skip
    assert "must be text" in done.stdout + done.stderr
    assert "123454321" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("clickhouse://edge@db.example:9000/segwatch", "clickhouse://edge@db.example:9000/segwatch"),
        ("clickhouse://[2001:db8::1]:9000/segwatch", "clickhouse://[2001:db8::1]:9000/segwatch"),
        ("kafka-1.example:9092,[2001:db8::1]:9092", "kafka-1.example:9092,[2001:db8::1]:9092"),
        ("local", "local"),
        (f"clickhouse://edge:{SECRET}@db.example/segwatch", "clickhouse://***@db.example/segwatch"),
        (f"clickhouse://edge:a/b@{SECRET}@db.example", "clickhouse://***@db.example"),
        (f"clickhouse:/edge:{SECRET}@db.example", "clickhouse:/***@db.example"),
        (f"clickhouse://db.example/segwatch?password={SECRET}", "clickhouse://db.example/segwatch?***"),
        (f"edge:{SECRET}@kafka-1.example:9092", "***@kafka-1.example:9092"),
    ],
)
def test_a_password_in_an_address_is_not_shown(given: str, shown: str) -> None:
    assert without_password(given) == shown


@pytest.mark.parametrize(
    "address", [f"clickhouse:/edge:{SECRET}@x", f"edge:{SECRET}@x", f"clickhouse://x/y?z={SECRET}"]
)
def test_an_address_that_is_refused_is_shown_without_its_password(address: str) -> None:
    for parse in (parse_store_url, parse_address):
        with pytest.raises(UsageError) as caught:
            parse(address)
        assert SECRET not in str(caught.value)


def test_the_doctor_shows_none() -> None:
    address = f"edge:{SECRET}@127.0.0.1:1"
    variables = {"SEGWATCH_STORE": f"clickhouse://{address}/segwatch", "SEGWATCH_KAFKA": address}
    done = subprocess.run(
        [sys.executable, "-m", "segwatch", "doctor"],
        capture_output=True,
        text=True,
        env=os.environ | variables,
        check=False,
    )
    assert "store clickhouse://***@127.0.0.1:1/segwatch, Kafka ***@127.0.0.1:1" in done.stdout
    assert SECRET not in done.stdout + done.stderr
