"""A partition of the stream: the same findings as of files, whatever is repeated, lost and read back meanwhile."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import processors.stream.pieces
from processors.engine import FOR_EVER, Engine, Scratch
from processors.stream.codec import CheckpointError
from processors.stream.outgoing import VERDICT_BITS, Kind, Outgoing
from processors.stream.partition import Partition, Step
from processors.stream.pieces import MOST_VALUE_BYTES, Write
from processors.stream.settings import StreamSettings
from processors.verdicts.engine import Verdicts
from segwatch.messages.errors import Reason
from segwatch.messages.intervals import read_intervals
from segwatch.messages.segments import read_segments, write_segments
from segwatch.messages.verdicts import read_verdicts
from segwatch.records.findings import take_findings
from segwatch.records.segments import SegmentColumns, empty_segments, take_segments
from segwatch.vocabulary import Quality
from tests.processors.builder import Segment, columns, filled_findings, hostile_segments
from tests.processors.stream.feed import Message, Reader, Row, cut, messages, plain_verdicts, rows_of, session_name
from tests.processors.verdicts.talk import Talk, troubled_segments

SETTINGS = StreamSettings(partitions=1, shards=3, timeouts=FOR_EVER)
LIMITED = SETTINGS._replace(most_conversations=6)
"""Two conversations a shard."""


def new_partition(some: StreamSettings = SETTINGS) -> Partition:
    return Partition(0, some, Scratch())


def sent(partition: Partition, message: Message) -> list[Outgoing]:
    return partition.apply(*message).outgoing


def read_all(partition: Partition, log: list[Message]) -> Reader:
    reader = Reader()
    for message in log:
        assert partition.step(message.offset) is Step.APPLY
        for outgoing in sent(partition, message):
            reader.read(outgoing)
    return reader


def _without_stream(row: Row) -> Row:
    """Leave out the number of the conversation, which is another one in a stream."""
    session, sensor, values = row
    return session, sensor, values[:25] + values[26:]


def offline(rows: SegmentColumns, session: int) -> list[Row]:
    """Return the anomalies of a session as one engine gives them."""
    findings = filled_findings(len(rows.ts))
    Engine().analyze(rows, findings)
    found = np.flatnonzero((findings.labels != 0) | (findings.reset != 0))
    values = rows_of((*take_segments(rows, found), *take_findings(findings, found)))
    return [(session_name(session), f"sensor-{session}", value) for value in values]


def many_conversations(draw: st.DrawFn) -> SegmentColumns:
    """Draw segments of some conversations, so that every shard has rows."""
    described = draw(hostile_segments(most=40))
    for number, segment in enumerate(described):
        object.__setattr__(segment, "client", number % 5 + 1)
    for client in draw(st.sets(st.integers(1, 9), max_size=2)):
        transfer = draw(troubled_segments(most=30))
        described += [replace(segment, client=client, client_port=1000) for segment in transfer]
    described.sort(key=lambda segment: segment.at)
    rows = columns(described)
    rows.quality[:] &= int(Quality.TIMESTAMPS | Quality.SACK_PERMITTED)
    np.maximum.accumulate(rows.ts, out=rows.ts)
    return rows


def offline_verdicts(rows: SegmentColumns, session: int) -> list[Row]:
    """Return the verdicts of a session as one engine gives them."""
    engine = Engine(verdicts=Verdicts())
    engine.analyze(rows, filled_findings(len(rows.ts)))
    return [(session_name(session), f"sensor-{session}", value) for value in plain_verdicts(engine.judged.rows)]


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[Message], dict[int, SegmentColumns]]:
    """Draw the messages of two sessions, each cut and both mixed."""
    sessions = {number: many_conversations(draw) for number in (1, 2)}
    queues = {
        number: cut(number, rows, draw(st.lists(st.integers(0, 12), max_size=6))) for number, rows in sessions.items()
    }
    mixed = []
    while any(queues.values()):
        number = draw(st.sampled_from([number for number, queue in queues.items() if queue]))
        mixed.append(queues[number].pop(0))
    return messages(mixed), sessions


@settings(deadline=None, max_examples=60)
@given(logs())
def test_anomalies_are_those_of_a_file(drawn: tuple[list[Message], dict[int, SegmentColumns]]) -> None:
    log, sessions = drawn
    reader = read_all(new_partition(), log)
    expected = Counter(_without_stream(row) for number, rows in sessions.items() for row in offline(rows, number))
    assert Counter(_without_stream(row) for row in reader.rows[Kind.ANOMALIES]) == expected
    judged = Counter(row for number, rows in sessions.items() for row in offline_verdicts(rows, number))
    assert Counter(reader.rows[Kind.VERDICTS]) == judged


class Bus:
    """What outlives a processor: the log of findings, the table of checkpoints, and the reader."""

    def __init__(self) -> None:
        self.table: dict[bytes, bytes] = {}
        self.reader = Reader()

    def write(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            self.table.pop(key, None)
        else:
            self.table[key] = value


def _run_until_crash(data: st.DataObject, log: list[Message], bus: Bus, start: int, some: StreamSettings) -> None:
    """Let a processor work, and die at a step that is drawn: between sends, in a checkpoint, or after it."""
    partition = new_partition(some)
    partition.load(bus.table.get)
    crash_at = data.draw(st.integers(0, len(log) + 2))
    for message in _delivered(data, partition, log, start):
        if message.offset >= crash_at:
            return
        for outgoing in sent(partition, message):
            if data.draw(st.integers(0, 9)) == 0:
                return
            bus.reader.read(outgoing)
        if data.draw(st.integers(0, 3)) == 0:
            for key, value in partition.checkpoint():
                if data.draw(st.integers(0, 9)) == 0:
                    return
                bus.write(key, value)
            partition.is_durable()


def _delivered(data: st.DataObject, partition: Partition, log: list[Message], start: int) -> Iterator[Message]:
    """Yield the messages to apply out of a delivery that repeats some and skips some."""
    place = start
    while partition.next < len(log):
        place = max(0, min(len(log) - 1, place + data.draw(st.sampled_from([1, 1, 1, 1, 0, 2, -1]))))
        step = partition.step(log[place].offset)
        if step is Step.APPLY:
            yield log[place]
        elif step is Step.SEEK:
            place = partition.next - 1


@settings(deadline=None, max_examples=100)
@given(logs(), st.data())
def test_crashes_lose_and_double_nothing(
    drawn: tuple[list[Message], dict[int, SegmentColumns]], data: st.DataObject
) -> None:
    log, _ = drawn
    bus = Bus()
    some = data.draw(st.sampled_from([SETTINGS, LIMITED]))
    with pytest.MonkeyPatch.context() as patch:
        most_bytes = data.draw(st.sampled_from([MOST_VALUE_BYTES, 500, 200]))
        patch.setattr(processors.stream.pieces, "MOST_VALUE_BYTES", most_bytes)
        for _ in range(data.draw(st.integers(1, 4))):
            _run_until_crash(data, log, bus, data.draw(st.integers(0, len(log) - 1)), some)
    survivor = new_partition(some)
    survivor.load(bus.table.get)
    for message in log[survivor.next :]:
        for outgoing in sent(survivor, message):
            bus.reader.read(outgoing)
    assert bus.reader.rows == read_all(new_partition(some), log).rows


@settings(deadline=None, max_examples=60)
@given(logs())
def test_no_shard_remembers_more_conversations_than_its_part_of_the_limit(
    drawn: tuple[list[Message], dict[int, SegmentColumns]],
) -> None:
    log, _ = drawn
    free, limited = new_partition(), new_partition(LIMITED)
    forgotten = 0
    for message in log:
        free.apply(*message)
        forgotten += limited.apply(*message).forgotten
        # Another session's conversations stay: only those of the message's own are forgotten, all but one.
        assert limited.conversations <= 3 * (2 + 1)
    assert forgotten > 0 or limited.conversations == free.conversations


@settings(deadline=None, max_examples=60)
@given(logs(), st.data())
def test_checkpoints_of_different_ages_may_be_mixed(
    drawn: tuple[list[Message], dict[int, SegmentColumns]], data: st.DataObject
) -> None:
    """A processor that was thought dead writes old values over new ones."""
    log, _ = drawn
    table: dict[bytes, bytes] = {}
    history: list[Write] = []
    reader, partition = Reader(), new_partition()
    for message in log:
        for outgoing in sent(partition, message):
            reader.read(outgoing)
        if data.draw(st.booleans()):
            history += partition.checkpoint()
            partition.is_durable()
    for key, value in history:
        assert value is not None
        if data.draw(st.integers(0, 3)) or key not in table:
            table[key] = value
    again = new_partition()
    again.load(table.get)
    assert again.next <= len(log)
    for message in log[again.next :]:
        for outgoing in sent(again, message):
            reader.read(outgoing)
    assert reader.rows == read_all(new_partition(), log).rows


def _simple_log(count: int = 6) -> list[Message]:
    rows = columns([Segment(at=row, sender="client", flags="A", seq=1, ack=1) for row in range(count)])
    return messages((1, take_segments(rows, slice(row, row + 1)), False) for row in range(count))


def test_the_four_steps() -> None:
    log, partition = _simple_log(), new_partition()
    for message in log[:4]:
        sent(partition, message)
    partition.checkpoint()
    partition.is_durable()
    sent(partition, log[4])
    assert [partition.step(offset) for offset in (0, 3, 4, 5, 6)] == [
        Step.ACKNOWLEDGE, Step.ACKNOWLEDGE, Step.SKIP, Step.APPLY, Step.SEEK,
    ]  # fmt: skip


def test_a_message_sent_twice_by_a_sensor_counts_once() -> None:
    log, partition = _simple_log(), new_partition()
    doubled = [
        *log[:3],
        log[1]._replace(offset=3),
        *(message._replace(offset=message.offset + 1) for message in log[3:]),
    ]
    applied = [partition.apply(*message) for message in doubled]
    assert [one.repeated for one in applied] == [False, False, False, True, False, False, False]
    assert sum(one.segments for one in applied) == 6


def test_messages_that_a_sensor_gave_up_are_counted() -> None:
    log, partition = _simple_log(), new_partition()
    kept = [message._replace(offset=offset) for offset, message in enumerate([log[0], log[3], log[4]])]
    assert [partition.apply(*message).missing for message in kept] == [0, 2, 0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"partitions": 2}, Reason.OTHER_PARTITION),
        ({"partition": 1}, Reason.OTHER_PARTITION),
        ({"watermark": 1_900_000_000_000_000_000}, Reason.FROM_THE_FUTURE),
    ],
)
def test_what_does_not_belong_here_is_refused_and_passed_over(changes: dict[str, int], reason: Reason) -> None:
    log, partition = _simple_log(), new_partition()
    header, rows = read_segments(log[0].content)
    applied = partition.apply(0, log[0].timestamp, write_segments(rows, header._replace(**changes)))
    assert applied.refused is not None
    assert applied.refused.reason is reason
    assert partition.next == 1


def test_rows_of_another_partition_are_refused() -> None:
    some = StreamSettings(partitions=2, shards=1)
    partition = Partition(0, some, Scratch())
    described = [Segment(at=0, sender="client", flags="A", client_port=port) for port in range(1024, 1064)]
    header, _ = read_segments(_simple_log()[0].content)
    content = write_segments(columns(described), header._replace(partitions=2))
    refused = partition.apply(0, 1_800_000_000_000, content).refused
    assert refused is not None
    assert refused.reason is Reason.OTHER_PARTITION


def test_a_silent_session_ends_when_kafkas_time_has_moved_on() -> None:
    rows = columns([Segment(at=0, sender="client", flags="A", seq=1, ack=1)])
    first, second = messages([(1, rows, False), (2, rows, False)])
    partition = new_partition()
    sent(partition, first)
    assert partition.conversations == 1
    late = second._replace(timestamp=first.timestamp + 3_700_000)
    outgoing = sent(partition, late)
    assert [(one.kind, one.rows) for one in outgoing] == [(Kind.INTERVALS, 1)]
    assert partition.conversations == 1


def test_quiet_partitions_close_their_minutes_by_heartbeats() -> None:
    rows = columns([Segment(at=0, sender="client", flags="A", seq=1, ack=1)])
    heartbeat = empty_segments(0)
    first, beat = messages([(1, rows, False), (1, heartbeat, False)])
    header, _ = read_segments(beat.content)
    partition = new_partition()
    assert sent(partition, first) == []
    later = header._replace(watermark=header.watermark + 60_000_000_000, live=False)
    assert [one.kind for one in sent(partition, beat._replace(content=write_segments(heartbeat, later)))] == [
        Kind.INTERVALS
    ]


def test_checkpoints_of_other_settings_are_refused() -> None:
    log, partition, bus = _simple_log(), new_partition(), Bus()
    for message in log:
        sent(partition, message)
    for key, value in partition.checkpoint():
        bus.write(key, value)
    table = bus.table
    with pytest.raises(CheckpointError, match="1 partitions with 3 shards"):
        new_partition(SETTINGS._replace(shards=4)).load(table.get)
    with pytest.raises(CheckpointError, match="damaged"):
        new_partition().load(lambda key: table[key][:-3] if key in table else None)


def test_an_amendment_comes_from_the_segment_that_amends() -> None:
    """It is found at that segment's place, and says what it amends; several may come from one segment."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12)
    originals = [segment.tsval for segment in talk.segments[-3:]]
    talk.send(at + 240, 10)
    first = len(talk.segments)
    talk.send(at + 240.1, 11, 12)
    talk.ack(at + 257, 13, tsecr=originals[0])
    log = messages(cut(1, columns(talk.segments), [first - 1, 1]))
    partition, found = new_partition(SETTINGS), []
    for message in log:
        for one in sent(partition, message):
            if one.kind is Kind.VERDICTS:
                header, verdicts = read_verdicts(one.content)
                assert header.offset == message.offset
                found += [
                    (message.offset, row >> VERDICT_BITS, record["frame"], record["revision"], record["amended_by"])
                    for row, record in zip(verdicts.row.tolist(), verdicts.records, strict=True)
                ]
                assert np.all(np.diff(verdicts.row) > 0)
    last = len(talk.segments)
    assert found[0] == (1, 0, first, 0, 0)
    assert (2, 2, first, 1, last) in found


def test_numbers_of_conversations_are_unique_and_the_same_in_both_topics() -> None:
    described = [
        Segment(at=port / 1000, sender="client", flags=flags, seq=1, client_port=port)
        for port in range(1024, 1064)
        for flags in ("S", "R")
    ]
    log = messages([(1, columns(described), False), (1, empty_segments(0), True)])
    partition, reader, outgoing = new_partition(), Reader(), list[Outgoing]()
    for message in log:
        for one in sent(partition, message):
            reader.read(one)
            outgoing.append(one)
    resets = {row[2][25] for row in reader.rows[Kind.ANOMALIES]}
    assert len(resets) == 40
    intervals = [read_intervals(one.content)[1] for one in outgoing if one.kind is Kind.INTERVALS]
    assert {int(stream) for part in intervals for stream in part.records["stream"]} == resets
