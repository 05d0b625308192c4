"""Stores that commands fill, for tests: with the segments of captures, or with what has a label alone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sinks.local_server import LocalServer
from tests.replay.commands import segwatch


@contextmanager
def store_with(folder: Path, *captures: Path, segments: bool) -> Iterator[dict[str, str]]:
    """Give the environment of a local store in a folder, which has these captures; it is stopped in the end."""
    environment = {"SEGWATCH_DATA_DIR": str(folder), "SEGWATCH_STORE": "local"}
    server = LocalServer(folder)
    try:
        options = ["--segments"] if segments else []
        done = segwatch("analyze", *options, *captures, **environment)
        assert done.returncode == 0, done.stderr
        yield environment
    finally:
        server.stop()


def sessions(environment: dict[str, str]) -> dict[str, str]:
    """Return the sessions of a store by the names of their files."""
    done = segwatch("query", "--format", "jsonl", "SELECT file_name, session FROM captures", **environment)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {Path(row["file_name"]).name: row["session"].replace("-", "") for row in rows}


def explained_in(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    """Return what ``segwatch explain --format json`` says; it must succeed."""
    done = segwatch("explain", *arguments, "--format", "json", **environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
