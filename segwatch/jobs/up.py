"""The job behind ``segwatch up``: the whole pipeline on this machine, under one supervisor."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from ingest.capture.live.interfaces import require_interface
from ingest.capture.reader import open_capture
from segwatch.errors import BusError, KafkaUnavailableError, PartialInputError, SegwatchError, StoreError, UsageError
from segwatch.jobs.compiled import is_warm
from segwatch.jobs.inputs import capture_files
from segwatch.jobs.sensor import sentence
from segwatch.jobs.stopping import stop_requested
from segwatch.jobs.up_parts import Part, PartsMaker, published_sessions
from segwatch.jobs.up_servers import Servers
from segwatch.jobs.up_view import View, view
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.arrival import Arrival, Left
from segwatch.kafka.topics import sink_topics
from segwatch.processes.locks import try_lock
from segwatch.settings import settings
from segwatch.supervision.child import ended_how
from segwatch.supervision.guard import Guard

EXIT_INTERRUPTED: Final = 130
_TICK_SECONDS: Final = 0.1
_SHOW_SECONDS: Final = 1.0
_ASK_SECONDS: Final = 0.5
_FAILURES: Final = {kind.exit_code: kind for kind in (UsageError, StoreError, BusError)}
"""By exit code of a part that cannot be started."""
END_SECONDS: Final = 30.0
"""How long a part may take to end before it is killed."""
DRAIN_SECONDS: Final = 60.0
"""How long the end waits for what was published to be stored; what is not then, Kafka keeps."""


@dataclass(frozen=True)
class UpJob:
    """What to run."""

    read: tuple[str, ...]
    """Captures to publish."""
    interfaces: tuple[str, ...]
    """Interfaces to capture; where there are neither, sensors run elsewhere."""
    speed: float | None
    name: str
    processors: int
    store: str
    keep: bool
    """Whether to go on when all of the captures is stored."""

    def run(self) -> int:
        """Run the pipeline until a signal comes, or all of the captures is stored; return the exit code."""
        if self.store == "none":
            raise UsageError(
                "the pipeline needs a store: `local` or clickhouse://[user@]host[:port]/database, not none."
            )
        _check(self.read)
        for interface in self.interfaces:
            require_interface(interface)
        folder = settings().data_dir.absolute() / "up"
        with ExitStack() as stack:
            stack.enter_context(_alone(folder))
            _compile()
            guard = Guard()
            stack.callback(guard.close)
            servers = Servers(self.store, guard)
            stack.callback(servers.stop)
            address, store = servers.start(self.processors)
            stop = stack.enter_context(stop_requested())
            shown = stack.enter_context(view(f"Kafka {address.bootstrap}, store {store}"))
            maker = PartsMaker(folder, guard)
            sensor = self._sensor(maker)
            processors = [maker.processor(number, hasty=bool(self.read)) for number in range(1, self.processors + 1)]
            sink = maker.sink(self.store)
            return Supervisor(self, address, servers, shown, stop, sensor, processors, sink).run()

    def _sensor(self, maker: PartsMaker) -> Part | None:
        if self.interfaces:
            return maker.live_sensor(self.interfaces, self.name)
        return maker.sensor(self.read, self.speed, self.name) if self.read else None


class Supervisor:
    """Keeps the parts running, and ends them in order."""

    def __init__(
        self,
        job: UpJob,
        address: KafkaAddress,
        servers: Servers,
        shown: View,
        stop: threading.Event,
        sensor: Part | None,
        processors: list[Part],
        sink: Part,
    ) -> None:
        self._job = job
        self._address = address
        self._servers = servers
        self._view = shown
        self._stop = stop
        self._sensor = sensor
        self._publishing = sensor if job.read else None
        """The sensor, where it is to come to an end by itself."""
        self._workers = [*processors, sink]
        self._processors, self._sink = processors, sink
        self._parts = [*([sensor] if sensor else []), *self._workers]
        self._exit_code = 0
        self._doing = "starting"
        self._shown = self._asked = float("-inf")
        self._left: Left | None = None

    def run(self) -> int:
        """Work until the end; return the exit code."""
        try:
            # The sink first: it brings up what it needs while the others still start.
            for part in reversed(self._parts):
                part.child.start(time.monotonic())
            self._doing = "Ctrl-C ends it."
            self._until_end()
            self._end()
        except KeyboardInterrupt:
            self._exit_code = EXIT_INTERRUPTED
        finally:
            for part in self._parts:
                part.child.end(signal.SIGKILL)
            self._wait_for(self._parts, END_SECONDS)
        return self._exit_code

    def _until_end(self) -> None:
        with ExitStack() as stack:
            arrival: Arrival | None = None
            while not self._stop.is_set():
                self._tick()
                if self._publishing is None or self._publishing.child.pid is not None or self._job.keep:
                    continue
                if self._exit_code not in {0, PartialInputError.exit_code}:
                    return
                arrival = arrival or self._arrival(stack)
                if arrival is not None and self._has_arrived(arrival):
                    return
            if self._publishing is not None and not self._job.keep:
                self._exit_code = EXIT_INTERRUPTED

    def _arrival(self, stack: ExitStack) -> Arrival | None:
        """Begin to follow what was published; ``None`` while Kafka does not answer."""
        try:
            topics = sink_topics(with_segments=settings().segments)
            return stack.enter_context(Arrival(self._address, topics))
        except KafkaUnavailableError:
            return None

    def _has_arrived(self, arrival: Arrival) -> bool:
        now = time.monotonic()
        if now - self._asked < _ASK_SECONDS:
            return False
        self._asked = now
        try:
            left = self._left = arrival.left()
        except BusError:
            return False
        self._doing = f"Waiting for {left.to_analyse} messages to be analysed and {left.to_store} to be stored."
        return left.is_nothing

    def _tick(self) -> None:
        """Look after everything once."""
        now = time.monotonic()
        for part in self._parts:
            if part.child.has_ended(now):
                self._ended(part, now)
            if part.child.due is not None and now >= part.child.due:
                part.child.start(now)
        said = self._servers.look_after()
        if said:
            self._view.tell(said)
        self._show(now)
        self._stop.wait(_TICK_SECONDS)

    def _show(self, now: float) -> None:
        if now - self._shown < _SHOW_SECONDS:
            return
        self._shown = now
        for part in self._parts:
            part.listen(now)
        self._view.show(self._parts, self._doing)

    def _ended(self, part: Part, now: float) -> None:
        """Say how a part ended, and whether it is started again."""
        child = part.child
        if part is self._publishing:
            self._sensor_ended()
            return
        how = ended_how(child.code)
        if child.backoff.is_hopeless:
            raise _FAILURES.get(child.code or 0, SegwatchError)(
                f"{child.name} ends as soon as it is started ({how}): {child.last_words()}"
            )
        pause = (child.due or now) - now
        told = f": {child.last_words()}" if (child.code or 0) > 0 else ""
        self._view.tell(f"{child.name} has ended ({how}){told}; it is started again in {pause:.1f} seconds.")

    def _sensor_ended(self) -> None:
        """A sensor that reads files is not started again: it would publish them a second time."""
        assert self._sensor is not None  # noqa: S101  # who asks has looked
        child = self._sensor.child
        child.due = None
        self._tell_sensor()
        code = child.code or 0
        if code < 0:
            self._view.tell(f"The sensor has {ended_how(code)}, so its session is incomplete: publish it again.")
        self._exit_code = code if code >= 0 else SegwatchError.exit_code

    def _tell_sensor(self) -> None:
        """Say what the sensor has published, and what was wrong."""
        assert self._sensor is not None  # noqa: S101  # as above
        for line in self._sensor.child.lines():
            self._view.tell(line)
        sessions = published_sessions(self._sensor)
        self._sensor.total = sum(session["segments"] for session in sessions)
        for session in sessions:
            self._view.tell(sentence(session))

    def _end(self) -> None:
        """End the sensor, then the processors, then the sink, when what was published is stored."""
        if self._sensor is not None and self._sensor.child.pid is not None:
            self._doing = "Ending the sensor."
            self._end_parts([self._sensor])
            self._tell_sensor()
        if self._left is None or not self._left.is_nothing:
            self._drain()
        for part in self._workers:
            part.listen(time.monotonic())
        self._doing = "Ending the processors."
        self._end_parts(self._processors)
        self._doing = "Ending the sink."
        self._end_parts([self._sink])
        self._view.close(self._parts, self._summary())

    def _drain(self) -> None:
        """Wait for what was published to be stored, with an end."""
        deadline = time.monotonic() + DRAIN_SECONDS
        self._stop.clear()
        with ExitStack() as stack:
            arrival: Arrival | None = None
            while time.monotonic() < deadline:
                self._tick()
                arrival = arrival or self._arrival(stack)
                if arrival is not None and self._has_arrived(arrival):
                    return
        left = self._left
        waiting = f"{left.to_analyse} messages to analyse and {left.to_store} to store" if left else "what is left"
        self._view.tell(f"Kafka keeps {waiting}; the next segwatch up goes on with them.")

    def _summary(self) -> str:
        published = f"{self._sensor.total:,.0f} segments published, " if self._sensor else ""
        return f"{published}{self._sink.total:,.0f} rows stored."

    def _end_parts(self, parts: list[Part]) -> None:
        """End parts politely; kill those that take too long."""
        for part in parts:
            part.child.end(signal.SIGTERM)
        self._wait_for(parts, END_SECONDS)
        for part in parts:
            if part.child.pid is not None:
                self._view.tell(f"{part.child.name} does not end; it is killed.")
                part.child.end(signal.SIGKILL)
        self._wait_for(parts, END_SECONDS)

    def _wait_for(self, parts: list[Part], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while any(part.child.pid is not None for part in parts) and time.monotonic() < deadline:
            now = time.monotonic()
            for part in parts:
                part.child.has_ended(now)
            self._show(now)
            time.sleep(_TICK_SECONDS)


def _check(read: tuple[str, ...]) -> None:
    """See, before anything is started, that there is something to read. Raises ``InputError`` and ``UsageError``."""
    if "-" in read:
        raise UsageError("segwatch up reads files, not standard input; publish that with: segwatch sensor --read -")
    files, errors, _ = capture_files(read)
    if errors and not files:
        raise errors[0]
    if len(files) == 1 and not errors:
        open_capture(files[0]).close()


def _compile() -> None:
    """Compile everything, if it is not: the parts would do it all at once, and miss their heartbeats meanwhile."""
    if is_warm():
        return
    click.echo("Compiling everything, once.", err=True)
    subprocess.run(
        [sys.executable, "-P", "-m", "segwatch", "warmup"], stdout=subprocess.DEVNULL, check=False
    )  # what fails here, the parts try again


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only one of this data folder. Raises ``UsageError``."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = try_lock(folder / "lock")
    if lock is None:
        raise UsageError(
            f"segwatch up runs already with the data folder {folder.parent}; SEGWATCH_DATA_DIR names another."
        )
    with lock:
        yield
