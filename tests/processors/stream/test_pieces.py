"""Checkpoint values that are greater than a message may be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import processors.stream.pieces
from processors.stream.codec import CheckpointError
from processors.stream.pieces import MOST_VALUE_BYTES, Pieces

KEY = b"3/1"
SMALL = b"small"
GREAT = bytes(range(256)) * (3 * MOST_VALUE_BYTES // 256)


class Table(dict[bytes, bytes]):
    """What was written."""

    def take(self, writes: list[tuple[bytes, bytes | None]]) -> None:
        for key, value in writes:
            assert value is None or len(value) <= MOST_VALUE_BYTES
            if value is None:
                self.pop(key, None)
            else:
                self[key] = value


def test_a_value_that_kafka_would_not_take_is_written_in_pieces() -> None:
    table = Table()
    table.take(Pieces().write(KEY, GREAT))
    assert len(table) == 4
    assert Pieces().read(KEY, table.get) == GREAT


@pytest.mark.parametrize("last", [SMALL, GREAT, GREAT[1:]])
def test_pieces_that_are_not_named_any_more_are_deleted(last: bytes) -> None:
    table, fresh = Table(), Table()
    table.take(Pieces().write(KEY, GREAT))
    successor = Pieces()
    successor.read(KEY, table.get)
    table.take(successor.write(KEY, last))
    fresh.take(Pieces().write(KEY, last))
    assert sorted(map(len, table)) == sorted(map(len, fresh))
    assert successor.read(KEY, table.get) == last


def test_the_value_before_stays_whole_until_the_new_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors.stream.pieces, "MOST_VALUE_BYTES", 100)
    writer, table = Pieces(), Table()
    table.take(writer.write(KEY, bytes(250)))
    writes = writer.write(KEY, bytes([1]) * 350)
    named = [key for key, _ in writes].index(KEY)
    for count in range(len(writes) + 1):
        other = Table(table)
        other.take(writes[:count])
        assert Pieces().read(KEY, other.get) == (bytes([1]) * 350 if count > named else bytes(250))


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_writers_that_were_thought_dead_harm_no_other(data: st.DataObject) -> None:
    """Each goes on where it stood still, in the midst of a value; at the same offset all have the same value."""
    table = Table()
    writers: list[tuple[Pieces, list[int], list[tuple[bytes, bytes | None]]]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processors.stream.pieces, "MOST_VALUE_BYTES", 100)
        for _ in range(data.draw(st.integers(1, 40))):
            if not writers or data.draw(st.integers(0, 9)) == 0:
                begun = Pieces()
                value = begun.read(KEY, table.get)
                writers.append((begun, [value[0] if value else 0], []))
            writer, offset, left = data.draw(st.sampled_from(writers))
            if not left:
                offset[0] += data.draw(st.integers(1, 2))
                left += writer.write(KEY, bytes([offset[0]]) * 250)
            table.take([left.pop(0)])
            Pieces().read(KEY, table.get)


def test_a_missing_piece_is_told() -> None:
    table = Table()
    table.take(Pieces().write(KEY, GREAT))
    del table[next(key for key in table if key != KEY)]
    with pytest.raises(CheckpointError, match="1 of its 3 pieces are missing"):
        Pieces().read(KEY, table.get)
