"""A broker, a capture and sensors for the tests of publishing."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import create_topics
from segwatch.kafka.broker.local import LocalBroker
from tests.generate.__main__ import write_traffic
from tests.pipeline.sensors import PARTITIONS, SEGWATCH, Start


@pytest.fixture(scope="module")
def own(kafka_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """Give a broker of this module's own with all topics: they have fixed names."""
    local = LocalBroker(tmp_path_factory.mktemp("sensor"))
    create_topics(local.start(), PARTITIONS)
    yield local
    local.stop()


@pytest.fixture
def address(own: LocalBroker) -> KafkaAddress:
    """Give the address of a broker that runs."""
    return own.start()


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a capture of some traffic."""
    path = tmp_path_factory.mktemp("captures") / "bulk.pcap"
    write_traffic("bulk", path, 200_000, 40, 1)
    return path


@pytest.fixture
def start(address: KafkaAddress, tmp_path: Path) -> Iterator[Start]:
    """Give what starts a sensor, with a data folder of the test's own; none outlives the test."""
    environment = {**os.environ, "SEGWATCH_DATA_DIR": str(tmp_path / "data")}
    with ExitStack() as stack:

        def started(*arguments: str, **options: int) -> subprocess.Popen[str]:
            command = [*SEGWATCH, "sensor", "--kafka", address.bootstrap, "--json", *arguments]
            process = subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield started
