"""Kafka and a store that forget nothing, fail on demand, and can be looked into.

A message is JSON: where its findings come from and the numbers of its rows; anything else cannot be read.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from segwatch.errors import KafkaUnavailableError, StoreUnavailableError
from segwatch.messages.errors import MessageError, Reason
from segwatch.messages.positions import Coverage, Position
from sinks.consumer.batch import Batch, Message, Place, Refused
from sinks.consumer.forming import Committed
from sinks.consumer.intake import check_coverage
from sinks.consumer.intent import parse_progress
from sinks.consumer.kinds import Content, Kind
from sinks.consumer.ports import MembershipError, Polled

TOPIC = "findings"


class CrashError(Exception):
    """The process ends here."""


def message_value(after: Position, through: Position, rows: Iterable[int], partition: int = 0) -> bytes:
    """Return a message of findings."""
    return json.dumps({"partition": partition, "after": after, "through": through, "rows": list(rows)}).encode()


def _read(value: bytes, partition: int) -> Content:
    try:
        content = json.loads(value)
    except ValueError:
        raise MessageError(Reason.NOT_ARROW, "no JSON") from None
    coverage = Coverage(content["partition"], Position(*content["after"]), Position(*content["through"]))
    rows = np.array(content["rows"], np.int64)
    check_coverage(coverage, rows, partition)
    found = np.stack([np.full(len(rows), coverage.through.offset), rows], axis=1)
    return Content("sensor", "00" * 16, (found,), coverage, rows)


def _refuse_to_write(*_: object) -> None:
    raise AssertionError("the simulated store takes batches as they are")


KIND = Kind("findings", _read, _refuse_to_write)


@dataclass
class SimulatedKafka:
    """Logs, committed offsets and dead letters: what survives any crash of a sink."""

    logs: dict[Place, list[bytes]] = field(default_factory=dict)
    starts: dict[Place, int] = field(default_factory=dict)
    """First offsets that are kept, where that is not 0."""
    committed: dict[Place, tuple[int, str]] = field(default_factory=dict)
    buried: dict[tuple[Place, int], bytes] = field(default_factory=dict)
    generation: int = 0

    def append(self, value: bytes, place: Place) -> None:
        """Put a message at the end of a partition."""
        self.logs.setdefault(place, []).append(value)


@dataclass
class SimulatedStore:
    """Rows of the table, and tokens that were seen; it survives too."""

    rows: list[tuple[int, int, int]] = field(default_factory=list)
    """Partition, offset and row of each."""
    tokens: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)

    def take(self, batch: Batch) -> None:
        """Take a batch, unless its token was seen before; then it must be the same."""
        rows = [(batch.place.partition, *map(int, pair)) for pair in batch.columns()[0]]
        if batch.token not in self.tokens:
            self.rows += rows
        assert self.tokens.setdefault(batch.token, rows) == rows, "another block under the same token"


Fault = Callable[[str], str]
"""Asked before and after each operation; says ``""``, ``crash``, ``away`` or ``moved``."""


class SimulatedBus:
    """A member of the group; only the newest one's commits count: ``ports.Bus``."""

    def __init__(self, kafka: SimulatedKafka, fault: Fault, poll_messages: Callable[[], int]) -> None:
        self._kafka = kafka
        self._fault = fault
        self._poll_messages = poll_messages
        self._positions: dict[Place, int] = {}
        self._generation = -1
        self._is_paused = False

    def poll(self, seconds: float) -> Polled:
        """Give the next messages of each partition; a new generation takes all partitions away and gives them again."""
        if self._generation != self._kafka.generation:
            revoked, self._generation = frozenset(self._positions), self._kafka.generation
            self._positions = dict.fromkeys(self._kafka.logs, 0)
            return Polled(revoked, frozenset(self._positions), {})
        messages = {}
        for place, log in self._kafka.logs.items() if not self._is_paused else ():
            first = max(self._positions[place], self._kafka.starts.get(place, 0))
            found = [Message(first + i, 1000 * (first + i), value) for i, value in enumerate(log[first:])]
            messages[place] = found[: self._poll_messages()]
            self._positions[place] = first + len(messages[place])
        return Polled(frozenset(), frozenset(), messages)

    def committed(self, place: Place) -> Committed | None:
        """Return what is committed."""
        self._pass("committed")
        found = self._kafka.committed.get(place)
        return None if found is None else Committed(found[0], parse_progress(found[1], str(place)))

    def begin(self, place: Place, offset: int) -> None:
        """Read on from an offset."""
        self._positions[place] = offset

    def log_start(self, place: Place) -> int:
        """Return the first offset that is kept."""
        return self._kafka.starts.get(place, 0)

    def log_end(self, place: Place) -> int | None:
        """Return the offset behind the last message."""
        return len(self._kafka.logs[place])

    def commit(self, offsets: Mapping[Place, Committed]) -> None:
        """Commit, if no newer member is there."""
        self._pass("before commit")
        if self._generation != self._kafka.generation:
            raise MembershipError("moved on")
        for place, one in offsets.items():
            self._kafka.committed[place] = (one.offset, one.progress.as_metadata())
        self._pass("after commit")

    def bury(self, refused: Iterable[Refused]) -> None:
        """Keep dead letters."""
        self._pass("before bury")
        for letter, value in refused:
            self._kafka.buried[Place(letter.topic, letter.partition), letter.offset] = value
        self._pass("after bury")

    def pause(self) -> None:
        """Give no messages."""
        self._is_paused = True

    def resume(self) -> None:
        """Give messages again."""
        self._is_paused = False

    def _pass(self, operation: str) -> None:
        match self._fault(operation):
            case "crash":
                raise CrashError
            case "away":
                raise KafkaUnavailableError("away.")
            case "moved":
                self._kafka.generation += 1


class SimulatedTables:
    """The store as a sink sees it: ``ports.Tables``."""

    def __init__(self, store: SimulatedStore, fault: Fault) -> None:
        self._store = store
        self._fault = fault

    def insert(self, kind: Kind, batch: Batch) -> None:
        """Let the store take a batch."""
        self._pass("before insert")
        self._store.take(batch)
        self._pass("after insert")

    def _pass(self, operation: str) -> None:
        match self._fault(operation):
            case "crash":
                raise CrashError
            case "away" | "moved":
                raise StoreUnavailableError("away.")
