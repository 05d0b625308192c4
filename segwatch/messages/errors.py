"""Why a message cannot be read."""

from enum import Enum

from segwatch.errors import SegwatchError


class Reason(Enum):
    """Why a message went to the dead letters; the value stands in its header ``reason``."""

    NOT_ARROW = "not an Arrow stream of one record batch"
    CUT = "cut short"
    OTHER_KIND = "another kind of record"
    NEWER_SCHEMA = "a newer major version of the schema"
    WRONG_COLUMNS = "columns missing or of another type"
    WRONG_METADATA = "metadata missing or not understood"
    WRONG_VALUES = "values out of range"
    FROM_THE_FUTURE = "captured later than it was sent"
    OTHER_PARTITION = "rows that belong to another partition"


class MessageError(SegwatchError):
    """A message cannot be read; ``reason`` names the class, the text says what exactly."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
