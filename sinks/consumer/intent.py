"""What is committed to Kafka beside an offset: how far rows were taken, and which batch is being inserted."""

import json
from typing import Any, Final, NamedTuple

from segwatch.errors import BusError
from segwatch.messages.positions import Position
from sinks.consumer.intake import Mark

VERSION: Final = 1


class Intent(NamedTuple):
    """A batch that begins at the committed offset, and is inserted or will be."""

    last: int
    """Offset of its last message."""
    began: int
    """Kafka's time of its first message, milliseconds since the epoch: part of its token and its day of storing."""


class Progress(NamedTuple):
    """What the metadata of a committed offset say."""

    mark: Mark
    intent: Intent | None = None

    def as_metadata(self) -> str:
        """Return the text that is committed."""
        content: dict[str, Any] = {"v": VERSION, "mark": None if self.mark is None else str(self.mark)}
        if self.intent is not None:
            content |= {"intent": self.intent.last, "began": self.intent.began}
        return json.dumps(content, separators=(",", ":"))


def parse_progress(text: str, where: str) -> Progress:
    """Return what the metadata of the offset committed for ``where`` say.

    Raises ``BusError`` for what this version of the sink has not written.
    """
    try:
        content = json.loads(text)
        version = content["v"]
    except (ValueError, TypeError, KeyError):
        raise _foreign(text, where) from None
    if isinstance(version, int) and version > VERSION:
        raise BusError(f"A newer segwatch has committed the offset of {where}; upgrade segwatch on this machine.")
    try:
        mark = content["mark"]
        position = None if mark is None else Position(*map(int, mark.split(":")))
        intent = Intent(int(content["intent"]), int(content["began"])) if "intent" in content else None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _foreign(text, where) from None
    return Progress(position, intent)


def _foreign(text: str, where: str) -> BusError:
    return BusError(
        f"The offset of {where} was committed by another program than segwatch (its metadata are {text[:80]!r}), so it "
        "is not known which rows are stored; delete the offsets of the group to store again what Kafka still has."
    )
