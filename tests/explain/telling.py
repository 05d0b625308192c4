"""Stories of captures, for tests."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from segwatch.cli.explain import command


def explained(capture: Path, *options: str) -> dict[str, Any]:
    """Return what ``segwatch explain --format json`` says of a capture."""
    result = CliRunner().invoke(command, [str(capture), "--format", "json", *options], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def sentences(story: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all sentences of a story."""
    return [sentence for chapter in story["chapters"] for sentence in chapter["sentences"]]


def said(story: dict[str, Any], topic: str) -> list[dict[str, Any]]:
    """Return the sentences of a story about a topic."""
    return [sentence for sentence in sentences(story) if sentence["topic"] == topic]
