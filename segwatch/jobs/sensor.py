"""The job behind ``segwatch sensor --read``: captures to Kafka, as if they were live."""

import json
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ingest.capture.counts import CaptureCounts
from ingest.decode.status import undecoded
from ingest.publish.batches import Session
from ingest.publish.pacing import Pace
from ingest.publish.sensor import SensorSession
from segwatch import __version__
from segwatch.jobs.anonymizing import Replace, replacing
from segwatch.jobs.captures import Captures
from segwatch.jobs.decoding import DecodedCapture
from segwatch.jobs.delivery import Delivery
from segwatch.jobs.due import due_segments
from segwatch.jobs.progress import progress_of
from segwatch.jobs.sensor_names import NameWatch
from segwatch.jobs.spooled_delivery import SpoolPlan, delivery_to
from segwatch.jobs.stopping import stop_requested
from segwatch.kafka.address import KafkaAddress
from segwatch.telemetry.address import MetricsAddress
from segwatch.telemetry.server import Telemetry


@dataclass(frozen=True)
class SensorJob:
    """What to publish as, how fast, and where to."""

    name: str
    speed: float | None
    """Times as fast as the capture was made; None: as fast as possible."""
    address: KafkaAddress
    patience: float
    """Seconds that Kafka may be silent."""
    metrics: MetricsAddress | None
    """Where metrics are served, if anywhere."""
    as_json: bool
    spool: SpoolPlan | None = None
    """Where segments go while Kafka is away; None: reading waits for it."""
    anonymize: Path | None = None
    """File of the key by which addresses are replaced."""

    def run(self, arguments: tuple[str, ...]) -> int:
        """Publish all captures, each as a session of its own; return the exit code."""
        captures = Captures(arguments)
        anonymized = None if self.anonymize is None else replacing(self.anonymize)
        sessions = []
        with ExitStack() as stack:
            delivery = stack.enter_context(delivery_to(self.address, self.patience, self.spool))
            if self.metrics is not None:
                stack.enter_context(Telemetry(self.metrics, delivery.look))
            names = NameWatch(self.address, self.name)
            if self.speed is not None:
                stack.enter_context(names)
            for capture in captures.each(DecodedCapture):
                with stop_requested() as stop:
                    published = self._publish(capture, names.new_session(), delivery, anonymized, stop)
                if not stop.is_set() and not captures.finished(capture.content(), published["segments"]):
                    continue
                sessions.append(published)
                if not self.as_json:
                    click.echo(sentence(published))
                if stop.is_set():
                    break
        if self.as_json:
            document = {"segwatch": __version__, "sensor": self.name, "sessions": sessions}
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return captures.exit_code

    def _publish(
        self,
        capture: DecodedCapture,
        number: str,
        delivery: Delivery,
        anonymized: Replace | None,
        stop: threading.Event,
    ) -> dict[str, Any]:
        """Publish a capture as session ``number`` until its end or ``stop``; return what is acknowledged or spooled."""
        reader = capture.reader
        session = Session(self.name, number, reader.name, reader.snaplen, live=False)
        sensor = SensorSession(
            session, delivery.partitions, delivery.put, delivery.acknowledged_rows, delivery.backlog, anonymized
        )
        with progress_of(reader.name, reader) as show:
            for segments in due_segments(capture, Pace(self.speed), stop):
                _count(sensor, capture)
                if segments is None:
                    sensor.poll()
                else:
                    sensor.add(segments)
                show()
            sensor.finish()
            delivery.flush(stop)
        _count(sensor, capture)
        sensor.report("stopping", reader.damage or "")
        delivery.flush(stop)
        return {
            "file": reader.name,
            "session": session.session,
            "sensor": self.name,
            "frames": sensor.counts.frames,
            "segments": sensor.segments,
            "messages": sensor.messages,
            "partitions": len(sensor.partitions),
            "spooled_messages": delivery.backlog().queued,
            "dropped_segments": sensor.dropped,
            "complete": not stop.is_set() and reader.damage is None,
        }


def _count(sensor: SensorSession, capture: DecodedCapture) -> None:
    sensor.count(CaptureCounts(frames=capture.reader.frames, undecoded=undecoded(capture.skipped)))


def sentence(published: dict[str, Any]) -> str:
    """Return what was published of a capture or an interface, in words."""
    cut = "" if published.get("complete", True) else " (not all of the capture)"
    name = published.get("file") or published["interface"]
    return (
        f"{name}: {published['segments']:,} segments in {published['messages']:,} messages to "
        f"{published['partitions']} partitions, session {published['session']} of sensor {published['sensor']}{cut}"
    )
