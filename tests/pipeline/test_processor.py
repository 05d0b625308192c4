"""A processor on its own, where Kafka does not do what it should."""

import subprocess
import time
from collections.abc import Collection
from pathlib import Path

import pytest

from segwatch.errors import BusError
from segwatch.kafka.admin import create_topics
from segwatch.kafka.connection import open_admin, open_producer
from segwatch.kafka.offsets import end_offsets, topic_partitions
from segwatch.kafka.reading import read_topic
from segwatch.kafka.topics import ANOMALIES, CHANGELOG, PARTITIONED, SEGMENTS
from tests.pipeline.answers import differences, store_offline
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


@pytest.mark.usefixtures("kafka_installed")
def test_a_topic_made_anew_is_not_taken_for_what_was_read(tmp_path: Path) -> None:
    """Its offsets begin at 0 again: all of it would be passed over."""
    with running(tmp_path) as cluster:
        first = cluster.spawn("processor", "--checkpoint-seconds", "1")
        cluster.publish(CAPTURE)
        _wait_for_findings(cluster)
        _end([first])
        _make_anew(cluster, [SEGMENTS])
        second = cluster.spawn("processor")
        assert second.wait(timeout=120) == 6, cluster.logs()
        assert "was made anew or has lost messages" in cluster.logs()


@pytest.mark.usefixtures("kafka_installed")
@pytest.mark.parametrize(("anew", "partitions"), [((CHANGELOG,), 8), (PARTITIONED, 4)])
def test_changing_over_loses_and_doubles_nothing(tmp_path: Path, anew: tuple[str, ...], partitions: int) -> None:
    """As docs/reliability.md says: to a new layout of the checkpoints, and to another number of partitions."""
    with running(tmp_path) as cluster:
        sessions = []
        for count in (cluster.partitions, partitions):
            if sessions:
                cluster.partitions = count
                _make_anew(cluster, anew)
            workers = [cluster.spawn("processor", "--checkpoint-seconds", "1"), cluster.spawn("sink")]
            sessions += cluster.publish(CAPTURE)
            cluster.wait_until_stored(120)
            _end(workers)
        store_offline(cluster, [(CAPTURE, one["session"]) for one in sessions])
        assert differences(cluster) == {}


@pytest.mark.usefixtures("kafka_installed")
def test_offsets_without_a_message_stop_nothing(tmp_path: Path) -> None:
    """Whoever writes within a transaction leaves a mark at its end."""
    with running(tmp_path, partitions=1) as cluster:
        workers = [cluster.spawn("processor", "--checkpoint-seconds", "1"), cluster.spawn("sink")]
        with open_producer(cluster.address, transactional_id="another program") as producer:
            producer.init_transactions()
            producer.begin_transaction()
            producer.send(SEGMENTS, value=b"no segments", partition=0)
            producer.commit_transaction()
        sessions = cluster.publish(CAPTURE)
        cluster.wait_until_stored(120)
        _end(workers)
        store_offline(cluster, [(CAPTURE, one["session"]) for one in sessions])
        assert differences(cluster) == {}


@pytest.mark.usefixtures("kafka_installed")
def test_messages_that_kafka_deleted_are_told_though_none_follows(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        workers = [cluster.spawn("processor", "--checkpoint-seconds", "1"), cluster.spawn("sink")]
        cluster.publish(CAPTURE)
        cluster.wait_until_stored(120)
        _end(workers)
        cluster.publish(CAPTURE)
        with open_admin(cluster.address) as admin:
            places = topic_partitions(admin, [SEGMENTS])
            ends = end_offsets(admin, places)
            admin.delete_records(ends)
        second = cluster.spawn("processor")
        deadline = time.monotonic() + 120
        while cluster.logs().count("Kafka deleted 1 messages before they were read") < len(places):
            assert time.monotonic() < deadline, cluster.logs()
            time.sleep(0.2)
        _end([second])


def _end(workers: list[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        worker.terminate()
    assert {worker.wait(timeout=60) for worker in workers} == {0}


def _make_anew(cluster: Cluster, topics: Collection[str]) -> None:
    """Delete topics and make them again; Kafka needs a while to forget one."""
    with open_admin(cluster.address) as admin:
        admin.delete_topics(list(topics))
    deadline = time.monotonic() + 60
    while True:
        try:
            create_topics(cluster.address, cluster.partitions)
        except BusError:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        else:
            return
