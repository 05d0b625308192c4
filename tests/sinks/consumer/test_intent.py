"""What is committed is read again; what others committed is refused with a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segwatch.errors import BusError
from segwatch.messages.positions import Position
from sinks.consumer.intent import Intent, Progress, parse_progress

_NUMBERS = st.integers(-1, 2**63 - 1)


@given(
    mark=st.none() | st.builds(Position, _NUMBERS, _NUMBERS),
    intent=st.none() | st.builds(Intent, _NUMBERS, _NUMBERS),
)
def test_round_trip(mark: Position | None, intent: Intent | None) -> None:
    text = Progress(mark, intent).as_metadata()
    assert parse_progress(text, "a topic") == Progress(mark, intent)
    assert len(text) < 150


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "x", '{"v":1}', '{"v":1,"mark":"1"}', '{"v":1,"mark":3}', '{"v":1,"mark":"a:b"}',
             '{"v":1,"mark":null,"intent":"x"}', '{"v":1,"mark":null,"intent":7}'],
)  # fmt: skip
def test_foreign_metadata(text: str) -> None:
    with pytest.raises(BusError, match=r"offset of a/0 was committed by another program"):
        parse_progress(text, "a/0")


def test_metadata_of_a_newer_version() -> None:
    with pytest.raises(BusError, match="newer segwatch"):
        parse_progress('{"v":2,"place":"elsewhere"}', "a/0")
