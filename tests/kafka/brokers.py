"""Real brokers for tests: one for the whole run, and one of its own for a test that ends it."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from segwatch.errors import BusError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.broker.jars import fetch_jars
from segwatch.kafka.broker.java import find_java
from segwatch.kafka.broker.local import LocalBroker
from segwatch.processes.locks import locked


@pytest.fixture(scope="session")
def kafka_installed() -> None:
    """Skip where Java or Kafka itself cannot be had."""
    try:
        find_java()
        fetch_jars()
    except BusError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def kafka(kafka_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaAddress]:
    """Give the address of a broker that all processes of this run share.

    Tests make topics with names of their own, and never stop it. Whoever uses it holds a shared lock; who gives back
    the last one stops the broker. So it ends also where a process of the run died.
    """
    folder = _folder_of_run(tmp_path_factory)
    broker = LocalBroker(folder / "shared")
    with (folder / "kafka-users").open("a") as users:
        with locked(folder / "kafka-turn"):
            fcntl.flock(users, fcntl.LOCK_SH)
            address = broker.start()
        yield address
        with locked(folder / "kafka-turn"):
            fcntl.flock(users, fcntl.LOCK_UN)
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            broker.stop()


@pytest.fixture
def broker(kafka_installed: None, tmp_path: Path) -> Iterator[LocalBroker]:
    """Give a broker of the test's own, which does not run yet, and stop it in the end."""
    own = LocalBroker(tmp_path / "broker")
    yield own
    own.stop()


def _folder_of_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
