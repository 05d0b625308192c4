"""What went wrong, in one sentence for a person, with an exit code for scripts."""

from typing import ClassVar


class SegwatchError(Exception):
    """Base of all errors that a user can do something about.

    The message is one clear sentence: what is wrong, where, and what to do.
    """

    exit_code: ClassVar[int] = 1


class UsageError(SegwatchError):
    """The command line or a setting asks for something impossible."""

    exit_code = 2


class InputError(SegwatchError):
    """An input cannot be read as what it should be."""

    exit_code = 3


class PartialInputError(InputError):
    """An input ended early or went bad midway; what came before it was handled."""

    exit_code = 4


class StoreError(SegwatchError):
    """The store cannot be reached, is full, is of a newer version or refuses."""

    exit_code = 5


class StoreUnavailableError(StoreError):
    """The store does not answer, has no room or too much to do now; the same may succeed later."""


class BusError(SegwatchError):
    """Kafka refuses, lacks a topic or a right, or is not what it should be."""

    exit_code = 6


class KafkaUnavailableError(BusError):
    """No broker answers now; one may later."""


class OutputError(SegwatchError):
    """The output cannot be written, or there is no room left for what has to be written."""

    exit_code = 7
