"""Where batches end, what is formed again, and what becomes of messages that are gone."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest

from segwatch.errors import BusError
from segwatch.messages.errors import MessageError, Reason
from segwatch.messages.positions import COVERAGE_HEADER, END_OF_MESSAGE, START, Coverage, Position, coverage_in
from sinks.consumer import forming
from sinks.consumer.batch import Batch, Message, Place
from sinks.consumer.forming import Committed, PartitionReader
from sinks.consumer.intent import Intent, Progress
from sinks.consumer.kinds import Content
from sinks.consumer.pace import LONGEST_SECONDS, SHORTEST_SECONDS
from tests.sinks.consumer.simulated import KIND, TOPIC, message_value

PLACE = Place(TOPIC, 0)
ROWS = 3
DAY_MS = 86_400_000


def _end(offset: int) -> Position:
    return Position(offset, END_OF_MESSAGE)


def _messages(offsets: Iterable[int]) -> list[Message]:
    """Return messages, each with all rows of the source message with its own number."""
    return [
        Message(offset, DAY_MS + offset, message_value(_end(offset - 1), _end(offset), range(ROWS)))
        for offset in offsets
    ]


def _reader(committed: Committed | None = None) -> PartitionReader:
    return PartitionReader(PLACE, KIND, committed)


def _closed(reader: PartitionReader, now: float = 0.0) -> Batch:
    batch = reader.form(now)
    assert batch is not None
    return batch


def _rows(batch: Batch) -> list[tuple[int, int]]:
    return [(int(offset), int(row)) for offset, row in batch.columns()[0]]


def _all_rows(offsets: Iterable[int]) -> list[tuple[int, int]]:
    return [(offset, row) for offset in offsets for row in range(ROWS)]


def test_a_batch_ends_when_it_is_old_enough() -> None:
    reader = _reader()
    reader.feed(_messages(range(2)), lambda: 0)
    assert reader.form(10.0) is None
    assert reader.due_at == 10.0 + SHORTEST_SECONDS
    reader.feed(_messages([2]), lambda: 0)
    batch = _closed(reader, 10.0 + SHORTEST_SECONDS)
    assert (batch.first, batch.last, _rows(batch)) == (0, 2, _all_rows(range(3)))
    assert batch.token == f"{TOPIC}/0/0-2/{DAY_MS}"
    assert batch.origin().stored == date(1970, 1, 2)
    reader.finish()
    assert reader.stored == 3


def test_a_batch_that_is_being_formed_may_be_given_more_time() -> None:
    reader = _reader()
    reader.feed(_messages(range(2)), lambda: 0)
    assert reader.form(0.0) is None
    reader.wait(LONGEST_SECONDS)
    for second in range(1, int(LONGEST_SECONDS)):
        reader.feed(_messages([1 + second]), lambda: 0)
        assert reader.form(second * SHORTEST_SECONDS) is None
    assert reader.form(LONGEST_SECONDS) is not None


def test_a_batch_does_not_wait_long_where_nothing_comes() -> None:
    reader = _reader()
    reader.feed(_messages(range(2)), lambda: 0)
    reader.wait(LONGEST_SECONDS)
    assert reader.form(0.5) is None
    assert reader.form(0.5 + SHORTEST_SECONDS) is not None


def test_a_batch_ends_before_it_has_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forming, "BLOCK_ROWS", 2 * ROWS + 1)
    reader = _reader()
    reader.feed(_messages(range(5)), lambda: 0)
    ends = []
    for _ in range(2):
        batch = _closed(reader)
        ends.append((batch.first, batch.last, batch.rows))
        reader.finish()
    assert ends == [(0, 1, 2 * ROWS), (2, 3, 2 * ROWS)]
    assert reader.form(0.0) is None


def test_an_intended_batch_is_formed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its age nor more messages nor a stop ends it elsewhere."""
    first = _reader()
    first.feed(_messages(range(4)), lambda: 0)
    first.form(0.0)
    first.close()
    wanted = _closed(first)
    again = _reader(Committed(wanted.first, wanted.intended))
    again.feed(_messages(range(2)), lambda: 0)
    assert again.form(0.0) is None
    again.close()
    assert again.form(1e6) is None
    assert again.due_at is None
    monkeypatch.setattr(forming, "BLOCK_ROWS", 1)
    again.feed(_messages(range(2, 9)), lambda: 0)
    batch = _closed(again, 1e6)
    assert (batch.token, _rows(batch), batch.origin()) == (wanted.token, _rows(wanted), wanted.origin())


def test_only_rows_behind_the_mark_are_taken() -> None:
    reader = _reader(Committed(7, Progress(Position(1, 0))))
    value = message_value(Position(0, 1), _end(1), range(ROWS))
    reader.feed([Message(7, 0, _messages([0])[0].value), Message(8, 0, value)], lambda: 0)
    reader.form(0.0)
    batch = _closed(reader, SHORTEST_SECONDS)
    assert _rows(batch) == [(1, 1), (1, 2)]
    assert (batch.doubles, batch.gaps, batch.mark) == (ROWS + 1, 0, _end(1))


def test_messages_after_a_gap_wait_for_their_forerunner() -> None:
    values = [message.value for message in _messages(range(4))]
    reader = _reader()
    sent = [values[0], values[2], values[3], values[1], values[2], values[3]]
    reader.feed([Message(offset, 0, value) for offset, value in enumerate(sent)], lambda: 0)
    reader.form(0.0)
    batch = _closed(reader, SHORTEST_SECONDS)
    assert _rows(batch) == _all_rows(range(4))
    assert batch.gaps == 2


def test_what_kafka_deleted_is_counted_and_passed() -> None:
    reader = _reader(Committed(3, Progress(_end(2))))
    reader.feed(_messages([10, 11]), lambda: 10)
    assert reader.lost == 7
    reader.form(0.0)
    batch = _closed(reader, SHORTEST_SECONDS)
    assert (batch.first, batch.before, _rows(batch)) == (10, None, _all_rows([10, 11]))


def test_offsets_that_kafka_skips_are_no_loss() -> None:
    reader = _reader(Committed(3, Progress(_end(2))))
    reader.feed([Message(5, 0, _messages([3])[0].value)], lambda: 0)
    reader.form(0.0)
    assert _rows(_closed(reader, SHORTEST_SECONDS)) == _all_rows([3])
    assert reader.lost == 0


@pytest.mark.parametrize(("start", "left"), [(5, [5, 6]), (7, []), (9, [])])
def test_of_an_intended_batch_what_is_left_keeps_the_token(start: int, left: list[int]) -> None:
    reader = _reader(Committed(3, Progress(_end(2), Intent(6, DAY_MS))))
    reader.feed(_messages(range(start, 12)), lambda: start)
    batch = _closed(reader)
    assert (batch.token, batch.last, batch.rows) == (f"{TOPIC}/0/3-6/{DAY_MS}", 6, ROWS * len(left))
    reader.finish()
    reader.form(0.0)
    assert _rows(_closed(reader, SHORTEST_SECONDS)) == _all_rows(range(max(start, 7), 12))


def test_unreadable_messages_are_refused_with_their_place() -> None:
    reader = _reader()
    other = message_value(START, _end(0), range(ROWS), partition=1)
    falling = message_value(START, _end(0), [2, 1])
    reader.feed([Message(0, 0, b"?"), Message(1, 0, other), Message(2, 0, falling), *_messages([3])], lambda: 0)
    reader.form(0.0)
    batch = _closed(reader, SHORTEST_SECONDS)
    assert [(letter.offset, letter.reason) for letter, _ in batch.refused] == [
        (0, "not an Arrow stream of one record batch"),
        (1, "rows that belong to another partition"),
        (2, "values out of range"),
    ]
    assert batch.gaps == 1


def test_refused_messages_have_a_limit_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """They have no rows, so that nothing else ends a batch of them early."""
    monkeypatch.setattr(forming, "MOST_REFUSED_BYTES", 1000)
    reader = _reader()
    reader.feed([Message(offset, DAY_MS, bytes(400)) for offset in range(4)], lambda: 0)
    batch = _closed(reader)
    assert (batch.last, len(batch.refused)) == (2, 3)
    again = _reader(Committed(0, Progress(START, Intent(3, DAY_MS))))
    again.feed([Message(offset, DAY_MS, bytes(400)) for offset in range(5)], lambda: 0)
    assert _closed(again).last == 3


def test_a_log_that_begins_anew_is_not_read() -> None:
    reader = _reader(Committed(3, Progress(_end(2))))
    with pytest.raises(BusError, match="made anew"):
        reader.feed(_messages([0]), lambda: 0)


def test_what_follows_a_damaged_message_of_a_processor_does_not_wait_for_it() -> None:
    """Its rows are in the dead letters; Kafka's headers say which ones they were."""
    reader = _reader()
    messages = _messages(range(4))
    lost = Coverage(0, _end(0), _end(1))
    messages[1] = messages[1]._replace(value=messages[1].value[:-9], coverage=coverage_in([lost.as_header()]))
    reader.feed(messages, lambda: 0)
    reader.form(0.0)
    batch = _closed(reader, SHORTEST_SECONDS)
    assert (len(batch.refused), batch.gaps, batch.mark) == (1, 0, _end(3))
    assert _rows(batch) == _all_rows([0, 2, 3])


def test_findings_of_a_newer_version_are_not_buried() -> None:
    def read(_value: bytes, _partition: int) -> Content:
        raise MessageError(Reason.NEWER_SCHEMA, "anomalies/2.0")

    reader = PartitionReader(PLACE, replace(KIND, read=read), None)
    reader.feed([Message(0, 0, b"", Coverage(0, START, _end(0)))], lambda: 0)
    with pytest.raises(BusError, match="upgrade the sinks"):
        reader.form(0.0)


@pytest.mark.parametrize("value", [b"", b"1 2 3 4", b"1 2 3 4 x", b"\xff", b"1 2 3 4 5 6", None])
def test_a_header_that_states_no_coverage_states_none(value: bytes | None) -> None:
    assert coverage_in([("other", b"1 2 3 4 5"), (COVERAGE_HEADER, value)]) is None


def test_a_header_of_another_program_without_a_value_hides_no_coverage() -> None:
    coverage = Coverage(3, START, _end(0))
    assert coverage_in([("trace", None), coverage.as_header()]) == coverage
