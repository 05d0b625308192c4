"""One capture session of a sensor: its segments and its status, as messages for the bus."""

import socket
import time
from collections.abc import Callable
from typing import Final

from ingest.publish.backlog import Backlog
from ingest.publish.batches import Batch, Batcher, Session
from ingest.publish.producer import Outgoing
from segwatch import __version__
from segwatch.kafka.topics import SEGMENTS, SENSORS
from segwatch.messages.status import SensorStatus, write_status
from segwatch.records.segments import SegmentColumns

STATUS_NANOSECONDS: Final = 5_000_000_000
"""Time between two messages about the sensor itself."""


class SensorSession:
    """Publishes a session from its beginning to ``finish``; ``deliver`` takes the messages in order."""

    def __init__(
        self,
        session: Session,
        partitions: int,
        deliver: Callable[[Outgoing], None],
        acknowledged_rows: Callable[[], int],
        backlog: Callable[[], Backlog],
        anonymized: Callable[[SegmentColumns], SegmentColumns] | None = None,
    ) -> None:
        self.session = session
        self.segments = 0
        self.messages = 0
        self.partitions: set[int] = set()
        """Those that got segments."""
        self.frames = 0
        self.undecoded = 0
        self._deliver = deliver
        self._acknowledged_rows = acknowledged_rows
        self._rows_before = acknowledged_rows()
        self._backlog = backlog
        self._anonymized = anonymized
        self._dropped_before = backlog().dropped_rows
        self._batcher = Batcher(session, partitions, time.monotonic_ns())
        self._reported = 0
        self.report("starting")

    @property
    def dropped(self) -> int:
        """Segments given up since the session began, of earlier sessions too."""
        return self._backlog().dropped_rows - self._dropped_before

    def add(self, segments: SegmentColumns) -> None:
        """Publish the next segments of the session, with other addresses where it is to have such."""
        self.segments += len(segments.ts)
        if self._anonymized is not None:
            segments = self._anonymized(segments)
        self._send(self._batcher.add(segments, time.monotonic_ns()))
        self._report_now_and_then()

    def poll(self) -> None:
        """Publish what has waited long enough; to be called several times a second while nothing is added."""
        self._send(self._batcher.poll(time.monotonic_ns()))
        self._report_now_and_then()

    def finish(self) -> None:
        """Publish the rest and end the session."""
        self._send(self._batcher.finish(time.monotonic_ns()))

    def report(self, state: str, problem: str = "") -> None:
        """Publish what the sensor has to say of itself; ``state`` is one of ``messages.status.STATES``."""
        session, backlog = self.session, self._backlog()
        status = SensorStatus(
            sensor=session.sensor,
            session=session.session,
            ts=time.time_ns(),
            host=socket.gethostname(),
            interface=session.interface,
            capture_filter="",
            snaplen=session.snaplen,
            version=__version__,
            state="spooling" if state == "running" and backlog.is_spooling else state,
            problem=problem or backlog.problem,
            frames=self.frames,
            segments=self.segments,
            undecoded=self.undecoded,
            kernel_drops=0,
            interface_drops=0,
            published_segments=self._acknowledged_rows() - self._rows_before,
            dropped_segments=self.dropped,
            queued_batches=backlog.queued,
            spooled_batches=backlog.spooled,
            spooled_bytes=backlog.spooled_bytes,
        )
        self._reported = time.monotonic_ns()
        self._deliver(Outgoing(SENSORS, None, session.sensor.encode(), write_status(status), 0))

    def _report_now_and_then(self) -> None:
        if time.monotonic_ns() - self._reported >= STATUS_NANOSECONDS:
            self.report("running")

    def _send(self, batches: list[Batch]) -> None:
        for batch in batches:
            self._deliver(Outgoing(SEGMENTS, batch.header.partition, None, batch.content, batch.rows))
            self.messages += 1
            if batch.rows:
                self.partitions.add(batch.header.partition)
