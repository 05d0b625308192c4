"""Sensors as processes: how to start, wait for and end them."""

import json
import subprocess
import sys
import time
from collections.abc import Callable

from segwatch.kafka.address import KafkaAddress
from segwatch.records.segments import SegmentColumns
from tests.pipeline.published import message_count

PARTITIONS = 3
PATIENCE_SECONDS = 120
SEGWATCH = (sys.executable, "-c", "import sys; from segwatch.cli.main import main; main(sys.argv[1:])")

Start = Callable[..., subprocess.Popen[str]]


def finish(process: subprocess.Popen[str], code: int = 0) -> list[dict[str, object]]:
    """Wait for the end of a sensor; return the sessions that it tells of."""
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == code, err
    return json.loads(out)["sessions"] if out else []


def pace(segments: SegmentColumns, seconds: float) -> str:
    """Return the speed at which a capture lasts so long."""
    return str((int(segments.ts[-1]) - int(segments.ts[0])) / 1e9 / seconds)


def wait_for_messages(address: KafkaAddress, count: int) -> None:
    """Wait until there are more than ``count`` messages of segments."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while message_count(address) <= count:
        assert time.monotonic() < deadline
        time.sleep(0.05)
