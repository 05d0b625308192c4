"""Findings for the sink: on the bus as an unsteady processor sends them, and in a store as they should end."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
from kafka import KafkaProducer

from segwatch.kafka.topics import FINDINGS, INTERVALS, SENSORS, VERDICTS
from segwatch.messages.anomalies import Anomalies, write_anomalies
from segwatch.messages.findings import FindingsHeader
from segwatch.messages.intervals import Intervals, write_intervals
from segwatch.messages.positions import Coverage
from segwatch.messages.status import SensorStatus, write_status
from segwatch.messages.verdicts import Verdicts, write_verdicts
from segwatch.records.findings import take_findings
from segwatch.records.segments import take_segments
from sinks.encoding import Coded
from sinks.store import Store
from sinks.writer import Origin, Writer
from tests.messages.rows import valid_segments
from tests.sinks.consumer.sender import Sent, unsteadily
from tests.sinks.rows import START, some_findings, some_intervals, some_verdicts

POISON = b"poison"


class Findings:
    """Findings of all topics: of each source message of each partition ``rows``, of one of three sensors."""

    def __init__(self, partitions: int, messages: int, rows: int, chance: random.Random) -> None:
        self.partitions, self.messages, self.rows = partitions, messages, rows
        self._chance, seed = chance, chance.randrange(1000)
        count = partitions * messages * rows
        self._segments, self._findings = valid_segments(count, seed), some_findings(count, seed)
        self._intervals, self._verdicts = some_intervals(count, seed), some_verdicts(count, seed)
        self.poison = 0
        self._streams = [self._messages(topic, partition) for topic in FINDINGS for partition in range(partitions)]

    def send(self, producer: KafkaProducer, count: int | None = None) -> int:
        """Send ``count`` messages or all that are left, partitions and topics mixed; return how many these were.

        There are repetitions among them, gaps that are filled later, and poison.
        """
        sent = 0
        while self._streams and sent != count:
            stream = self._chance.choice(self._streams)
            message = next(stream, None)
            if message is None:
                self._streams.remove(stream)
            else:
                producer.send(message[0], message[2], partition=message[1])
                sent += 1
        producer.flush()
        return sent

    def _messages(self, topic: str, partition: int) -> Iterator[tuple[str, int, bytes]]:
        for sent in unsteadily(self._chance, self.messages, self.rows):
            self.poison += sent is None
            yield topic, partition, POISON if sent is None else self._value(topic, partition, sent)

    def _value(self, topic: str, partition: int, sent: Sent) -> bytes:
        source = partition * self.messages + sent.through.offset
        sensor, session = _names(source)
        coverage = Coverage(partition, sent.after, sent.through)
        header = FindingsHeader(sensor, session, "wireshark-4.0", coverage)
        row = np.array(sent.rows, np.int64)
        places = slice(source * self.rows + sent.rows.start, source * self.rows + sent.rows.stop)
        if topic == INTERVALS:
            return write_intervals(Intervals(row, self._intervals[places]), header)
        if topic == VERDICTS:
            return write_verdicts(Verdicts(row, self._verdicts[places]), header)
        segments, findings = take_segments(self._segments, places), take_findings(self._findings, places)
        return write_anomalies(Anomalies(row, segments, findings), header)

    def store(self, store: Store) -> None:
        """Write all rows at once."""
        sources = np.arange(len(self._intervals)) // self.rows
        names = [_names(source) for source in range(self.partitions * self.messages)]
        sensors, sessions = sorted({name[0] for name in names}), sorted({name[1] for name in names})
        origin = Origin(
            Coded(sensors, np.array([sensors.index(name[0]) for name in names])[sources]),
            Coded(sessions, np.array([sessions.index(name[1]) for name in names])[sources]),
            datetime.now(UTC).date(),
        )
        writer = Writer(store.client, store.address)
        writer.write_anomalies(self._segments, self._findings, origin, "all")
        writer.write_intervals(self._intervals, origin, "all")
        writer.write_verdicts(self._verdicts, origin, "all")


def _names(source: int) -> tuple[str, str]:
    """Return sensor and session of a source message."""
    return f"sensor {source % 3}", f"{source % 5:032x}"


def send_statuses(producer: KafkaProducer, count: int) -> None:
    """Send states of sensors."""
    for number in range(count):
        status = SensorStatus(
            f"sensor {number % 3}", "0" * 32, START + number, "host", "eth0", "", 96, "0.1.0", "running", "",
            *range(number, number + 10),
        )  # fmt: skip
        producer.send(SENSORS, write_status(status))
    producer.flush()


_DIGESTS = {
    "anomalies": "SELECT count(), sum(cityHash64(* EXCEPT stored)) FROM anomalies",
    "intervals": "SELECT count(), sum(cityHash64(* EXCEPT stored)) FROM intervals",
    "verdicts": "SELECT count(), sum(cityHash64(* EXCEPT stored)) FROM verdicts",
    "flows": "SELECT count(), sum(cityHash64(* EXCEPT stored)) FROM flows FINAL",
    "anomalies_1m": "SELECT count(), sum(cityHash64(*)) FROM (SELECT sensor, session, time, kind, sum(segments), "
    "sum(payload_bytes), uniqMerge(conversations) FROM anomalies_1m GROUP BY sensor, session, time, kind)",
    "traffic_1m": "SELECT count(), sum(cityHash64(*)) FROM (SELECT sensor, session, time, server_port, sum(segments), "
    "sum(payload_bytes), sum(fins), min(client_rtt_min), max(server_rtt_max), sum(duplicate_ack), "
    "uniqMerge(conversations) FROM traffic_1m GROUP BY sensor, session, time, server_port)",
    "hosts_1m": "SELECT count(), sum(cityHash64(*)) FROM (SELECT sensor, session, time, host, role, "
    "sum(sent_segments), sum(received_retransmitted_bytes), min(rtt_min), max(rtt_max) FROM hosts_1m "
    "GROUP BY sensor, session, time, host, role)",
}


def digests(client: Any) -> dict[str, tuple[int, int]]:
    """Return number and digest of the rows of each table and rollup; which day they were stored does not count."""
    return {table: client.execute(query)[0] for table, query in _DIGESTS.items()}
