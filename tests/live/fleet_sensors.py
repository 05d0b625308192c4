"""The sensors of a fleet as processes, a tcpdump beside each of their interfaces, and the traffic that they see."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.live.dumps import SNAPLEN, dumping
from tests.live.fleet_network import BRANCHES, BROKER, PLACES, SERVER_ADDRESSES, FleetNetwork, Place
from tests.live.traffic import Talk, serving

PATIENCE_SECONDS: Final = 300.0
"""Eight sensors that start at once on a busy machine take their time."""
Process = subprocess.Popen[bytes]
_CLIENT_TALK = Talk(SERVER_ADDRESSES, bulk_bytes=100_000, short=20, refused=2, reset=3, again_after=1.0)
_BRANCH_TALK = Talk(SERVER_ADDRESSES, bulk_bytes=30_000, short=10, refused=1, reset=1, again_after=2.0)


class Fleet:
    """Starts, kills and ends what a fleet consists of."""

    def __init__(self, net: FleetNetwork) -> None:
        self.net = net
        self.sensors: dict[str, Process] = {}
        """Those that run, by host."""
        self._dumps: list[Process] = []
        self._talkers: list[Process] = []

    def spool(self, host: str) -> Path:
        """Return the folder of a sensor's spool."""
        return self.net.folder / f"spool-{host}"

    def dump(self, host: str, interface: str) -> Path:
        """Return the file of a tcpdump."""
        return self.net.folder / f"{host}-{interface}.pcap"

    def start(self) -> None:
        """Start sensors and dumps, then the traffic."""
        for place in PLACES:
            self.sensors[place.host] = self._spawn(place)
        for place in PLACES:
            self._wait_for(place)
            for interface in place.interfaces:
                command = dumping(interface, self.dump(place.host, interface))
                self._dumps.append(self.net.start(self.net.at[place.host], *command, ready="listening on"))
        self.net.start(self.net.at["server"], *serving(SERVER_ADDRESSES), ready="listening")
        for host, talk in (("client", _CLIENT_TALK), *((branch, _BRANCH_TALK) for branch in BRANCHES)):
            self._talkers.append(self.net.start(self.net.at[host], *talk.command()))

    def kill(self, host: str) -> int:
        """Kill a sensor; return the time before that, in nanoseconds since the epoch."""
        before = time.time_ns()
        self.sensors[host].kill()
        self.sensors[host].wait()
        return before

    def restart(self, host: str) -> int:
        """Start a sensor again; return the time when it captures."""
        (place,) = (one for one in PLACES if one.host == host)
        self.sensors[host] = self._spawn(place)
        self._wait_for(place)
        return time.time_ns()

    def end(self) -> int:
        """End the traffic, then all sensors; return the time between, in nanoseconds since the epoch."""
        for talker in self._talkers:
            talker.send_signal(signal.SIGTERM)
        for talker in self._talkers:
            self.net.ended(talker, PATIENCE_SECONDS)
        asked = time.time_ns()
        for sensor in self.sensors.values():
            sensor.send_signal(signal.SIGTERM)
        for sensor in self.sensors.values():
            self.net.ended(sensor, PATIENCE_SECONDS)
        return asked

    def end_dumps(self) -> None:
        """End the dumps, once they have written what they are wanted for."""
        for dump in self._dumps:
            self.net.stop(dump, signal.SIGINT)

    def wait(self, done: Callable[[], bool], host: str, seconds: float = 0.0) -> None:
        """Wait until something is so, as long as a sensor runs; ``seconds``: what it takes by itself."""
        self.net.wait(done, self.sensors[host], seconds + PATIENCE_SECONDS)

    def _spawn(self, place: Place) -> Process:
        interfaces = [part for interface in place.interfaces for part in ("--interface", interface)]
        return self.net.start(
            self.net.at[place.host], sys.executable, "-m", "segwatch", "sensor", *interfaces, "--allow-root",
            "--filter", "tcp", "--snaplen", str(SNAPLEN), "--name", place.host, "--kafka", BROKER,
            "--spool", str(self.spool(place.host)),
        )  # fmt: skip

    def _wait_for(self, place: Place) -> None:
        sensor = self.sensors[place.host]
        for interface in place.interfaces:
            said = f"Capturing {interface}"
            self.net.wait(lambda said=said: said in self.net.log(sensor), sensor, PATIENCE_SECONDS)
