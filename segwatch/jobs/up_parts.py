"""The parts of ``segwatch up``: which commands they are, and what they say of themselves."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from segwatch.processes.ports import HOST, free_ports
from segwatch.supervision.child import Child
from segwatch.supervision.guard import Guard
from segwatch.telemetry.address import MetricsAddress
from segwatch.telemetry.reading import Reading, read_telemetry

_READ_SECONDS: Final = 0.5
_WAITING: Final = "segwatch_waiting_messages"
_HASTY_CHECKPOINTS: Final = "1"
"""Seconds between checkpoints: what is analysed counts as done after one."""


@dataclass
class Part:
    """A child, and what was last heard of it."""

    child: Child
    counter: str
    """Metric of what it has done."""
    unit: str
    address: MetricsAddress | None = None
    is_healthy: bool = True
    waiting: int = 0
    total: float = 0.0
    """What all its processes have done so far."""
    rate: float = 0.0
    """What is done a second."""
    _counted: float = 0.0
    _heard: float | None = None
    _was_start: int = 0

    def listen(self, now: float) -> None:
        """Ask the process how it is; one that does not answer is as it was."""
        if self.child.pid is None or self.address is None:
            self.rate, self.waiting, self._heard = 0.0, 0, None
            return
        reading = read_telemetry(self.address, _READ_SECONDS)
        if reading is not None:
            self._take(reading, now)

    def _take(self, reading: Reading, now: float) -> None:
        if self.child.starts != self._was_start:
            self._counted, self._heard, self._was_start = 0.0, None, self.child.starts
        counted = reading.totals.get(self.counter, 0.0)
        done = max(0.0, counted - self._counted)
        self.total += done
        self.rate = done / (now - self._heard) if self._heard is not None and now > self._heard else 0.0
        self._counted, self._heard = counted, now
        self.is_healthy = reading.is_healthy
        self.waiting = int(reading.totals.get(_WAITING, 0))


def published_sessions(sensor: Part) -> list[dict[str, Any]]:
    """Return what a sensor that has ended says it published: file, session, segments, ... of each."""
    try:
        document = json.loads(sensor.child.results.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    sessions: list[dict[str, Any]] = document["sessions"]
    return sessions


class PartsMaker:
    """Makes parts whose outputs are in one folder and that one guard looks after."""

    def __init__(self, folder: Path, guard: Guard) -> None:
        self._folder = folder
        self._guard = guard

    def sensor(self, files: tuple[str, ...], speed: float | None, name: str) -> Part:
        """Return the sensor that publishes capture files."""
        pace = "max" if speed is None else repr(speed)
        reads = [word for file in files for word in ("--read", file)]
        return self._part(
            "sensor", ["sensor", "--json", "--speed", pace, "--name", name, *reads], "sensor_segments_published"
        )

    def live_sensor(self, interfaces: tuple[str, ...], name: str) -> Part:
        """Return the sensor that captures interfaces; with the rights that this process has."""
        chosen = [word for interface in interfaces for word in ("--interface", interface)]
        rights = [] if os.geteuid() else ["--allow-root"]
        return self._part("sensor", ["sensor", "--json", "--name", name, *chosen, *rights], "sensor_segments_published")

    def processor(self, number: int, *, hasty: bool) -> Part:
        """Return a processor; a ``hasty`` one writes checkpoints often."""
        options = ["--checkpoint-seconds", _HASTY_CHECKPOINTS] if hasty else []
        return self._part(f"processor {number}", ["processor", *options], "processor_segments")

    def sink(self, store: str) -> Part:
        """Return the sink."""
        return self._part("sink", ["sink", "--store", store], "sink_rows", "rows")

    def _part(self, name: str, command: list[str], counter: str, unit: str = "segments") -> Part:
        output = self._folder / f"{name.replace(' ', '-')}.log"
        part = Part(
            Child(name, _arguments(command, lambda: part), output, self._guard), f"segwatch_{counter}_total", unit
        )
        return part


def _arguments(command: list[str], part: Callable[[], Part]) -> Callable[[], list[str]]:
    """Return what makes the arguments of a start: metrics are served at another port each time."""

    def arguments() -> list[str]:
        address = part().address = MetricsAddress(HOST, *free_ports(1))
        return [*command, "--metrics", str(address)]

    return arguments
