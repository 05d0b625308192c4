"""Which letters are listed."""

from collections.abc import Iterator

import pytest

from segwatch.kafka import dead_letters
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.dead_letters import read_letters
from segwatch.kafka.reading import LogMessage
from segwatch.kafka.topics import SEGMENTS
from segwatch.messages.dead_letters import DeadLetter

ADDRESS = KafkaAddress(("127.0.0.1:9092",), is_local=False)


def listed(monkeypatch: pytest.MonkeyPatch, *letters: tuple[int, bytes, str]) -> list[int]:
    """Return the numbers that are listed of letters: offset of the message, its content, and who refused it."""

    def read_topic(_address: KafkaAddress, _topic: str) -> Iterator[LogMessage]:
        for number, (offset, content, reader) in enumerate(letters):
            about = DeadLetter("cut short", f"says the {reader}", SEGMENTS, 3, offset, reader)
            yield LogMessage(0, number, 0, about.as_headers(), content)

    monkeypatch.setattr(dead_letters, "read_topic", read_topic)
    return [letter.number for letter in read_letters(ADDRESS)]


def test_a_message_that_was_refused_again_is_listed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    again = (17, b"a", "processor"), (18, b"a", "processor"), (17, b"a", "processor"), (17, b"a", "sink")
    assert listed(monkeypatch, *again) == [0, 1]


def test_another_message_in_the_same_place_is_another_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The topic was made anew."""
    assert listed(monkeypatch, (17, b"a", "sink"), (17, b"b", "sink"), (17, b"b", "sink")) == [0, 1]


def test_letters_that_name_no_place_are_all_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert listed(monkeypatch, (-1, b"a", "sink"), (-1, b"a", "sink")) == [0, 1]
