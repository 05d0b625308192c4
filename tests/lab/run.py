"""Runs a scenario: hosts, middlebox and trace, then captures and truth."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.lab import smoltcp, truth
from tests.lab.captures import Capture, capture
from tests.lab.checks import problems
from tests.lab.endpoint import READY, Plan
from tests.lab.kernel import Tracer, of_namespaces, parse, tracer
from tests.lab.middlebox import Middlebox
from tests.lab.needs import MissingError, missing
from tests.lab.network import SERVER_ADDRESS, LabNetwork
from tests.lab.settings import Scenario

_LONGEST_SECONDS: Final = 40.0
_LINGER_SECONDS: Final = 0.5
"""After the hosts' programs have ended: FINs and their acknowledgements are still on their way."""


class UnfinishedError(Exception):
    """The hosts of a scenario talked for too long."""


class Outcome(NamedTuple):
    """A run and its truth."""

    run: truth.Run
    captures: list[Capture]
    rows: list[truth.Row]
    problems: list[str]
    clock_offset: int
    """Nanoseconds between CLOCK_MONOTONIC and the time of day."""
    client: dict[str, Any]
    server: dict[str, Any]


class Lab:
    """Runs scenarios, one after the other, under one trace of the kernel."""

    def __init__(self, trace: Tracer, folder: Path) -> None:
        self._trace = trace
        self._folder = folder

    def run(self, scenario: Scenario) -> Outcome:
        """Run a scenario; raise MissingError where this machine cannot."""
        network = LabNetwork(self._folder, scenario.stack)
        box: Middlebox | None = None
        try:
            network.make()
            box = Middlebox(scenario, *network.taps)
            box.start()
            offset = time.time_ns() - time.monotonic_ns()
            said, client, server = _traffic(network, scenario, self._folder)
            time.sleep(_LINGER_SECONDS)
            box.stop()
            if box.failure:
                raise box.failure
            word = self._trace.take(time.monotonic_ns())
            if scenario.stack.client == "smoltcp":
                word = word.and_also(parse(said))
            counted = network.received_segments()
            run = truth.Run(
                box.packets, box.actions, box.passings, of_namespaces(word, network.inodes()), network.inodes(),
                network.thrown_away(), scenario.points,
            )  # fmt: skip
        finally:
            if box is not None and box.is_alive():
                box.stop()
            network.remove()
        captures = [capture(run.passings, point, scenario.faults, scenario.name) for point in range(len(run.points))]
        known = truth.know(run)
        rows = list(truth.rows(run, known, captures))
        return Outcome(run, captures, rows, list(problems(run, known, client, counted)), offset, client, server)


@contextmanager
def lab() -> Iterator[Lab]:
    """Give a lab, and end its trace; raise MissingError where this machine cannot have one."""
    reason = missing()
    if reason:
        raise MissingError(reason)
    with tempfile.TemporaryDirectory(prefix="segwatch-lab-") as folder, tracer(Path(folder)) as trace:
        yield Lab(trace, Path(folder))


def _traffic(network: LabNetwork, scenario: Scenario, folder: Path) -> tuple[list[str], dict[str, Any], dict[str, Any]]:
    """Let the hosts talk; return all that the client said, and what client and server say of their connections."""
    stack = scenario.stack
    buffer = scenario.traffic.receive_buffer or stack.receive_buffer
    plan = Plan(scenario.traffic, SERVER_ADDRESS, stack.congestion, buffer, stack.quick_acks, _LONGEST_SECONDS)
    path = folder / "plan.json"
    path.write_text(plan.text(), encoding="utf-8")
    command = (sys.executable, "-m", "tests.lab.endpoint")
    server = network.start(network.server, *command, "server", str(path), ready=READY)
    if stack.client == "smoltcp":
        client = network.start_beside(*smoltcp.command(network.client_end, scenario.traffic))
    else:
        client = network.start(network.client, *command, "client", str(path))
    try:
        for process in (client, server):
            network.ended(process, _LONGEST_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise UnfinishedError(f"{scenario.name}: the hosts did not end within {_LONGEST_SECONDS:.0f} s") from error
    told, answered = (network.log(process).splitlines() for process in (client, server))
    return told, json.loads(told[-1]), json.loads(answered[-1])


def described(scenario: Scenario, outcome: Outcome) -> dict[str, Any]:
    """Return what ``scenario.json`` has."""
    frames = {name: len(one.frames) for name, one in zip(scenario.points, outcome.captures, strict=True)}
    return {
        **asdict(scenario),
        "points": scenario.points,
        "frames": frames,
        "client_connections": outcome.client,
        "server_connections": outcome.server,
        "thrown_away": outcome.run.thrown_away,
    }
