"""What a sensor costs that has nothing to do: python -m tests.live.idle [--seconds N] [--partitions N].

It captures a quiet interface in a network namespace with a local Kafka, once with a spool and once without. Printed are
the share of a processor and the resident memory, and what of it each thread takes, with its wake-ups a second.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from segwatch.kafka.admin import create_topics
from segwatch.kafka.broker.local import LocalBroker
from tests.live.namespaces import SERVER_SIDE, network

SETTLE_SECONDS = 20
"""After which a sensor has started, and has looked for another one of its name."""


class Task(NamedTuple):
    """What a thread has used so far."""

    seconds: float
    """Of a processor."""
    wake_ups: int


def tasks(pid: int) -> dict[str, Task]:
    """Return the threads of a process, by name and number."""
    found = {}
    for path in Path(f"/proc/{pid}/task").iterdir():
        used = int((path / "schedstat").read_text(encoding="ascii").split()[0])
        status = dict(line.split(":\t", 1) for line in (path / "status").read_text().splitlines() if ":\t" in line)
        found[f"{status['Name']} {path.name}"] = Task(used / 1e9, int(status["voluntary_ctxt_switches"]))
    return found


def resident_megabytes(pid: int) -> dict[str, float]:
    """Return the resident memory: all of it, what belongs to no file, and what is shared (the ring of packets)."""
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    names = {"all": "VmRSS", "anonymous": "RssAnon", "files": "RssFile", "shared": "RssShmem"}
    return {name: round(int(status[field].split()[0]) * 1024 / 1e6, 1) for name, field in names.items()}


def usage(pid: int, seconds: float) -> dict[str, Any]:
    """Return what a process uses in so many seconds."""
    before, began = tasks(pid), time.monotonic()
    time.sleep(seconds)
    after, took = tasks(pid), time.monotonic() - began
    idle = Task(0.0, 0)
    shares = {name: 100 * (after[name].seconds - before.get(name, idle).seconds) / took for name in after}
    wakes = {name: (after[name].wake_ups - before.get(name, idle).wake_ups) / took for name in after}
    return {
        "percent_of_a_core": round(sum(shares.values()), 2),
        "resident_mb": resident_megabytes(pid),
        "wake_ups_a_second": round(sum(wakes.values()), 1),
        "threads": {
            name: f"{shares[name]:.3f} %, {wakes[name]:.1f} wake-ups a second" for name in after if wakes[name] > 0
        },
    }


def measure(folder: Path, seconds: float, partitions: int, settle: float = SETTLE_SECONDS) -> dict[str, Any]:
    """Return the figures with a spool and without, ``settle`` seconds after the start."""
    measured = {}
    with network(folder) as net, net.inside(net.router):
        broker = LocalBroker(folder / "kafka")
        try:
            create_topics(broker.start(), partitions)
            for name, spool in (("with_spool", str(folder / "spool")), ("without_spool", "none")):
                sensor = net.start(
                    net.router, sys.executable, "-m", "segwatch", "sensor", "--interface", SERVER_SIDE, "--allow-root",
                    "--kafka", broker.address.bootstrap, "--spool", spool, ready="Capturing",
                )  # fmt: skip
                time.sleep(settle)
                measured[name] = usage(sensor.pid, seconds)
                net.stop(sensor)
        finally:
            broker.stop()
    return measured


def main() -> None:
    """Measure as the command line says, and print it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.live.idle", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long each [60]")
    parser.add_argument("--partitions", type=int, default=8, help="of the topic of segments [8]")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(Path(folder), chosen.seconds, chosen.partitions)
    sys.stdout.write(f"{json.dumps(measured, indent=2)}\n")


if __name__ == "__main__":
    main()
