"""The configuration of the local broker.

Light on imports: the broker's launcher loads it.
"""

from collections.abc import Mapping
from pathlib import Path

from segwatch.kafka.broker.files import Ports
from segwatch.kafka.topics import MAX_DEAD_LETTER_BYTES, MAX_MESSAGE_BYTES
from segwatch.processes.ports import HOST

_NODE = 1
_YEAR_MINUTES = 365 * 24 * 60

_FIXED = {
    "process.roles": "broker,controller",
    "node.id": str(_NODE),
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    # One node has one copy of everything, and few groups.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    # Topics have equal partition counts, or the start is refused: none may come about by itself.
    "auto.create.topics.enable": "false",
    # Where sinks are is as lasting as what they have written: forgotten offsets would be rows stored twice.
    "offsets.retention.minutes": str(_YEAR_MINUTES),
    # A lone worker need not wait for others to join, and trials with stopped workers need not take long.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "message.max.bytes": str(MAX_MESSAGE_BYTES),
    "replica.fetch.max.bytes": str(MAX_DEAD_LETTER_BYTES),
    # After a crash the node waits this long for its former self (9 s by default).
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # For a machine that does other things too. What is acknowledged is in the kernel's memory, which survives the
    # process: nothing is forced to the disk for every message.
    "num.network.threads": "2",
    "num.io.threads": "4",
    "num.recovery.threads.per.data.dir": "2",
    "log.cleaner.dedupe.buffer.size": str(16 << 20),
    "log.cleaner.backoff.ms": "5000",
    "log.retention.check.interval.ms": "60000",
}


def server_properties(ports: Ports, data: Path, extra: Mapping[str, str]) -> str:
    """Return ``server.properties`` of a broker whose data lie in ``data``; ``extra`` stands over the rest."""
    placed = {
        "controller.quorum.voters": f"{_NODE}@{HOST}:{ports.controller}",
        "listeners": f"PLAINTEXT://{HOST}:{ports.client},CONTROLLER://{HOST}:{ports.controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{ports.client}",
        "log.dirs": str(data),
    }
    properties = {**_FIXED, **placed, **extra}
    return "".join(f"{name}={_escaped(value)}\n" for name, value in properties.items())


def _escaped(value: str) -> str:
    """Write a value as ``java.util.Properties`` reads it, in Latin-1."""
    written = value.replace("\\", "\\\\").encode("utf-16-be", "surrogatepass")
    units = (int.from_bytes(written[at : at + 2]) for at in range(0, len(written), 2))
    return "".join(chr(unit) if 32 <= unit < 127 else f"\\u{unit:04x}" for unit in units)  # ASCII
