"""What a processor counts (Prometheus)."""

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter("segwatch_processor_messages", "Messages of segments, by what became of them", ["outcome"])
SEGMENTS = Counter("segwatch_processor_segments", "Segments analysed")
FINDINGS = Counter("segwatch_processor_findings", "Rows sent to the topics of findings", ["topic"])
DEAD_LETTERS = Counter("segwatch_processor_dead_letters", "Messages that could not be read", ["reason"])
MISSING_BATCHES = Counter("segwatch_processor_missing_batches", "Messages that a sensor had to give up before sending")
LOST_MESSAGES = Counter("segwatch_processor_lost_messages", "Messages that Kafka deleted before they were read")
SEEKS = Counter("segwatch_processor_seeks", "Times that a partition was read again from where it should be")
CHECKPOINTS = Counter("segwatch_processor_checkpoints", "Checkpoints written")
CHECKPOINT_BYTES = Gauge("segwatch_processor_checkpoint_bytes", "Bytes of the last checkpoint", ["partition"])
CHECKPOINT_SECONDS = Histogram("segwatch_processor_checkpoint_seconds", "Time to write a checkpoint")
CHECKPOINT_OFFSET = Gauge(
    "segwatch_processor_checkpoint_offset", "Offset that the last checkpoint covers", ["partition"]
)
CHECKPOINT_TIME = Gauge("segwatch_processor_checkpoint_time", "Unix time of the last checkpoint", ["partition"])
NEXT_OFFSET = Gauge("segwatch_processor_next_offset", "Offset of the next message to analyse", ["partition"])
CONVERSATIONS = Gauge("segwatch_processor_conversations", "Conversations in memory", ["partition"])
FORGOTTEN_CONVERSATIONS = Counter(
    "segwatch_processor_forgotten_conversations", "Conversations beyond the limit, forgotten though they may go on"
)
_OF_PARTITIONS = (CHECKPOINT_BYTES, CHECKPOINT_OFFSET, CHECKPOINT_TIME, NEXT_OFFSET, CONVERSATIONS)


def forget_partitions() -> None:
    """Say nothing more of partitions that others may work on now."""
    for gauge in _OF_PARTITIONS:
        gauge.clear()
