"""A crash at every named step of the processor's and of the sink's cycle: nothing lost, nothing doubled."""

import signal
import subprocess
import time
from pathlib import Path
from typing import Final

import pytest

from processors.worker.worker import STEPS as PROCESSOR_STEPS
from sinks.consumer.cycle import STEPS as SINK_STEPS
from tests.pipeline.answers import differences, keep_arrivals, store_offline
from tests.pipeline.cluster import ENDED_WELL, Cluster, running
from tests.support import REPOSITORY

CAPTURE: Final = str(REPOSITORY / "segwatch" / "data" / "demo.pcap.gz")
_PATIENCE_SECONDS: Final = 90.0
_PROCESSOR: Final = ("processor", "--checkpoint-seconds", "0.2")
_SINK: Final = ("sink",)
# A letter must be refused for the dead letters' step to be reached: the poison trial has it.
_STEPS: Final = [(_PROCESSOR, step) for step in PROCESSOR_STEPS] + [
    (_SINK, step) for step in SINK_STEPS if step != "sink: after dead letters"
]


def _crashed(process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    return process.returncode == -signal.SIGKILL


def _crash_at(cluster: Cluster, role: tuple[str, ...], step: str) -> str:
    """Let one worker die at a step while a capture is published, and another go on; return the session."""
    others = [cluster.spawn(*other) for other in (_PROCESSOR, _SINK) if other != role]
    victim = cluster.spawn(*role, crash=(step, 3))
    published = cluster.publish(CAPTURE)
    assert _crashed(victim), f"{step} was not reached\n{cluster.logs()}"
    others.append(cluster.spawn(*role))
    cluster.wait_until_stored(_PATIENCE_SECONDS)
    for worker in others:
        worker.terminate()
    assert {worker.wait(timeout=60) for worker in others} <= ENDED_WELL, cluster.logs()
    session: str = published[0]["session"]
    return session


@pytest.mark.usefixtures("kafka_installed")
def test_a_crash_at_each_step(tmp_path: Path) -> None:
    with running(tmp_path, partitions=3) as cluster:
        cluster.piece_bytes = 1000
        keep_arrivals(cluster.store)
        sessions = [_crash_at(cluster, role, step) for role, step in _STEPS]
        store_offline(cluster, [(CAPTURE, session) for session in sessions])
        assert differences(cluster) == {}
