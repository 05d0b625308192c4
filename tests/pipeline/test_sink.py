"""The sink on a real broker and a real store: killed at every step, overtaken, stopped, and with its store away."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from segwatch.errors import BusError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import create_topics
from segwatch.kafka.broker.local import LocalBroker
from segwatch.kafka.connection import open_admin, open_consumer, open_producer
from segwatch.kafka.topics import ANOMALIES, DEAD_LETTERS, FINDINGS, INTERVALS, SENSORS, SINK_GROUP, TOPICS
from segwatch.messages.dead_letters import DeadLetter
from sinks.consumer.cycle import STEPS
from sinks.consumer.intent import parse_progress
from sinks.local_server import LocalServer
from sinks.store import Store
from tests.kafka.topics import delete_topics, eventually
from tests.pipeline.crashing import SESSION_SECONDS
from tests.pipeline.findings import POISON, Findings, digests, send_statuses
from tests.support import REPOSITORY

PARTITIONS = 2
PATIENCE_SECONDS = 120


class Pipeline:
    """A broker with empty topics, a store of its own, and the sinks of a test."""

    def __init__(self, kafka: KafkaAddress, folder: Path) -> None:
        self.kafka, self.folder = kafka, folder
        self.server = LocalServer(folder)
        self.producer: KafkaProducer = open_producer(kafka)
        self.sinks: list[subprocess.Popen[bytes]] = []

    def start(self, step: str = "-", number: int = 0) -> subprocess.Popen[bytes]:
        """Start a sink, which is killed where ``step`` is reached for the ``number``th time."""
        environment = {**os.environ, "SEGWATCH_DATA_DIR": str(self.folder), "SEGWATCH_STORE": "local"}
        with (self.folder / "sinks.log").open("ab") as log:
            sink = subprocess.Popen(
                [sys.executable, "-m", "tests.pipeline.crashing", step, str(number), "--", "sink", "--kafka",
                 self.kafka.bootstrap],
                cwd=REPOSITORY, env=environment, stderr=log,
            )  # fmt: skip
        self.sinks.append(sink)
        return sink

    def wait_until_done(self) -> None:
        """Wait until everything on the bus is committed, and no intent is pending."""
        consumer = open_consumer(self.kafka, group_id=SINK_GROUP)
        places = [TopicPartition(topic, n) for topic in FINDINGS for n in range(PARTITIONS)]
        places.append(TopicPartition(SENSORS, 0))
        ends = consumer.end_offsets(places)

        def is_done() -> bool:
            found = {place: consumer.committed(place, metadata=True) for place in places}
            return all(
                ends[place] == 0 or (one and one.offset == ends[place] and not parse_progress(one.metadata, "").intent)
                for place, one in found.items()
            )

        self.wait_for(is_done)
        consumer.close()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition while the sinks work."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def log(self) -> str:
        """Return what all sinks said."""
        return (self.folder / "sinks.log").read_text(encoding="utf-8")

    def check(self, *sent: Findings) -> None:
        """Compare tables and rollups with those of one clean writer."""
        with Store(self.server.wait_ready(database="expected")) as expected:
            for findings in sent:
                findings.store(expected)
            wanted = digests(expected.client)
        with Store(self.server.wait_ready()) as store:
            assert digests(store.client) == wanted, self.log()

    def dead_letters(self) -> list[tuple[DeadLetter, bytes]]:
        """Return all dead letters."""
        consumer = open_consumer(self.kafka)
        place = TopicPartition(DEAD_LETTERS, 0)
        consumer.assign([place])
        end, found = consumer.end_offsets([place])[place], []
        while consumer.position(place) < end:
            for records in consumer.poll(timeout_ms=100).values():
                found += [(DeadLetter.from_headers(one.headers), one.value) for one in records]
        consumer.close()
        return found

    def close(self) -> None:
        """End what was started."""
        for sink in self.sinks:
            sink.kill()
            sink.wait()
        self.producer.close()
        self.server.stop()


@pytest.fixture(scope="module")
def bus(kafka_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """Give a broker of this module's own: the sinks' topics and group have the same names everywhere."""
    broker = LocalBroker(tmp_path_factory.mktemp("broker"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def pipeline(bus: LocalBroker, tmp_path: Path) -> Iterator[Pipeline]:
    create_topics(bus.address, PARTITIONS)
    pipeline = Pipeline(bus.address, tmp_path)
    yield pipeline
    pipeline.close()
    with open_admin(bus.address) as admin:
        delete_topics(admin, TOPICS)


def test_killed_at_every_step(pipeline: Pipeline) -> None:
    findings = Findings(PARTITIONS, 40, 20, random.Random(1))  # noqa: S311  # a trial, no secret
    for step in STEPS:
        sink = pipeline.start(step, 2)
        while sink.poll() is None:
            assert findings.send(pipeline.producer, 5), pipeline.log()
            time.sleep(0.3)
        assert sink.poll() == -signal.SIGKILL, pipeline.log()
    findings.send(pipeline.producer)
    pipeline.start()
    pipeline.wait_until_done()
    pipeline.check(findings)
    letters = pipeline.dead_letters()
    assert len({(letter.topic, letter.partition, letter.offset) for letter, _ in letters}) == findings.poison
    assert {(letter.reason, letter.reader, value) for letter, value in letters} == {
        ("not an Arrow stream of one record batch", "sink", POISON)
    }


def test_stopped_and_overtaken(pipeline: Pipeline) -> None:
    """One of two sinks stands still for longer than a session; then it goes on, and is told to stop."""
    findings = Findings(PARTITIONS, 60, 20, random.Random(2))  # noqa: S311  # a trial, no secret
    one, _other = pipeline.start(), pipeline.start()
    findings.send(pipeline.producer, 60)
    time.sleep(3)
    for _ in range(2):
        one.send_signal(signal.SIGSTOP)
        for _ in range(SESSION_SECONDS + 3):
            findings.send(pipeline.producer, 5)
            time.sleep(1)
        one.send_signal(signal.SIGCONT)
        time.sleep(2)
    one.terminate()
    findings.send(pipeline.producer)
    assert one.wait(PATIENCE_SECONDS) == 0, pipeline.log()
    pipeline.wait_until_done()
    pipeline.check(findings)


def test_store_killed(pipeline: Pipeline) -> None:
    findings = Findings(PARTITIONS, 40, 20, random.Random(3))  # noqa: S311  # a trial, no secret
    send_statuses(pipeline.producer, 5)
    sink = pipeline.start()
    pipeline.wait_for(lambda: "Storing" in pipeline.log())  # one that starts without its store ends with a sentence
    for _ in range(3):
        findings.send(pipeline.producer, 30)
        time.sleep(1.5)
        pipeline.wait_for(lambda: pipeline.server.status().pid is not None)
        os.kill(pipeline.server.status().pid or 0, signal.SIGKILL)
    findings.send(pipeline.producer)
    pipeline.wait_until_done()
    sink.terminate()
    assert sink.wait(PATIENCE_SECONDS) == 0
    pipeline.check(findings)
    with Store(pipeline.server.wait_ready()) as store:
        assert store.client.execute("SELECT count(), sum(frames) FROM sensors") == [(5, sum(range(5)))]
    assert len(pipeline.log().splitlines()) < 40


def test_broker_killed(bus: LocalBroker, pipeline: Pipeline) -> None:
    findings = Findings(PARTITIONS, 40, 20, random.Random(5))  # noqa: S311  # a trial, no secret
    sink = pipeline.start()
    pipeline.wait_for(lambda: "Storing" in pipeline.log())
    for _ in range(2):
        findings.send(pipeline.producer, 40)
        time.sleep(1)
        pipeline.producer.close()  # it would leave sockets behind while it tries to connect
        bus.kill()
        time.sleep(SESSION_SECONDS + 2)
        bus.start()
        pipeline.producer = open_producer(bus.address)
    findings.send(pipeline.producer)
    pipeline.wait_until_done()
    sink.terminate()
    assert sink.wait(PATIENCE_SECONDS) == 0
    pipeline.check(findings)
    assert len(pipeline.log().splitlines()) < 60


def test_messages_that_kafka_deleted_are_told(pipeline: Pipeline) -> None:
    """What comes after them is stored all the same."""
    findings = Findings(PARTITIONS, 30, 20, random.Random(4))  # noqa: S311  # a trial, no secret
    findings.send(pipeline.producer, 40)
    place = TopicPartition(ANOMALIES, 0)
    with open_consumer(pipeline.kafka) as consumer, open_admin(pipeline.kafka) as admin:
        end = consumer.end_offsets([place])[place]
        admin.delete_records({place: end})
    sink = pipeline.start()
    findings.send(pipeline.producer)
    pipeline.wait_until_done()
    sink.terminate()
    assert sink.wait(PATIENCE_SECONDS) == 0
    assert f"{end} messages of {ANOMALIES}/0 are lost" in pipeline.log()
    with Store(pipeline.server.wait_ready()) as store:
        query = "SELECT count() = uniqExact(sensor, session, frame), count() FROM anomalies"
        is_single, rows = store.client.execute(query)[0]
        assert is_single
        assert 30 * 20 < rows <= PARTITIONS * 30 * 20


def _commits(consumer: KafkaConsumer, place: TopicPartition) -> bool:
    """Commit an offset; refused as long as the group has members that another test killed."""
    try:
        consumer.commit({place: OffsetAndMetadata(1, "", -1)})
    except KafkaError:
        return False
    return True


def test_offsets_of_others_stop_the_start(pipeline: Pipeline) -> None:
    send_statuses(pipeline.producer, 3)
    with open_consumer(pipeline.kafka, group_id=SINK_GROUP) as consumer:
        place = TopicPartition(SENSORS, 0)
        consumer.assign([place])
        assert eventually(lambda: _commits(consumer, place))
    assert pipeline.start().wait(PATIENCE_SECONDS) == BusError.exit_code
    assert "was committed by another program" in pipeline.log()
    assert "Traceback" not in pipeline.log()


def test_missing_topics_stop_the_start(pipeline: Pipeline) -> None:
    with open_admin(pipeline.kafka) as admin:
        delete_topics(admin, [INTERVALS])
    assert pipeline.start().wait(PATIENCE_SECONDS) == BusError.exit_code
    assert INTERVALS in pipeline.log()
    create_topics(pipeline.kafka)
