"""``segwatch status`` beside a real broker and a real store."""

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from segwatch.kafka.connection import open_producer
from segwatch.kafka.topics import ANOMALIES, DEAD_LETTERS, SEGMENTS, SENSORS
from segwatch.messages.dead_letters import DeadLetter
from segwatch.messages.positions import START, Coverage, Position
from sinks.store import Store
from tests.pipeline.cluster import Cluster, running
from tests.support import REPOSITORY

DEMO = str(resources.files("segwatch") / "data" / "demo.pcap.gz")


def status(cluster: Cluster, exit_code: int = 0) -> dict[str, Any]:
    """Return what the command says."""
    done = subprocess.run(
        [sys.executable, "-m", "segwatch", "status", "--json"], cwd=REPOSITORY, env=cluster.environment,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == exit_code, done.stdout.decode() + done.stderr.decode()
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.usefixtures("kafka_installed")
def test_lag_dead_letters_and_what_findings_tell(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        with Store(cluster.store):
            pass  # opening it makes the tables
        nothing = status(cluster)
        assert nothing["problems"] == []
        assert nothing["processors"]["lag"]["messages"] == 0
        assert nothing["processors"]["checkpoints"]["oldest_age_seconds"] is None
        assert nothing["sensors"] == []

        (published,) = cluster.publish(DEMO, speed="100")
        messages = published["messages"]
        waiting = status(cluster)
        lag = waiting["processors"]["lag"]
        assert waiting["processors"]["members"] == waiting["sinks"]["members"] == 0
        assert lag["messages"] == messages
        assert lag["seconds"] == max(one["seconds"] for one in lag["partitions"]) > 0
        (said,) = (topic["messages"] for topic in waiting["topics"] if topic["name"] == SENSORS)
        assert waiting["sinks"]["lag"]["messages"] == said >= 2
        (sensor,) = waiting["sensors"]
        assert (sensor["sensor"], sensor["state"]) == ("edge", "stopping")
        assert (sensor["segments"], sensor["session"]) == (5790, published["session"])

        letter = DeadLetter("cut short", "it has 0 record batches", SEGMENTS, 3, 17, "processor")
        first = next(one for one in lag["partitions"] if one["messages"])
        coverage = Coverage(first["partition"], START, Position(first["end"], 0))
        with open_producer(cluster.address) as producer:
            producer.send(DEAD_LETTERS, value=b"?", headers=letter.as_headers())
            producer.send(ANOMALIES, value=b"?", partition=first["partition"], headers=[coverage.as_header()])
            producer.flush()
        told = status(cluster)
        (last,) = told["dead_letters"]["last"]
        assert told["dead_letters"]["count"] == 1
        assert {**letter._asdict(), "at": last["at"]} == last
        assert told["processors"]["lag"]["messages"] == messages - first["messages"]

        beyond = Coverage(first["partition"], START, Position(first["end"] + 5, 0))
        with open_producer(cluster.address) as producer:
            producer.send(ANOMALIES, value=b"?", partition=first["partition"], headers=[beyond.as_header()])
            producer.flush()
        (problem,) = status(cluster, exit_code=1)["problems"]
        place = f"{SEGMENTS}/{first['partition']}"
        assert f"{place} ends at offset {first['end']}, and processors have read it up to {first['end'] + 5}" in problem
