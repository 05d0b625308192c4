"""Commands as a user gives them, in this process: what they import and compile is there for the next one."""

import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from segwatch.cli.main import run
from segwatch.settings import settings
from tests.support import REPOSITORY

DEMONSTRATION = REPOSITORY / "segwatch" / "data" / "demo.pcap.gz"
"""Captured from 2026-01-01T09:00:00Z to 09:02:50Z."""
WHOLE = ("--from", "2026-01-01", "--to", "2026-01-02")


class Done(NamedTuple):
    """What became of a command."""

    returncode: int
    stdout: str
    stderr: str


def segwatch(*arguments: str | Path, **environment: str) -> Done:
    """Run ``segwatch`` without anything on standard input."""
    out, err = io.StringIO(), io.StringIO()
    with (
        environment_of(environment),
        redirect_stdout(out),
        redirect_stderr(err),
        mock.patch("sys.stdin", io.StringIO()),
    ):
        code = run([*map(str, arguments)])
    return Done(code, out.getvalue(), err.getvalue())


def document(*arguments: str | Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the JSON object that a command prints; it must succeed."""
    done = segwatch(*arguments, "--json", **environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def environment_of(variables: Mapping[str, str]) -> Iterator[None]:
    """Let settings be these while inside; commands may write into the environment, too."""
    with mock.patch.dict(os.environ, variables):
        settings.cache_clear()
        yield
    settings.cache_clear()
