"""A live sensor under mixed load for long: its memory, its descriptors, and its counters beside tcpdump's."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from segwatch.kafka.admin import create_topics
from segwatch.kafka.broker.local import LocalBroker
from segwatch.processes.ports import free_ports
from segwatch.telemetry.address import MetricsAddress
from segwatch.telemetry.reading import read_telemetry
from tests.live.dumps import dumping
from tests.live.flood import arguments
from tests.live.namespaces import SERVER_ADDRESSES, SERVER_SIDE, Network, network, skip_without
from tests.live.traffic import Talk, serving

PARTITIONS: Final = 3
_TALK: Final = Talk(SERVER_ADDRESSES, bulk_bytes=1 << 20, short=100, refused=5, reset=5, again_after=0.5)
_FLOWS: Final = 1024
_ANSWER_SECONDS: Final = 10.0
_PATIENCE_SECONDS: Final = 300.0
_MOST_GROWTH: Final = 0.02
"""Of memory, between the first and the last quarter of what is judged: more is no noise."""
_COUNTS: Final = re.compile(r"(\d+) packets? captured, (\d+) packets? received by filter, (\d+) packets? dropped")


class Sample(NamedTuple):
    """What was seen at one moment; counters since the beginning."""

    seconds: float
    resident_mib: float
    descriptors: int
    threads: int
    frames: int
    """Of the sensor, with those that the kernel dropped."""
    dumped: int
    """Of tcpdump, with those that the kernel dropped."""


class _Observed:
    """A sensor and a tcpdump on the same interface."""

    def __init__(self, net: Network, broker: LocalBroker) -> None:
        self._net = net
        (port,) = free_ports(1)
        self._metrics = MetricsAddress("127.0.0.1", port)
        self.sensor = net.start(
            net.router, sys.executable, "-m", "segwatch", "sensor", "--interface", SERVER_SIDE, "--allow-root",
            "--name", "edge", "--filter", "tcp", "--kafka", broker.address.bootstrap, "--metrics", str(port),
            "--spool", str(net.folder / "spool"), ready=f"Capturing {SERVER_SIDE}",
        )  # fmt: skip
        self._dump = net.start(
            net.router, *dumping(SERVER_SIDE, Path("/dev/null")), ready="listening on",
        )  # fmt: skip
        self._began = time.monotonic()

    def sample(self) -> Sample:
        """Look at both."""
        process = Path(f"/proc/{self.sensor.pid}")
        fields = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
        said = read_telemetry(self._metrics, _ANSWER_SECONDS)
        assert said is not None, self._net.log(self.sensor)
        totals = said.totals
        return Sample(
            round(time.monotonic() - self._began, 1),
            round(int(fields["VmRSS"].split()[0]) / 1024, 1),
            len(list((process / "fd").iterdir())),
            int(fields["Threads"]),
            int(totals["segwatch_capture_frames_total"] + totals["segwatch_capture_kernel_drops_total"]),
            self._dumped(),
        )

    def _dumped(self) -> int:
        before = len(_COUNTS.findall(self._net.log(self._dump)))
        self._dump.send_signal(signal.SIGUSR1)
        self._net.wait(lambda: len(_COUNTS.findall(self._net.log(self._dump))) > before, self._dump)
        _, received, _ = _COUNTS.findall(self._net.log(self._dump))[-1]
        return int(received)

    def end(self) -> None:
        """End both."""
        self._net.stop(self.sensor)
        self._net.stop(self._dump, signal.SIGINT)


def hour_trial(
    folder: Path, seconds: float, rate: int, every: float, show: Callable[[Sample], None] = lambda _: None
) -> dict[str, Any]:
    """Load a sensor for so long, with ``rate`` small packets a second beside other traffic; return what was seen.

    It is sampled every so many seconds, and ``show`` is called with each sample. ``faults`` are sentences.
    """
    skip_without("ethtool", "tcpdump")
    with network(folder) as net, net.inside(net.router):
        # So that the pair has a receive queue for frames of a BPF program.
        net.run(net.router, "ethtool", "-K", SERVER_SIDE, "gro", "on")
        net.lose_packets(net.router)
        broker = LocalBroker(folder / "kafka")
        try:
            create_topics(broker.start(), PARTITIONS)
            observed = _Observed(net, broker)
            load = _load(net, seconds, rate)
            samples = _watch(observed, seconds, every, show)
            load[0].send_signal(signal.SIGTERM)
            for process in load:
                net.ended(process, _PATIENCE_SECONDS)
            last = _settled(observed)
            observed.end()
        finally:
            broker.stop()
    return {"packets": last.dumped, "counted by the sensor": last.frames, **judged(samples, last)}


def _load(net: Network, seconds: float, rate: int) -> list[subprocess.Popen[bytes]]:
    net.start(net.server, *serving(SERVER_ADDRESSES), ready="listening")
    talker = net.start(net.client, *_TALK.command())
    return [talker, net.start(net.router, *arguments(SERVER_SIDE, _FLOWS, rate, seconds))]


def _watch(observed: _Observed, seconds: float, every: float, show: Callable[[Sample], None]) -> list[Sample]:
    samples = []
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        time.sleep(max(begin + every * (len(samples) + 1) - time.monotonic(), 0))
        samples.append(observed.sample())
        show(samples[-1])
    return samples


def _settled(observed: _Observed) -> Sample:
    """Return a sample after the load, when both have counted everything, or the last of some minutes."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        last = observed.sample()
        if last.frames == last.dumped or time.monotonic() > deadline:
            return last
        time.sleep(1)


def judged(samples: Sequence[Sample], last: Sample) -> dict[str, Any]:
    """Return what changed after the first sixth: medians of the first and of the last quarter of the rest.

    ``last`` is a sample after the load.
    """
    rest = np.array(samples[len(samples) // 6 :], float)
    quarter = max(len(rest) // 4, 1)
    begin, end = (np.median(part, axis=0) for part in (rest[:quarter], rest[-quarter:]))
    behind = rest[:, 5] - rest[:, 4]
    shown: dict[str, Any] = {
        name: {"then": float(begin[place]), "at the end": float(end[place]), "most": float(rest[:, place].max())}
        for place, name in enumerate(Sample._fields)
        if name in {"resident_mib", "descriptors", "threads"}
    }
    shown["frames behind tcpdump"] = {
        "then": float(np.median(behind[:quarter])),
        "at the end": float(np.median(behind[-quarter:])),
        "most": float(behind.max()),
    }
    memory = shown["resident_mib"]
    faults = [
        f"{name} grew from {shown[name]['then']} to {shown[name]['at the end']}"
        for name in ("descriptors", "threads")
        if shown[name]["at the end"] > shown[name]["then"]
    ]
    if memory["at the end"] > memory["then"] * (1 + _MOST_GROWTH):
        faults.append(f"memory grew from {memory['then']} to {memory['at the end']} MiB")
    if last.frames != last.dumped:
        faults.append(f"after the load the sensor has counted {last.frames} frames, and tcpdump {last.dumped}")
    return {"samples": len(samples), **shown, "faults": faults}
