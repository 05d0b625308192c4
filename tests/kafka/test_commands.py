"""``segwatch broker`` and ``segwatch topics``, as a user runs them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from segwatch.kafka.broker.local import LocalBroker
from segwatch.kafka.topics import SEGMENTS, TOPICS

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(broker: LocalBroker) -> Run:
    """Give a function that runs a command with the data folder of a broker of the test's own."""

    def run_command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "SEGWATCH_DATA_DIR": str(broker.directory), "SEGWATCH_KAFKA": "local", **environment}
        command = [sys.executable, "-c", "from segwatch.cli.main import main; main()", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=variables, check=False)

    return run_command


def test_a_broker_and_its_topics(run: Run) -> None:
    done = run("broker", "status")
    assert (done.returncode, done.stderr) == (1, "")
    assert "does not run" in done.stdout
    done = run("topics", "check")
    assert (done.returncode, done.stdout) == (6, "")
    assert "start it with: segwatch broker start" in done.stderr

    assert run("broker", "start").returncode == 0
    done = run("broker", "status", "--json")
    status = json.loads(done.stdout)
    assert (done.returncode, status["running"]) == (0, True)

    done = run("topics", "check")
    assert done.returncode == 1
    assert done.stdout.count("is missing; make what is missing with: segwatch topics create.\n") == len(TOPICS)
    done = run("topics", "create", "--partitions", "3")
    assert (done.returncode, done.stdout.splitlines()) == (0, [f"Made {name}." for name in TOPICS])
    assert run("topics", "create").stdout == "All topics were there already.\n"
    done = run("topics", "create", "--partitions", "4")
    assert (done.returncode, done.stdout) == (6, "")
    assert "cannot be made 4" in done.stderr
    assert run("topics", "check").returncode == 0

    described = json.loads(run("topics", "describe", "--json").stdout)
    assert described["kafka"] == status["bootstrap"]
    assert [topic["name"] for topic in described["topics"]] == list(TOPICS)
    assert run("topics", "describe").stdout.splitlines()[1].split() == [SEGMENTS, "3", "1", "24", "h", "0"]

    checks = {one["subject"]: one for one in json.loads(run("doctor", "--json").stdout)["checks"]}
    assert checks["local broker"]["detail"].startswith(f"runs as process {status['pid']}")
    assert checks["Java"]["state"] == checks["Apache Kafka"]["state"] == "ok"

    assert run("broker", "stop").stdout == "The local broker is stopped.\n"
    assert run("broker", "stop").stdout == "The local broker did not run.\n"


def test_a_wrong_address_gets_a_sentence(run: Run) -> None:
    done = run("topics", "describe", SEGWATCH_KAFKA="127.0.0.1:1")
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr == (
        "segwatch: No Kafka broker answers (127.0.0.1:1: connection refused); "
        "see that it runs, and that SEGWATCH_KAFKA names it.\n"
    )
    done = run("topics", "describe", SEGWATCH_KAFKA="kafka://a")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    checks = json.loads(run("doctor", "--json", SEGWATCH_KAFKA="127.0.0.1:1").stdout)["checks"]
    assert [one["state"] for one in checks if one["subject"] == "Kafka"] == ["missing"]


def test_without_java_the_broker_says_what_to_install(run: Run) -> None:
    done = run("broker", "start", JAVA_HOME="/nowhere")
    assert (done.returncode, done.stdout) == (6, "")
    assert "apt-get install default-jre-headless" in done.stderr
    checks = {one["subject"]: one for one in json.loads(run("doctor", "--json", JAVA_HOME="/nowhere").stdout)["checks"]}
    assert checks["Java"]["state"] == "note"
