"""What the publisher counts, for Prometheus."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

SEGMENTS: Final = Counter("segwatch_sensor_segments_published", "Segments that the bus acknowledged")
MESSAGES: Final = Counter("segwatch_sensor_messages_published", "Messages that the bus acknowledged", ["topic"])
BYTES: Final = Counter("segwatch_sensor_bytes_published", "Bytes of acknowledged messages", ["topic"])
FAILURES: Final = Counter("segwatch_sensor_messages_failed", "Messages that the bus refused", ["topic"])
QUEUED_MESSAGES: Final = Gauge("segwatch_sensor_queued_messages", "Messages handed over and not acknowledged yet")
QUEUED_BYTES: Final = Gauge("segwatch_sensor_queued_bytes", "Bytes of messages handed over and not acknowledged yet")
LATENCY: Final = Histogram(
    "segwatch_sensor_acknowledgement_seconds",
    "From handing a message over to its acknowledgement",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
REPLACEMENTS: Final = Counter(
    "segwatch_sensor_clients_replaced", "Clients of Kafka that were stuck while it answered others, and were replaced"
)
RETRY_RATE: Final = Gauge("segwatch_sensor_retries_per_second", "Messages sent again (the figure of kafka-python)")
SPOOLED_MESSAGES: Final = Gauge("segwatch_sensor_spooled_messages", "Messages in the spool on disk")
SPOOLED_BYTES: Final = Gauge("segwatch_sensor_spooled_bytes", "Bytes of the spool on disk, compressed")
DROPPED_MESSAGES: Final = Counter("segwatch_sensor_dropped_messages", "Messages given up because the spool was full")
DROPPED_SEGMENTS: Final = Counter("segwatch_sensor_dropped_segments", "Segments in messages that were given up")
SPOOL_FAILURES: Final = Counter(
    "segwatch_sensor_spool_failures", "Times that the disk did not take what was to be spooled"
)
