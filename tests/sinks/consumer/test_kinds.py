"""Messages of all topics become rows of their tables; what does not fit is refused."""

import time

import numpy as np
import pytest

from segwatch.kafka.topics import ANOMALIES, INTERVALS, SEGMENTS, SENSORS, VERDICTS
from segwatch.messages.anomalies import Anomalies, write_anomalies
from segwatch.messages.errors import MessageError, Reason
from segwatch.messages.findings import FindingsHeader
from segwatch.messages.intervals import Intervals, write_intervals
from segwatch.messages.positions import END_OF_MESSAGE, START, Coverage, Position
from segwatch.messages.segments import SegmentsHeader, write_segments
from segwatch.messages.status import SensorStatus, write_status
from segwatch.messages.verdicts import Verdicts, write_verdicts
from sinks.consumer.batch import Batch, Message, Place
from sinks.consumer.kinds import KINDS
from sinks.store import Store
from sinks.writer import Writer
from tests.messages.rows import valid_segments
from tests.sinks.rows import START as TIME
from tests.sinks.rows import some_findings, some_intervals, some_verdicts

ROWS = 50


def _header(offset: int, partition: int = 3) -> FindingsHeader:
    coverage = Coverage(partition, Position(offset - 1, END_OF_MESSAGE), Position(offset, END_OF_MESSAGE))
    return FindingsHeader(f"sensor {offset % 2}", f"{offset:032x}", "wireshark-4.0", coverage)


def _anomalies(header: FindingsHeader, row: np.ndarray) -> bytes:
    return write_anomalies(Anomalies(row, valid_segments(len(row)), some_findings(len(row))), header)


def _segments(offset: int, partition: int = 3) -> bytes:
    header = SegmentsHeader(
        f"sensor {offset % 2}", f"{offset:032x}", offset, partition, 8, TIME, False, False, "eth0", 96, 0
    )
    return write_segments(valid_segments(ROWS), header)


def _values(topic: str, offset: int) -> bytes:
    row = np.arange(ROWS)
    if topic == ANOMALIES:
        return _anomalies(_header(offset), row)
    if topic == INTERVALS:
        return write_intervals(Intervals(row, some_intervals(ROWS)), _header(offset))
    if topic == VERDICTS:
        return write_verdicts(Verdicts(row, some_verdicts(ROWS)), _header(offset))
    if topic == SEGMENTS:
        return _segments(offset)
    return write_status(
        SensorStatus(
            f"sensor {offset % 2}", f"{offset:032x}", TIME, "host", "eth0", "", 96, "0.1.0", "running", "", *range(10)
        )
    )


@pytest.mark.parametrize("topic", [ANOMALIES, INTERVALS, VERDICTS, SEGMENTS, SENSORS])
def test_messages_of_several_sensors_are_one_block(store: Store, topic: str) -> None:
    kind = KINDS[topic]
    batch = Batch(Place(topic, 3), 0, START, int(1000 * time.time()), mark=START)
    for offset in range(3):
        value = _values(topic, offset)
        batch.add(Message(offset, 0, value), kind.read(value, 3))
    for _ in range(2):
        kind.write(Writer(store.client, store.address), batch.columns(), batch.origin(), batch.token)
    found = store.client.execute(
        f"SELECT sensor, replaceAll(toString(session), '-', ''), count() FROM {kind.table} GROUP BY ALL ORDER BY 2"
    )
    rows = 1 if topic == SENSORS else ROWS
    assert found == [(f"sensor {offset % 2}", f"{offset:032x}", rows) for offset in range(3)]


@pytest.mark.parametrize(
    ("topic", "value", "reason"),
    [
        (ANOMALIES, _anomalies(_header(5, partition=4), np.arange(ROWS)), Reason.OTHER_PARTITION),
        (ANOMALIES, _anomalies(_header(5), np.arange(ROWS)[::-1]), Reason.WRONG_VALUES),
        (ANOMALIES, _anomalies(_header(5), np.zeros(2, np.int64)), Reason.WRONG_VALUES),
        (INTERVALS, _anomalies(_header(5), np.arange(ROWS)), Reason.OTHER_KIND),
        (SEGMENTS, _segments(0, partition=4), Reason.OTHER_PARTITION),
        (SENSORS, b"", Reason.NOT_ARROW),
        (ANOMALIES, _anomalies(_header(5), np.arange(ROWS))[:-700], Reason.CUT),
    ],
)
def test_what_does_not_belong_here_is_refused(topic: str, value: bytes, reason: Reason) -> None:
    with pytest.raises(MessageError) as refused:
        KINDS[topic].read(value, 3)
    assert refused.value.reason is reason


def test_rows_outside_of_what_a_message_covers_are_refused() -> None:
    header = _header(5)
    narrow = header._replace(coverage=header.coverage._replace(through=Position(5, 10)))
    with pytest.raises(MessageError, match="do not rise from"):
        KINDS[ANOMALIES].read(_anomalies(narrow, np.arange(ROWS)), 3)
    backwards = header._replace(coverage=header.coverage._replace(after=Position(6, 0)))
    with pytest.raises(MessageError, match="covers nothing"):
        KINDS[ANOMALIES].read(_anomalies(backwards, np.arange(0)), 3)
