"""The sink's process: from the topics of findings into the store, until it is told to stop."""

import logging
from contextlib import ExitStack

from segwatch.errors import UsageError
from segwatch.jobs.stopping import stop_requested
from segwatch.kafka.admin import check_group, check_topics
from segwatch.kafka.location import kafka_address
from segwatch.kafka.topics import DEAD_LETTERS, SINK_GROUP, sink_topics
from segwatch.processes.logs import log_to_stderr
from segwatch.telemetry.address import MetricsAddress
from segwatch.telemetry.group import GroupLook
from segwatch.telemetry.server import Telemetry
from sinks.consumer.cycle import Cycle
from sinks.consumer.kafka_bus import KafkaBus
from sinks.consumer.kinds import KINDS
from sinks.consumer.store_tables import StoreTables

_log = logging.getLogger(__name__)


def run_sink(store: str, with_segments: bool, metrics: MetricsAddress | None) -> None:
    """Store what the processors and sensors send, until SIGTERM or SIGINT. Raises ``BusError`` or ``StoreError``."""
    if store == "none":
        raise UsageError("the sink needs a store: `local` or clickhouse://[user@]host[:port]/database, not none.")
    topics = sink_topics(with_segments=with_segments)
    log_to_stderr()
    with ExitStack() as stack:
        stop = stack.enter_context(stop_requested())
        address = kafka_address()
        check_topics(address, reads=topics, writes=[DEAD_LETTERS])
        check_group(address, SINK_GROUP)
        tables = StoreTables(store)
        name = tables.open()
        stack.callback(tables.close)
        bus = KafkaBus(address, topics)
        stack.callback(bus.close)
        _log.info("Storing %s from Kafka at %s into the store %s", ", ".join(topics), address.bootstrap, name)
        cycle = Cycle(bus, tables, KINDS, stop.is_set)
        if metrics is not None:
            look = GroupLook(address, SINK_GROUP, cycle.positions)
            stack.callback(look.close)
            stack.enter_context(Telemetry(metrics, look))
        cycle.run()
    _log.info("Stopped")
