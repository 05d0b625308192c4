"""A local store with a week of something in it, and the user whose name Grafana asks under."""

import gzip
import os
import struct
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from segwatch.messages.status import SensorStatus
from segwatch.records.verdicts import VERDICT
from segwatch.vocabulary import Cause
from sinks.connection import ServerAddress, connect, new_client
from sinks.local_server import LocalServer
from sinks.roles import STORE_ROLES, as_xml, password_hash, store_role
from sinks.writer import Origin, Writer, coded
from tests.support import REPOSITORY

DEMO: Final = REPOSITORY / "segwatch" / "data" / "demo.pcap.gz"
START: Final = int(datetime(2026, 1, 1, 9, tzinfo=UTC).timestamp())
"""The demo begins at 09:00 and lasts for less than three minutes."""
END: Final = START + 180
WEEK: Final = 7 * 24 * 3600
UNHEARD: Final = "unheard"
"""A sensor that sees segments, none of which is in the store."""
QUIET: Final = "quiet"
"""A sensor that sees segments for a minute, which are in the store, and then none for a quarter of an hour."""
QUIET_FROM: Final = START + 2 * 3600
QUIET_UNTIL: Final = QUIET_FROM + 900
_HEARTBEAT: Final = 5
_RECORD: Final = struct.Struct("<IIII")
_FILE_HEADER: Final = 24


class FilledStore:
    """The demo, the demo of a week before, and the heartbeats of its sensor and of another one."""

    def __init__(self, folder: Path) -> None:
        self.local = LocalServer(folder / "data")
        self._folder = folder

    def start(self) -> None:
        """Start the server, and fill it."""
        files = self.local.files
        files.make_directories()
        users = files.run / ".clickhouse-local" / "users.d"
        users.mkdir()
        (users / "segwatch.xml").write_text(as_xml(), "utf-8")
        os.environ |= {role.variable: password_hash(role.name) for role in STORE_ROLES}
        address = self.local.wait_ready()
        before = self._folder / "week-before.pcap"
        before.write_bytes(_moved(gzip.decompress(DEMO.read_bytes()), -WEEK))
        self._run("analyze", str(DEMO), str(before))
        # The same traffic a second time, which is to count for nothing.
        self._run("replay", "--from", str(START), "--to", str(END))
        self._write_heartbeats(address)
        self._write_seen_by_two(address)

    def stop(self) -> None:
        """End the server."""
        self.local.stop()
        for role in STORE_ROLES:
            os.environ.pop(role.variable, None)

    def grafana(self) -> Any:
        """Return a client that may do what Grafana may."""
        role = store_role("grafana")
        return new_client(replace(self.local.wait_ready(), user=role.user, password=role.name))

    def _run(self, *arguments: str) -> None:
        settings = {"SEGWATCH_DATA_DIR": str(self.local.directory), "SEGWATCH_STORE": "local", "SEGWATCH_SEGMENTS": "1"}
        command = [sys.executable, "-m", "segwatch", *arguments]
        environment = os.environ | settings | {"SEGWATCH_CONFIG": os.devnull}
        subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True)

    def _write_seen_by_two(self, address: ServerAddress) -> None:
        """Write verdicts of two sensors, a millisecond apart, on a packet of each direction."""
        client = connect(address)
        for sensor, session, late in (("near", "1a" * 16, 0), ("far", "1b" * 16, 1)):
            verdicts = np.zeros(2, VERDICT)
            verdicts["from_client"], verdicts["frame"], verdicts["ip_id"] = (1, 0), (1, 2), 7
            verdicts["time"] = START * 10**9 + np.array([late, 20 - late]) * 10**6
            verdicts["client"], verdicts["server"], verdicts["ip_version"] = (0, 1), (0, 2), 4
            verdicts["cause"] = Cause.APPLICATION_IDLE
            Writer(client, address).write_verdicts(verdicts, Origin(sensor, session, datetime.now(UTC).date()), sensor)
        client.disconnect()

    def _write_heartbeats(self, address: ServerAddress) -> None:
        """Write what sensors say every five seconds; they lose one frame in ten from the second minute on."""
        client = connect(address)
        ((name,),) = client.execute("SELECT any(sensor) FROM captures")
        for sensor, session in ((name, "0f" * 16), (UNHEARD, "f0" * 16)):
            words = [_word(sensor, session, moment) for moment in range(START, END, _HEARTBEAT)]
            origin = Origin(coded([sensor] * len(words)), session, datetime.now(UTC).date())
            Writer(client, address).write_statuses(words, origin, f"words of {sensor}")
        self._write_quiet(client, address)
        client.disconnect()

    def _write_quiet(self, client: Any, address: ServerAddress) -> None:
        """Write what the quiet sensor says until a quarter of an hour later, when it starts anew, and its minute."""
        for session, first, last in (("aa" * 16, QUIET_FROM, QUIET_UNTIL), ("bb" * 16, QUIET_UNTIL, QUIET_UNTIL + 10)):
            seen = 6000 if first == QUIET_FROM else 0
            words = [
                _word(QUIET, session, moment)._replace(segments=min(100 * (moment - first), seen))
                for moment in range(first, last, _HEARTBEAT)
            ]
            origin = Origin(coded([QUIET] * len(words)), session, datetime.now(UTC).date())
            Writer(client, address).write_statuses(words, origin, f"words of {QUIET} from {first}")
        client.execute(
            "INSERT INTO traffic_1m SELECT * REPLACE (%(name)s AS sensor, toDateTime(%(minute)s, 'UTC') AS time) "
            "FROM traffic_1m LIMIT 1",
            {"name": QUIET, "minute": QUIET_FROM},
        )


def _word(sensor: str, session: str, moment: int) -> SensorStatus:
    passed = moment - START
    seen, lost = 100 * passed, 10 * max(passed - 60, 0)
    numbers = {
        "frames": seen, "segments": seen, "kernel_drops": lost, "published_segments": seen, "queued_batches": 3,
        "spooled_batches": 1, "spooled_bytes": 4096, "shed_segments": lost, "keep_one_in": 2 if lost else 1,
    }  # fmt: skip
    defaults = dict.fromkeys(SensorStatus._fields, 0)
    words = {
        "sensor": sensor, "session": session, "ts": moment * 10**9, "host": "edge", "interface": "eth0",
        "capture_filter": "tcp", "snaplen": 256, "version": "0.1.0", "state": "spooling" if lost else "running",
        "problem": "Kafka is away" if lost else "",
    }  # fmt: skip
    return SensorStatus(**(defaults | numbers | words))


def _moved(capture: bytes, seconds: int) -> bytes:
    """Return a capture (little endian, microseconds) whose frames came so many seconds later."""
    moved = bytearray(capture)
    at = _FILE_HEADER
    while at < len(moved):
        second, fraction, kept, length = _RECORD.unpack_from(moved, at)
        _RECORD.pack_into(moved, at, second + seconds, fraction, kept, length)
        at += _RECORD.size + kept
    return bytes(moved)
