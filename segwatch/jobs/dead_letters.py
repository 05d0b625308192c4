"""The jobs behind ``segwatch dead-letters``: listing, saving and sending again."""

import json
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from segwatch import __version__
from segwatch.errors import OutputError, UsageError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import check_topics
from segwatch.kafka.connection import bus_errors, open_producer
from segwatch.kafka.dead_letters import Letter, read_contents, read_letters
from segwatch.kafka.topics import DEAD_LETTERS, FINDINGS, SEGMENTS, SENSORS
from segwatch.printable import printable
from segwatch.times import time_text

RESENDABLE: Final = (SEGMENTS, *FINDINGS, SENSORS)
"""Topics whose messages may be sent again; what else a letter names is not believed."""
_NANOSECONDS_A_MILLISECOND: Final = 1_000_000
_UNDER_WAY: Final = 100
"""Messages that wait for their acknowledgement at most."""
_ANSWER_SECONDS: Final = 60


@dataclass(frozen=True)
class ListJob:
    """Which letters to show, and where to write their messages."""

    address: KafkaAddress
    reason: str | None
    limit: int
    save: Path | None
    as_json: bool

    def run(self) -> None:
        """Show the newest letters, the oldest of them first."""
        check_topics(self.address, reads=(DEAD_LETTERS,))
        newest: deque[Letter] = deque(maxlen=self.limit)
        count = 0
        for letter in read_letters(self.address):
            if self.reason in {None, letter.reason}:
                count += 1
                newest.append(letter)
        if self.save is not None:
            _save(self.address, [letter.number for letter in newest], self.save)
        if self.as_json:
            document = {"segwatch": __version__, "count": count, "dead_letters": [_as_json(one) for one in newest]}
            click.echo(json.dumps(document, indent=2))
            return
        _print_letters(newest)
        what = "dead letter" if count == 1 else "dead letters"
        shown = f", the newest {len(newest):,} are shown (--limit shows more)" if count > len(newest) else ""
        click.echo(f"{count:,} {what}{shown}.")


@dataclass(frozen=True)
class ResendJob:
    """Which letters to send again: those with these numbers, or all with this reason, or all."""

    address: KafkaAddress
    numbers: frozenset[int]
    reason: str | None
    confirmed: bool
    as_json: bool

    def run(self) -> int:
        """Send them to the partitions that they came from; return the exit code."""
        check_topics(self.address, reads=(DEAD_LETTERS,), writes=RESENDABLE)
        chosen = [letter for letter in read_letters(self.address) if self._is_chosen(letter)]
        unknown = sorted(self.numbers - {letter.number for letter in chosen})
        if unknown:
            raise UsageError(f"there is no dead letter {unknown[0]}; segwatch dead-letters lists those that there are.")
        with open_producer(self.address) as producer, bus_errors(self.address):
            partitions = {topic: len(producer.partitions_for(topic)) for topic in RESENDABLE}
            reasons = {letter.number: _why_not(letter, partitions) for letter in chosen}
            numbers = [number for number, why_not in reasons.items() if not why_not]
            if not self._may_send(len(numbers)):
                return 1
            self._send(producer, numbers)
        self._report(len(numbers), {number: why_not for number, why_not in reasons.items() if why_not})
        return 0

    def _is_chosen(self, letter: Letter) -> bool:
        return letter.number in self.numbers if self.numbers else self.reason in {None, letter.reason}

    def _may_send(self, count: int) -> bool:
        if self.confirmed or not count:
            return True
        if not sys.stdin.isatty():
            raise UsageError("nobody can be asked here: say --yes to send the messages again.")
        return click.confirm(f"Send {count:,} messages to Kafka at {self.address.bootstrap} again?", err=True)

    def _send(self, producer: Any, numbers: list[int]) -> None:
        under_way: deque[Any] = deque()
        for letter, content in read_contents(self.address, numbers):
            under_way.append(producer.send(letter.about.topic, value=content, partition=letter.about.partition))
            if len(under_way) >= _UNDER_WAY:
                under_way.popleft().get(timeout=_ANSWER_SECONDS)
        for sent in under_way:
            sent.get(timeout=_ANSWER_SECONDS)

    def _report(self, sent: int, left: dict[int, str]) -> None:
        if self.as_json:
            not_sent = [{"number": number, "why": why_not} for number, why_not in left.items()]
            click.echo(json.dumps({"segwatch": __version__, "sent": sent, "not_sent": not_sent}, indent=2))
            return
        for number, why_not in left.items():
            click.echo(f"Dead letter {number} was not sent: {why_not}.")
        click.echo(f"Sent {sent:,} {'message' if sent == 1 else 'messages'} again.")


def _why_not(letter: Letter, partitions: dict[str, int]) -> str:
    """Return why a letter cannot be sent again, an empty text if it can."""
    topic, partition = letter.about.topic, letter.about.partition
    if topic not in RESENDABLE:
        return f"its topic {printable(topic)!r} is none whose messages can be sent again"
    if not 0 <= partition < partitions[topic]:
        return f"{topic} has no partition {partition}"
    return "" if letter.size else "its message is empty, or was too large to be kept"


def _save(address: KafkaAddress, numbers: list[int], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for letter, content in read_contents(address, numbers):
            (folder / _file_name(letter)).write_bytes(content)
    except OSError as error:
        raise OutputError(f"the messages cannot be written into {folder}: {error.strerror}.") from error


def _file_name(letter: Letter) -> str:
    """Return a name that is safe whatever stands in the letter."""
    topic = re.sub(r"[^A-Za-z0-9._-]", "_", letter.about.topic)[:100]
    return f"{letter.number}-{topic}-{letter.about.partition}-{letter.about.offset}.message"


def _time(letter: Letter) -> str:
    return time_text(letter.time * _NANOSECONDS_A_MILLISECOND)


def _as_json(letter: Letter) -> dict[str, Any]:
    about = letter.about._asdict() | {"reason": letter.reason}
    return {"number": letter.number, "time": _time(letter), "size": letter.size, **about}


def _print_letters(letters: deque[Letter]) -> None:
    if not letters:
        return
    rows = [("number", "time", "reason", "reader", "topic", "partition", "offset", "size", "detail")]
    for letter in letters:
        about = letter.about
        texts = letter.reason, about.reader, about.topic
        reason, reader, topic = map(printable, texts)
        place = str(about.partition), str(about.offset), str(letter.size)
        rows.append((str(letter.number), _time(letter), reason, reader, topic, *place, printable(about.detail)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    sides: tuple[Callable[[str, int], str], ...] = (
        str.rjust, str.ljust, str.ljust, str.ljust, str.ljust, str.rjust, str.rjust, str.rjust, str.ljust,
    )  # fmt: skip
    for row in rows:
        click.echo("  ".join(_cells(row, widths, sides)).rstrip())


def _cells(row: tuple[str, ...], widths: list[int], sides: tuple[Callable[[str, int], str], ...]) -> Iterator[str]:
    return (side(cell, width) for side, cell, width in zip(sides, row, widths, strict=True))
