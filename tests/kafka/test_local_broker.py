"""The local broker: one process, found again, back after a crash with everything that it had acknowledged."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from segwatch.errors import BusError, KafkaUnavailableError
from segwatch.kafka.broker import jars, java
from segwatch.kafka.broker.files import Ports, Server
from segwatch.kafka.broker.local import LocalBroker
from segwatch.kafka.broker.properties import server_properties
from segwatch.kafka.connection import is_answering, open_consumer, open_producer
from segwatch.kafka.location import kafka_address
from segwatch.processes.identity import place
from segwatch.settings import Settings
from tests.kafka.topics import eventually, new_topic

PATIENCE_SECONDS = 120


def test_start_find_and_stop(broker: LocalBroker) -> None:
    assert broker.status().running is False
    with pytest.raises(KafkaUnavailableError, match="never run"):
        _ = broker.address
    address = broker.start()
    status = broker.status()
    assert address.servers == (f"127.0.0.1:{status.port}",)
    again = LocalBroker(broker.directory)
    assert (again.start(), again.status()) == (address, status)
    assert again.stop() is True
    assert again.stop() is again.kill() is False
    assert broker.status() == status._replace(running=False, pid=None)
    assert broker.start() == address, "clients come back to where they were"


def test_nothing_acknowledged_is_lost_in_a_crash(broker: LocalBroker) -> None:
    address = broker.start()
    with new_topic(address, partitions=2) as topic:
        with open_producer(address) as producer:
            for number in range(400):
                producer.send(topic, b"%d" % number, partition=number % 2)
                if number % 200 == 50:
                    producer.flush()
                    assert broker.kill() is True
                    assert broker.start() == address
            producer.flush()
        consumer = open_consumer(address, consumer_timeout_ms=PATIENCE_SECONDS * 1000)
        consumer.subscribe([topic])
        read = [next(consumer) for _ in range(400)]
        consumer.close()
    for partition in range(2):
        values = [int(one.value) for one in read if one.partition == partition]
        assert values == list(range(partition, 400, 2))


def test_two_starts_at_once_make_one_broker(broker: LocalBroker) -> None:
    code = (
        "import sys; from pathlib import Path; from segwatch.kafka.broker.local import LocalBroker\n"
        "broker = LocalBroker(Path(sys.argv[1])); broker.start(); print(broker.status().pid)"
    )
    commands = [
        subprocess.Popen([sys.executable, "-c", code, str(broker.directory)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    pids = {command.communicate(timeout=PATIENCE_SECONDS)[0].strip() for command in commands}
    assert pids == {str(broker.status().pid)}


def test_a_killed_start_is_taken_over(broker: LocalBroker) -> None:
    """Neither a starter that died nor a broker that died while its data were made leaves anything to clean up."""
    broker.files.make_directory()
    broker.files.unfinished_data.mkdir()
    (broker.files.unfinished_data / "meta.properties").write_text("version=0\n")
    code = "import sys; from pathlib import Path; from segwatch.kafka.broker.local import LocalBroker\n"
    code += "LocalBroker(Path(sys.argv[1])).start()"
    starter = subprocess.Popen([sys.executable, "-c", code, str(broker.directory)])
    assert eventually(broker.files.is_alive)
    starter.kill()
    starter.wait()
    assert is_answering(broker.start())


def test_a_broker_on_hold_is_stopped(broker: LocalBroker) -> None:
    broker.start()
    pid = broker.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    assert broker.status().running is True
    assert broker.stop() is True


def test_a_taken_port_is_given_up(broker: LocalBroker) -> None:
    broker.files.make_directory()
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as free:
        ports = Ports(taken.getsockname()[1], free.getsockname()[1])
        broker.files.write_ports(ports)
        free.close()
        address = broker.start()
        assert address.servers != (f"127.0.0.1:{ports.client}",)
        assert is_answering(address)


def test_a_process_with_the_same_number_is_not_taken_for_the_broker(broker: LocalBroker) -> None:
    broker.files.make_directory()
    assert broker.files.read_server() is None
    for stale in (Server(place(), os.getpid(), 1), Server("another boot", os.getpid(), 1), Server(place(), 1 << 22, 1)):
        broker.files.write_server(stale)
        assert broker.files.read_server() is None
    broker.files.write_server(Server.this_process())
    assert broker.files.read_server() == Server.this_process()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"client": 1}', '{"client": 1, "controller": 2, "more": 3}'])
def test_damaged_notes_are_none(broker: LocalBroker, content: str) -> None:
    broker.files.make_directory()
    (broker.files.directory / "ports.json").write_text(content)
    (broker.files.directory / "server.json").write_text(content)
    assert broker.files.read_ports() is None
    assert broker.files.read_server() is None


@pytest.mark.usefixtures("kafka_installed")
def test_what_kafka_says_against_it_is_told(tmp_path: Path) -> None:
    broker = LocalBroker(tmp_path, {"log.segment.bytes": "no number"})
    with pytest.raises(BusError, match=r"cannot be started \(.*log\.segment\.bytes.*\); its log is"):
        broker.start()
    assert broker.status().running is False


def test_a_folder_that_cannot_be_written_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BusError, match="cannot be used"):
        LocalBroker(tmp_path / "file").start()


def test_properties_are_written_as_java_reads_them() -> None:
    text = server_properties(Ports(1, 2), Path("/a b\\c/é\n𝄞"), {"node.id": "7"})
    assert "log.dirs=/a b\\\\c/\\u00e9\\u000a\\ud834\\udd1e\n" in text
    assert "node.id=7\n" in text
    assert "node.id=1\n" not in text


@pytest.mark.usefixtures("kafka_installed")
def test_unusual_folders_work(tmp_path: Path) -> None:
    broker = LocalBroker(tmp_path / "a b; é")
    try:
        assert is_answering(broker.start())
    finally:
        broker.stop()


def test_without_java_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BusError, match=r"needs a Java runtime, and there is none; install version 17 .*default-jre"):
        LocalBroker(tmp_path).start()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(BusError, match=r"JAVA_HOME .* has none"):
        java.find_java()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('openjdk version "11.0.2" 2019', "is version 11; install"),
        ('java version "1.8.0_391"', "is version 8; install"),
        ("what?", "does not say which version"),
    ],
)
def test_other_javas_get_a_sentence(answer: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{answer}' >&2\n")
    program.chmod(0o755)
    with pytest.raises(BusError, match=words):
        java.find_java()
    program.write_text("#!/bin/sh\necho 'openjdk version \"21.0.1\" 2023-10-17' >&2\n")
    assert java.find_java() == (str(program), 21)


def test_without_maven_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(jars, "settings", lambda: Settings(cache_dir=tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BusError, match=r"there is no mvn; install it \(on Debian: apt-get install maven\)"):
        jars.fetch_jars()
    assert not jars.are_fetched()


def test_what_maven_says_against_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(jars, "settings", lambda: Settings(cache_dir=tmp_path / "cache"))
    program = tmp_path / "mvn"
    program.write_text("#!/bin/sh\necho '[ERROR] Unknown host.'\necho '[ERROR] More.'\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(BusError, match=r"could not fetch Apache Kafka 4\.3\.1 \(Unknown host\); it needs the network"):
        jars.fetch_jars()
    assert not jars.are_fetched()
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["kafka-4.3.1.lock"]


def test_the_setting_local_means_this_broker(broker: LocalBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("segwatch.kafka.location", "segwatch.kafka.broker.local"):
        monkeypatch.setattr(f"{module}.settings", lambda: Settings(data_dir=broker.directory))
    with pytest.raises(KafkaUnavailableError, match="does not run; start it with: segwatch broker start"):
        kafka_address()
    assert broker.start() == kafka_address()
