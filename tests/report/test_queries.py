"""The SQL of a report gives its figures out of the store."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from segwatch.report.queries import queries
from tests.support import REPOSITORY

DEMO = REPOSITORY / "segwatch" / "data" / "demo.pcap.gz"
Ask = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def summary_and_ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], Ask]]:
    """Analyse the demo into a store of its own; give its summary, and how to ask."""
    environment = {**os.environ, "SEGWATCH_DATA_DIR": str(tmp_path_factory.mktemp("data")), "SEGWATCH_STORE": "local"}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "segwatch", *arguments]
        return subprocess.run(
            command, cwd=REPOSITORY, env=environment, check=True, capture_output=True, text=True
        ).stdout

    def ask(query: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in run("query", "--format", "jsonl", query).splitlines()]

    summary = json.loads(run("analyze", "--json", str(DEMO)))["captures"][0]
    yield summary, ask
    run("db", "stop")


def test_figures_are_those_of_the_summary(summary_and_ask: tuple[dict[str, Any], Ask]) -> None:
    summary, ask = summary_and_ask

    def answers(figure: str) -> list[list[dict[str, Any]]]:
        return [ask(query) for query in queries(figure, summary["digest"])]

    (capture,), (sizes,) = answers("size")
    assert (capture["segments"], capture["conversations"]) == (summary["segments"], summary["conversations"])
    assert (sizes["segments"], sizes["payload_bytes"]) == (summary["segments"], summary["payload_bytes"])
    labels, (again,) = answers("labels")
    assert {row["label"]: row["segments"] for row in labels} == summary["labels"]
    assert again["sent_again"] == summary["retransmitted_bytes"]
    (resets,) = answers("resets")
    assert {row["reset"]: row["segments"] for row in resets} == summary["resets"]
    minutes, kinds = answers("timeline")
    assert sum(row["segments"] for row in minutes) == summary["segments"]
    assert sum(row["segments"] for row in kinds if row["kind"] in summary["labels"]) == sum(summary["labels"].values())
    (worst,) = answers("conversations")
    assert len(worst) == len(summary["worst_conversations"])
    (samples,), (handshakes,) = answers("round_trips")
    assert samples["samples"] == summary["rtt"]["client_side"]["samples"]
    assert handshakes["milliseconds"][0] == pytest.approx(1e3 * summary["rtt"]["initial"]["p50_seconds"], rel=0.05)


def test_the_segments_of_a_story(summary_and_ask: tuple[dict[str, Any], Ask]) -> None:
    summary, ask = summary_and_ask
    (query,) = queries("segments", summary["digest"], 18)
    assert ask(query)
