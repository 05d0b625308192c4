"""A processor on its own, where Kafka does not do what it should."""

import time
from pathlib import Path

import pytest

from segwatch.kafka.reading import read_topic
from segwatch.kafka.topics import ANOMALIES
from tests.pipeline.cluster import Cluster, running
from tests.support import REPOSITORY

CAPTURE = str(REPOSITORY / "segwatch" / "data" / "demo.pcap.gz")


def _wait_for_findings(cluster: Cluster) -> None:
    deadline = time.monotonic() + 120
    while not any(True for _ in read_topic(cluster.address, ANOMALIES)):
        assert time.monotonic() < deadline, cluster.logs()
        time.sleep(0.2)


@pytest.mark.usefixtures("kafka_installed")
def test_a_processor_ends_while_kafka_is_away(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        processor = cluster.spawn("processor", "--checkpoint-seconds", "300")
        cluster.publish(CAPTURE)
        _wait_for_findings(cluster)
        cluster.broker.stop()
        processor.terminate()
        assert processor.wait(timeout=60) == 6, cluster.logs()
        assert "Stopped while Kafka does not answer" in cluster.logs()
