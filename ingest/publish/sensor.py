"""One capture session of a sensor: its segments and its status, as messages for the bus."""

import socket
import time
from collections.abc import Callable
from typing import Final

from ingest.anonymize.filters import without_addresses
from ingest.capture.counts import CaptureCounts
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
        self.counts = CaptureCounts()
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

    def count(self, counts: CaptureCounts) -> None:
        """Note what was counted since the session began; segments that are added next were captured meanwhile."""
        self._batcher.add_kernel_drops(counts.kernel_drops - self.counts.kernel_drops)
        self._send(self._batcher.keep_one_in(counts.keep_one_in, time.monotonic_ns()))
        self.counts = counts

    def filtered(self, capture_filter: str) -> None:
        """Note that another filter is used from now on."""
        self.session = self.session._replace(capture_filter=capture_filter)

    def pass_time(self, until: int) -> None:
        """Note that everything captured before ``until`` (nanoseconds since the epoch) was added."""
        self._batcher.advance(until)

    def add(self, segments: SegmentColumns) -> None:
        """Publish the next segments of the session, with other addresses where it is to have such."""
        self.segments += len(segments.ts)
        if self._anonymized is not None:
            segments = self._anonymized(segments)
        self._send(self._batcher.add(segments, time.monotonic_ns()))
        self._report_now_and_then()

    def due_seconds(self) -> float:
        """Return in how many seconds ``poll`` has something to publish; 0 if it has by now."""
        due = min(self._batcher.due(), self._reported + STATUS_NANOSECONDS)
        return max(due - time.monotonic_ns(), 0) / 1e9

    def poll(self) -> None:
        """Publish what has waited long enough; to be called when ``due_seconds`` are over."""
        self._send(self._batcher.poll(time.monotonic_ns()))
        self._report_now_and_then()

    def finish(self) -> None:
        """Publish the rest and end the session."""
        self._send(self._batcher.finish(time.monotonic_ns()))

    def report(self, state: str, problem: str = "") -> None:
        """Publish what the sensor has to say of itself; ``state`` is one of ``messages.status.STATES``."""
        session, backlog = self.session, self._backlog()
        shown = session.capture_filter if self._anonymized is None else without_addresses(session.capture_filter)
        status = SensorStatus(
            sensor=session.sensor,
            session=session.session,
            ts=time.time_ns(),
            host=socket.gethostname(),
            interface=session.interface,
            capture_filter=shown,
            snaplen=session.snaplen,
            version=__version__,
            state="spooling" if state == "running" and backlog.is_spooling else state,
            problem=problem or backlog.problem,
            segments=self.segments,
            published_segments=self._acknowledged_rows() - self._rows_before,
            dropped_segments=self.dropped,
            queued_batches=backlog.queued,
            spooled_batches=backlog.spooled,
            spooled_bytes=backlog.spooled_bytes,
            **self.counts._asdict(),
        )
        self._reported = time.monotonic_ns()
        key = f"{session.sensor}/{session.interface}" if session.live else session.sensor
        self._deliver(Outgoing(SENSORS, None, key.encode(), write_status(status), 0))

    def _report_now_and_then(self) -> None:
        if time.monotonic_ns() - self._reported >= STATUS_NANOSECONDS:
            self.report("running")

    def _send(self, batches: list[Batch]) -> None:
        for batch in batches:
            self._deliver(Outgoing(SEGMENTS, batch.header.partition, None, batch.content, batch.rows))
            self.messages += 1
            if batch.rows:
                self.partitions.add(batch.header.partition)
