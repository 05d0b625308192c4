"""A sensor without Kafka: captures interfaces as ``segwatch sensor`` does, and writes its messages to a file.

python -m tests.live.recorder FILE JSON, where JSON has the arguments of ``Recording``.
"""

import json
import signal
import struct
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from ingest.capture.live.capture import InterfaceCapture
from ingest.capture.live.intake import LEAST_ROWS, MOST_ROWS, Intake
from ingest.capture.live.options import CaptureOptions
from ingest.capture.live.own_traffic import OwnTraffic
from ingest.publish.backlog import Backlog
from ingest.publish.batches import Session
from ingest.publish.producer import Outgoing
from ingest.publish.sensor import SensorSession
from segwatch.jobs.live_sensor import publish, sentence
from segwatch.jobs.live_sessions import LiveSessions
from segwatch.processes.logs import log_to_stderr

PARTITIONS = 3
_LENGTHS = struct.Struct("<IiI")


@dataclass(frozen=True)
class Recording:
    """What to record."""

    interfaces: list[str]
    options: dict[str, object] = field(default_factory=dict)
    servers: list[tuple[str, int]] = field(default_factory=list)
    """Brokers whose traffic is left out."""
    most_rows: int = MOST_ROWS
    least_rows: int = LEAST_ROWS
    seconds_a_row: float = 0.0
    """What it takes to publish a row: a slow Kafka."""


def arguments(path: Path, recording: Recording) -> list[str]:
    """Return the command line of a recorder."""
    return [sys.executable, "-m", "tests.live.recorder", str(path), json.dumps(asdict(recording))]


def messages(path: Path) -> Iterator[Outgoing]:
    """Yield what a recorder has published, in order."""
    content = path.read_bytes()
    place = 0
    while place < len(content):
        topic_bytes, partition, size = _LENGTHS.unpack_from(content, place)
        place += _LENGTHS.size
        topic = content[place : place + topic_bytes].decode()
        place += topic_bytes
        yield Outgoing(topic, partition, None, content[place : place + size], 0)
        place += size


def _record(file: BinaryIO, recording: Recording) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def put(message: Outgoing) -> None:
        partition = -1 if message.partition is None else message.partition
        file.write(_LENGTHS.pack(len(message.topic), partition, len(message.value)))
        file.write(message.topic.encode() + message.value)
        file.flush()
        time.sleep(message.rows * recording.seconds_a_row)

    def new_session(session: Session) -> SensorSession:
        return SensorSession(session, PARTITIONS, put, lambda: 0, lambda: Backlog(0))

    intake, own = Intake(recording.most_rows, recording.least_rows), OwnTraffic()
    servers = [(host, port) for host, port in recording.servers]
    options = CaptureOptions(**recording.options)  # type: ignore[arg-type]  # they come from the test
    captures = [InterfaceCapture(one, options, intake, own.clause(servers)) for one in recording.interfaces]
    sessions = LiveSessions("recorder", recording.interfaces, intake, lambda: uuid.uuid4().hex, new_session)
    publish(captures, sessions, lambda: None, stop)
    sessions.report_end()
    for session in sessions.opened:
        sys.stdout.write(f"{sentence(session)}\n")


if __name__ == "__main__":
    chosen = Recording(**json.loads(sys.argv[2]))
    log_to_stderr()
    with Path(sys.argv[1]).open("wb") as target:
        _record(target, chosen)
