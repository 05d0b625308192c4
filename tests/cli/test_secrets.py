"""Passwords stand in no option, no help and no message."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from segwatch.cli.main import COMMANDS, root

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
