"""``segwatch sensor --check``, and names that several sensors have, on a real broker."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from segwatch.jobs.sensor_names import NameWatch
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.connection import open_producer
from segwatch.kafka.topics import SENSORS
from segwatch.messages.status import SensorStatus, write_status
from tests.pipeline.sensors import PATIENCE_SECONDS, SEGWATCH
from tests.support import CASES

CAPTURE = str(CASES / "rto.pcap")


def say(address: KafkaAddress, name: str, host: str) -> None:
    """Let a sensor say that it runs."""
    status = SensorStatus(
        name, "f" * 32, time.time_ns(), host, "eth0", "", 0, "", "running", "", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    )  # fmt: skip
    with open_producer(address) as producer:
        producer.send(SENSORS, value=write_status(status), key=name.encode()).get(PATIENCE_SECONDS)


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a check with a data folder."""
    return subprocess.run(
        [*SEGWATCH, "sensor", "--check", *arguments], env={**os.environ, "SEGWATCH_DATA_DIR": str(folder / "data")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_check_says_all_and_does_nothing(address: KafkaAddress, tmp_path: Path) -> None:
    config, spool = tmp_path / "sensor.toml", tmp_path / "data" / "spool" / "checked"
    config.write_text(f'kafka = "{address.bootstrap}"\nname = "checked"\nspool_bytes = 2_000_000_000\n')
    done = check(tmp_path, "--config", str(config), "--read", CAPTURE, "--speed", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"It would read {CAPTURE}.",
        "Packets would come 2 times as fast as recorded.",
        f"The sensor's name would be checked; settings come from {config}.",
        "Addresses would be published as they are.",
        f"While Kafka is away, segments would wait in {spool}: 2.0 GB and 24 h at most; it holds 0 messages now.",
        f"Segments would go to segwatch.segments.v1 in Kafka at {address.bootstrap}, which answers: 3 partitions.",
        "No sensor of that name is at work on another host.",
    ]
    assert not (tmp_path / "data").exists()


def test_a_check_names_what_would_stop_it(address: KafkaAddress, tmp_path: Path) -> None:
    say(address, "taken", "elsewhere")
    kafka = ("--kafka", address.bootstrap)
    cases = [
        (("--read", "no-such-file", *kafka), 3, "no-such-file"),
        (("--read", CAPTURE, "--kafka", "127.0.0.1:1"), 6, "No Kafka broker answers"),
        (("--read", CAPTURE, *kafka, "--anonymize", "no-such-key"), 2, "cannot be read from no-such-key"),
        (("--read", CAPTURE, *kafka, "--speed", "2", "--spool-bytes", str(10**14)), 2, "set --spool-bytes lower"),
        (("--read", CAPTURE, *kafka, "--name", "taken"), 2, "has the name taken (on elsewhere)"),
    ]
    for arguments, code, words in cases:
        done = check(tmp_path, *arguments)
        assert (done.returncode, len(done.stderr.splitlines())) == (code, 1), done.stderr
        assert words in done.stderr


def test_a_running_sensor_notices_another_of_its_name(address: KafkaAddress, capfd: pytest.CaptureFixture[str]) -> None:
    say(address, "edge", "an earlier start")
    with NameWatch(address, "edge", first=1.0) as names:
        own = names.new_session()
        assert len(own) == 32
        deadline, told = time.monotonic() + PATIENCE_SECONDS, ""
        time.sleep(0.5)
        say(address, "core", "not-of-the-name")
        say(address, "edge", "other-host")
        while not told:
            assert time.monotonic() < deadline
            time.sleep(0.1)
            told = capfd.readouterr().err
    assert told == (
        "segwatch: another sensor has the name edge (on other-host); give one of them another with --name.\n"
    )
