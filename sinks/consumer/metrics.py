"""What the sink counts, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

ROWS = Counter("segwatch_sink_rows", "Rows inserted, as far as this process knows", ["table"])
BATCHES = Counter("segwatch_sink_batches", "Batches that are inserted and committed", ["table"])
REPEATED_BATCHES = Counter(
    "segwatch_sink_repeated_batches", "Batches formed again because an intent was pending", ["table"]
)
DOUBLES = Counter("segwatch_sink_double_rows", "Rows dropped because they were taken before", ["table"])
GAPS = Counter("segwatch_sink_gap_messages", "Messages dropped because one before them is missing", ["table"])
LOST = Counter("segwatch_sink_lost_messages", "Messages that Kafka had deleted before they were read", ["table"])
DEAD_LETTERS = Counter("segwatch_sink_dead_letters", "Messages that could not be read", ["table", "reason"])
INSERT_SECONDS = Histogram(
    "segwatch_sink_insert_seconds",
    "How long an insert took",
    ["table"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
FAILED_INSERTS = Counter("segwatch_sink_failed_inserts", "Inserts that the store did not take", ["table"])
LAG = Gauge("segwatch_sink_lag_messages", "Messages that are not stored yet", ["topic", "partition"])
BUFFERED_BYTES = Gauge("segwatch_sink_buffered_bytes", "Size of the messages that were read and are not stored")
