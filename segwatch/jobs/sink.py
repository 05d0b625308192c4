"""The sink's process: from the topics of findings into the store, until it is told to stop."""

import logging

from segwatch.errors import UsageError
from segwatch.kafka.admin import check_topics
from segwatch.kafka.connection import kafka_address
from segwatch.kafka.topics import ANOMALIES, DEAD_LETTERS, INTERVALS, SEGMENTS, SENSORS
from segwatch.processes.logs import log_to_stderr
from segwatch.processes.signals import stop_on_signals
from sinks.consumer.cycle import Cycle
from sinks.consumer.kafka_bus import KafkaBus
from sinks.consumer.kinds import KINDS
from sinks.consumer.store_tables import StoreTables

_log = logging.getLogger(__name__)


def run_sink(store: str, with_segments: bool) -> None:
    """Store what the processors and sensors send, until SIGTERM or SIGINT. Raises ``BusError`` or ``StoreError``."""
    if store == "none":
        raise UsageError("the sink needs a store: `local` or clickhouse://[user@]host[:port]/database, not none.")
    topics = [ANOMALIES, INTERVALS, SENSORS, *([SEGMENTS] if with_segments else [])]
    stop = stop_on_signals()
    log_to_stderr()
    address = kafka_address()
    check_topics(address, reads=topics, writes=[DEAD_LETTERS])
    tables = StoreTables(store)
    name = tables.open()
    bus = KafkaBus(address, topics)
    _log.info("Storing %s from Kafka at %s into the store %s", ", ".join(topics), address.bootstrap, name)
    try:
        Cycle(bus, tables, KINDS, stop.is_set).run()
    finally:
        bus.close()
        tables.close()
    _log.info("Stopped")
