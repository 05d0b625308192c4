"""The job behind ``segwatch sensor --interface``: live traffic to Kafka until a signal comes."""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import click

from ingest.capture.live.capture import InterfaceCapture
from ingest.capture.live.intake import Intake
from ingest.capture.live.options import CaptureOptions
from ingest.capture.live.own_traffic import OwnTraffic
from ingest.publish.batches import Session
from ingest.publish.sensor import SensorSession
from segwatch import __version__
from segwatch.jobs.delivery import Delivery, delivery_to
from segwatch.jobs.live_sessions import LiveSessions, described
from segwatch.jobs.stopping import stop_requested
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import check_topics
from segwatch.kafka.topics import SEGMENTS, SENSORS
from segwatch.processes import notify
from segwatch.processes.logs import log_to_stderr
from segwatch.telemetry.address import MetricsAddress
from segwatch.telemetry.server import Telemetry

_log = logging.getLogger(__name__)

STEP_SECONDS: Final = 0.05
"""How often time may close a batch while nothing comes."""
_LOOK_SECONDS: Final = 1.0
"""How often the brokers' addresses and the threads are looked at."""
_STUCK_SECONDS: Final = 10.0
"""A capture thread that is silent for so long hangs."""


@dataclass(frozen=True)
class LiveSensorJob:
    """What to capture, and where to publish it."""

    name: str
    interfaces: tuple[str, ...]
    options: CaptureOptions
    include_kafka: bool
    """Capture the traffic to the brokers too."""
    address: Callable[[], KafkaAddress]
    patience: float
    """Seconds that Kafka may be silent."""
    metrics: MetricsAddress | None
    as_json: bool

    def run(self) -> None:
        """Capture and publish until SIGTERM or SIGINT."""
        log_to_stderr()
        with ExitStack() as stack:
            stop = stack.enter_context(stop_requested())
            address = self.address()
            partitions = check_topics(address, writes=(SEGMENTS, SENSORS))
            delivery = stack.enter_context(delivery_to(address, self.patience))
            if self.metrics is not None:
                stack.enter_context(Telemetry(self.metrics, delivery.look))
            sessions = self._publish(address, partitions, delivery, stop)
        if self.as_json:
            document = {"segwatch": __version__, "sensor": self.name, "sessions": sessions}
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))

    def _publish(
        self, address: KafkaAddress, partitions: int, delivery: Delivery, stop: threading.Event
    ) -> list[dict[str, Any]]:
        """Publish until ``stop``; return what was published, all of it acknowledged."""

        def new_session(session: Session) -> SensorSession:
            return SensorSession(session, partitions, delivery.put, delivery.acknowledged_rows, delivery.pending)

        own = OwnTraffic()

        def own_traffic() -> str:
            return "" if self.include_kafka else own.clause((*address.ends, *delivery.brokers()))

        intake = Intake()
        captures = [InterfaceCapture(one, self.options, intake, own_traffic()) for one in self.interfaces]
        sessions = LiveSessions(self.name, self.interfaces, intake, new_session)
        publish(captures, sessions, own_traffic, stop)
        delivery.flush()
        sessions.report_end()
        delivery.flush()
        for session in sessions.opened:
            _log.info("%s", sentence(session))
        return [described(session) for session in sessions.opened]


def live_sensor_job(
    *, capture_filter: str, snaplen: int, buffer_bytes: int, promiscuous: bool, immediate: bool, direction: str,
    **others: Any,
) -> LiveSensorJob:  # fmt: skip
    """Return the job for what was chosen on the command line."""
    options = CaptureOptions(capture_filter, snaplen, buffer_bytes, promiscuous, immediate, direction)
    return LiveSensorJob(options=options, **others)


def publish(
    captures: Iterable[InterfaceCapture], sessions: LiveSessions, own_traffic: Callable[[], str], stop: threading.Event
) -> None:
    """Capture and publish until ``stop`` is set and everything that was captured until then is published.

    ``own_traffic`` gives what is to be left out, as it is now. Raises ``InputError`` or ``UsageError`` where an
    interface cannot be captured.
    """
    captures = list(captures)
    for capture in captures:
        capture.open()
    for capture in captures:
        capture.start()
    notify.notify(notify.READY)
    try:
        with _looking_after(captures, sessions, own_traffic):
            while not stop.is_set() and not sessions.ended:
                sessions.step(STEP_SECONDS)
    finally:
        notify.notify(notify.STOPPING)
        for capture in captures:
            capture.stop()
    while not sessions.ended:
        sessions.step(STEP_SECONDS)
    for capture in captures:
        capture.join()


@contextmanager
def _looking_after(
    captures: list[InterfaceCapture], sessions: LiveSessions, own_traffic: Callable[[], str]
) -> Iterator[None]:
    """Keep the filters up to date and the supervisor informed meanwhile, in a thread that never waits for Kafka."""
    stop = threading.Event()
    thread = threading.Thread(
        target=_look_after, args=(captures, sessions, own_traffic, stop), name="segwatch-look-after", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _look_after(
    captures: list[InterfaceCapture], sessions: LiveSessions, own_traffic: Callable[[], str], stop: threading.Event
) -> None:
    watchdog = notify.watchdog_seconds()
    pause = min(_LOOK_SECONDS, (watchdog or _LOOK_SECONDS) / 2)
    while not stop.wait(pause):
        unwanted = own_traffic()
        for capture in captures:
            capture.exclude(unwanted)
        notify.notify(notify.status(sessions.text()))
        if watchdog and all(capture.silent_seconds() < _STUCK_SECONDS for capture in captures):
            notify.notify(notify.WATCHDOG)


def sentence(session: SensorSession) -> str:
    """Return what was published of a session, in words."""
    counts = session.counts
    lost = counts.kernel_drops + counts.interface_drops
    return (
        f"{session.session.interface}: {session.segments:,} segments in {session.messages:,} messages, "
        f"{lost:,} frames dropped, {counts.shed_segments:,} segments shed, session {session.session.session} "
        f"of sensor {session.session.sensor}"
    )
