"""Kafka goes away under small packets at a steady rate; in the end every single one is looked for in Kafka."""

import json
import sys
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import create_topics
from segwatch.kafka.broker.local import LocalBroker
from segwatch.kafka.topics import SEGMENTS
from segwatch.messages.segments import read_segments
from segwatch.messages.status import SensorStatus
from tests.live.flood import FILTER, arguments, numbers
from tests.live.namespaces import CLIENT_SIDE, Network, network, skip_without
from tests.live.spooled import spooled_bytes
from tests.pipeline.published import every_message, message_count, statuses

FLOWS: Final = 1024
PARTITIONS: Final = 3
_AROUND_SECONDS: Final = 3.0
"""How long packets come before Kafka goes, and after it is back."""
_PATIENCE_SECONDS: Final = 900.0


class Arrived(NamedTuple):
    """What Kafka has of the packets."""

    session: str
    seen: NDArray[np.bool_]
    """(number of packets,) whether it is there."""
    repeated: int
    """Messages that came twice, which readers leave out."""
    is_ordered: bool
    """Whether the packets of each partition are in the order in which they were sent."""


def outage_trial(folder: Path, seconds: float, rate: int, spool_bytes: int) -> dict[str, Any]:
    """Run a sensor at ``rate`` packets a second while Kafka is away for so long; return what became of the packets.

    ``faults`` are sentences about what should not be.
    """
    skip_without("ethtool")
    with network(folder) as net, net.inside(net.router):
        # So that the pair has a receive queue for frames of a BPF program.
        net.run(net.router, "ethtool", "-K", CLIENT_SIDE, "gro", "on")
        broker = LocalBroker(folder / "kafka")
        try:
            create_topics(broker.start(), PARTITIONS)
            sent, told = _outage(net, broker, seconds, rate, spool_bytes)
            arrived = _arrived(broker.address, sent)
            said = statuses(broker.address, arrived.session)[-1]
        finally:
            broker.stop()
    return {**told, **_judged(arrived, said)}


def _outage(
    net: Network, broker: LocalBroker, seconds: float, rate: int, spool_bytes: int
) -> tuple[int, dict[str, Any]]:
    """Return how many packets were sent, and what is to be told of it."""
    spool = net.folder / "spool"
    sensor = net.start(
        net.router, sys.executable, "-m", "segwatch", "sensor", "--interface", CLIENT_SIDE, "--allow-root",
        "--name", "edge", "--filter", FILTER, "--buffer-size", "128m", "--kafka", broker.address.bootstrap,
        "--spool", str(spool), "--spool-bytes", str(spool_bytes), ready=f"Capturing {CLIENT_SIDE}",
    )  # fmt: skip
    sender = net.start(net.router, *arguments(CLIENT_SIDE, FLOWS, rate, seconds + 2 * _AROUND_SECONDS))
    net.wait(lambda: message_count(broker.address) > PARTITIONS, sensor)
    time.sleep(_AROUND_SECONDS)
    broker.kill()
    begin, most = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        time.sleep(0.5)
        most = max(most, spooled_bytes(spool))
    broker.start()
    back = time.monotonic()
    assert sender.wait(_PATIENCE_SECONDS) == 0, net.log(sender)
    net.wait(lambda: spooled_bytes(spool) == 0, sensor, _PATIENCE_SECONDS)
    drained = time.monotonic()
    net.stop(sensor)
    sent = json.loads(net.log(sender).splitlines()[-1])
    return sent["sent"], {
        "sent": sent["sent"],
        "a second": round(sent["rate"]),
        "seconds away": round(back - begin, 1),
        "most bytes in the spool": most,
        "seconds until the spool was sent": round(drained - back, 1),
    }


def _arrived(address: KafkaAddress, sent: int) -> Arrived:
    """Read all messages, one after the other."""
    seen, sessions, repeated, is_ordered = np.zeros(sent, np.bool_), set(), 0, True
    batches, last = dict.fromkeys(range(PARTITIONS), -1), dict.fromkeys(range(PARTITIONS), -1)
    for partition, content in every_message(address, SEGMENTS):
        header, segments = read_segments(content)
        sessions.add(header.session)
        if header.batch <= batches[partition]:
            repeated += 1
            continue
        batches[partition] = header.batch
        if len(segments.ts):
            found = numbers(segments, FLOWS)
            is_ordered &= last[partition] < found[0] and bool(np.all(np.diff(found) > 0))
            last[partition], seen[found] = found[-1], True
    (session,) = sessions
    return Arrived(session, seen, repeated, is_ordered)


def _judged(arrived: Arrived, said: SensorStatus) -> dict[str, Any]:
    """Return what was lost, what the sensor says of it, and what should not be."""
    lost = len(arrived.seen) - int(arrived.seen.sum())
    admitted = {
        "given up by the spool": said.dropped_segments,
        "shed": said.shed_segments,
        "dropped by the kernel": said.kernel_drops,
    }
    faults = []
    if lost != sum(admitted.values()):
        faults.append(f"{lost} packets are not in Kafka, and the sensor admits {admitted}")
    if not arrived.is_ordered:
        faults.append("the order of packets was not kept")
    if said.state != "stopping" or said.published_segments != int(arrived.seen.sum()):
        faults.append(f"Kafka has {int(arrived.seen.sum())} packets, and the sensor says: {said}")
    return {"lost": lost, **admitted, "repeated messages": arrived.repeated, "faults": faults}
