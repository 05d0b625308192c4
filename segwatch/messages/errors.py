"""Why a message cannot be read."""

from enum import Enum
from typing import Final

from segwatch.errors import SegwatchError


class Reason(Enum):
    """Why a message went to the dead letters; the value stands in its header ``reason``."""

    NOT_ARROW = "not an Arrow stream of one record batch"
    CUT = "cut short"
    DAMAGED = "columns that cannot be decompressed"
    TOO_LARGE = "columns that would be too large"
    OTHER_KIND = "another kind of record"
    NEWER_SCHEMA = "a newer major version of the schema"
    WRONG_COLUMNS = "columns missing or of another type"
    WRONG_METADATA = "metadata missing or not understood"
    WRONG_VALUES = "values out of range"
    FROM_THE_FUTURE = "captured later than it was sent"
    OTHER_PARTITION = "rows that belong to another partition"


_MOST_DETAIL: Final = 300
"""Characters: names and types in a message, which details tell, may be as long as the message."""


class MessageError(SegwatchError):
    """A message cannot be read; ``reason`` names the class, ``detail`` says what exactly."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail[:_MOST_DETAIL]
        super().__init__(f"{reason.value}: {self.detail}")
