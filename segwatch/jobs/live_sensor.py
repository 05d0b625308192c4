"""The job behind ``segwatch sensor --interface``: live traffic to Kafka until a signal comes."""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from ingest.capture.live.capture import InterfaceCapture
from ingest.capture.live.intake import Intake
from ingest.capture.live.options import CaptureOptions
from ingest.capture.live.own_traffic import OwnTraffic
from ingest.publish.batches import Session
from ingest.publish.sensor import SensorSession
from segwatch import __version__
from segwatch.jobs.anonymizing import Replace, replacing
from segwatch.jobs.delivery import Delivery
from segwatch.jobs.live_sessions import LiveSessions, described
from segwatch.jobs.live_settings import SettingsAgain
from segwatch.jobs.loading import load_kernels
from segwatch.jobs.sensor_names import NameWatch
from segwatch.jobs.spooled_delivery import SpoolPlan, delivery_to
from segwatch.jobs.stopping import stop_requested
from segwatch.kafka.address import KafkaAddress
from segwatch.processes import notify
from segwatch.processes.logs import log_to_stderr
from segwatch.processes.resident import give_back_large_blocks
from segwatch.telemetry.address import MetricsAddress
from segwatch.telemetry.server import Telemetry

_log = logging.getLogger(__name__)

STEP_SECONDS: Final = 0.5
"""How often it is seen whether to end while nothing comes and no message is due."""
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
    address: KafkaAddress
    patience: float
    """Seconds that Kafka may be silent."""
    metrics: MetricsAddress | None
    as_json: bool
    spool: SpoolPlan | None
    """Where segments go while Kafka is away; None: they wait in memory, and what has no room there is shed."""
    anonymize: Path | None
    """File of the key by which addresses are replaced."""

    def run(self) -> None:
        """Capture and publish until SIGTERM or SIGINT; SIGHUP reads the settings again."""
        log_to_stderr()
        give_back_large_blocks()
        anonymized = None if self.anonymize is None else replacing(self.anonymize)
        load_kernels(anonymized)
        with ExitStack() as stack:
            stop = stack.enter_context(stop_requested())
            again = stack.enter_context(SettingsAgain())
            delivery = stack.enter_context(delivery_to(self.address, self.patience, self.spool))
            if self.metrics is not None:
                stack.enter_context(Telemetry(self.metrics, delivery.look))
            names = stack.enter_context(NameWatch(self.address, self.name))
            sessions = self._publish(delivery, anonymized, names.new_session, again, stop)
            spooled = delivery.backlog().queued
        if self.as_json:
            document = {"segwatch": __version__, "sensor": self.name, "spooled_messages": spooled, "sessions": sessions}
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))

    def _publish(
        self,
        delivery: Delivery,
        anonymized: Replace | None,
        new_number: Callable[[], str],
        again: SettingsAgain,
        stop: threading.Event,
    ) -> list[dict[str, Any]]:
        """Publish until ``stop``; return what was published, all of it acknowledged or in the spool."""

        def new_session(session: Session) -> SensorSession:
            return SensorSession(
                session, delivery.partitions, delivery.put, delivery.acknowledged_rows, delivery.backlog, anonymized
            )

        own, intake = OwnTraffic(), Intake()

        def own_traffic() -> str:
            return "" if self.include_kafka else own.clause(delivery.brokers())

        def update() -> None:
            unwanted, wanted = own_traffic(), again.new_filter()
            for capture in captures:
                capture.exclude(unwanted)
                if wanted is not None:
                    capture.choose(wanted)

        captures = [InterfaceCapture(one, self.options, intake, own_traffic()) for one in self.interfaces]
        sessions = LiveSessions(self.name, self.interfaces, intake, new_number, new_session)
        publish(captures, sessions, update, stop)
        delivery.flush(stop)
        sessions.report_end()
        delivery.flush(stop)
        for session in sessions.opened:
            _log.info("%s", sentence(session))
        return [described(session) for session in sessions.opened]


def publish(
    captures: Iterable[InterfaceCapture], sessions: LiveSessions, update: Callable[[], None], stop: threading.Event
) -> None:
    """Capture and publish until ``stop`` is set and everything that was captured until then is published.

    ``update`` is called every second, to change filters. Raises ``InputError`` or ``UsageError`` where an interface
    cannot be captured.
    """
    captures = list(captures)
    for capture in captures:
        capture.open()
    for capture in captures:
        capture.start()
    notify.notify(notify.READY)
    try:
        with _looking_after(captures, sessions, update):
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
    captures: list[InterfaceCapture], sessions: LiveSessions, update: Callable[[], None]
) -> Iterator[None]:
    """Keep the filters up to date and the supervisor informed meanwhile, in a thread that never waits for Kafka."""
    stop = threading.Event()
    thread = threading.Thread(
        target=_look_after, args=(captures, sessions, update, stop), name="segwatch-look-after", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _look_after(
    captures: list[InterfaceCapture], sessions: LiveSessions, update: Callable[[], None], stop: threading.Event
) -> None:
    watchdog = notify.watchdog_seconds()
    pause = min(_LOOK_SECONDS, (watchdog or _LOOK_SECONDS) / 2)
    while not stop.wait(pause):
        update()
        notify.notify(notify.status(sessions.text()))
        if watchdog and all(capture.silent_seconds() < _STUCK_SECONDS for capture in captures):
            notify.notify(notify.WATCHDOG)


def sentence(session: SensorSession) -> str:
    """Return what was published of a session, in words."""
    counts = session.counts
    lost = counts.kernel_drops + counts.interface_drops
    return (
        f"{session.session.interface}: {session.segments:,} segments in {session.messages:,} messages, "
        f"{lost:,} frames dropped, {counts.shed_segments:,} segments shed, {session.dropped:,} given up, "
        f"session {session.session.session} of sensor {session.session.sensor}"
    )
