"""What the sink needs of Kafka and of the store."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from segwatch.errors import SegwatchError
from sinks.consumer.batch import Batch, Message, Place, Refused
from sinks.consumer.forming import Committed
from sinks.consumer.kinds import Kind


class MembershipError(SegwatchError):
    """The group went on without this member: its partitions are not its own any more."""


class Polled(NamedTuple):
    """What a poll brought."""

    revoked: frozenset[Place]
    """Partitions that are not this member's any more; they come before ``assigned``."""
    assigned: frozenset[Place]
    """New partitions; what is read of them begins where ``Bus.begin`` says."""
    messages: Mapping[Place, list[Message]]


class Bus(Protocol):
    """A member of the sink's group. Errors are ``BusError``, and ``KafkaUnavailableError`` where waiting helps."""

    def poll(self, seconds: float) -> Polled:
        """Wait for messages, and take part in the life of the group; partitions change hands only here."""

    def committed(self, place: Place) -> Committed | None:
        """Return what the group has committed for a partition."""

    def begin(self, place: Place, offset: int) -> None:
        """Read a partition from an offset on, or from its first message where that is gone."""

    def log_start(self, place: Place) -> int:
        """Return the offset of the first message that a partition still has."""

    def log_end(self, place: Place) -> int | None:
        """Return the offset behind the last message of a partition, as far as it is known."""

    def commit(self, offsets: Mapping[Place, Committed]) -> None:
        """Commit offsets. Raises ``MembershipError`` if the group has gone on without this member."""

    def bury(self, refused: Iterable[Refused]) -> None:
        """Send messages to the dead letters, and wait until Kafka has them."""

    def pause(self) -> None:
        """Let polls bring no messages, of any partition, until ``resume``."""

    def resume(self) -> None:
        """Let polls bring messages again."""


class Tables(Protocol):
    """The tables of the store."""

    def insert(self, kind: Kind, batch: Batch) -> None:
        """Insert the rows of a batch under its token, once.

        Raises ``StoreUnavailableError`` if the same may succeed later, another ``StoreError`` if it will not.
        """
