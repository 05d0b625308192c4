"""Sensors whose segments a test publishes in pieces, each when it likes; one that is not finished has died."""

import threading
import time
from types import TracebackType
from typing import Final, Self

from ingest.publish.batches import BATCH_NANOSECONDS, Session
from ingest.publish.sensor import SensorSession
from segwatch.jobs.spooled_delivery import delivery_to
from segwatch.kafka.address import KafkaAddress
from segwatch.records.segments import SegmentColumns

_PATIENCE_SECONDS: Final = 60.0
_SNAPLEN: Final = 65535


class Feed:
    """A sensor's session on the bus."""

    def __init__(self, address: KafkaAddress, name: str, session: str) -> None:
        """``session``: 32 hexadecimal digits."""
        self._opened = delivery_to(address, _PATIENCE_SECONDS, None)
        self._delivery = self._opened.__enter__()
        self._session = SensorSession(
            Session(name, session, "", _SNAPLEN, live=False),
            self._delivery.partitions, self._delivery.put, self._delivery.acknowledged_rows, self._delivery.backlog,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.__exit__(kind, error, trace)

    def publish(self, segments: SegmentColumns) -> None:
        """Publish the next segments, and wait until Kafka has them."""
        self._session.add(segments)
        time.sleep(2 * BATCH_NANOSECONDS / 1e9)
        self._session.poll()
        self._delivery.flush(threading.Event())

    def finish(self) -> None:
        """End the session."""
        self._session.finish()
        self._delivery.flush(threading.Event())
