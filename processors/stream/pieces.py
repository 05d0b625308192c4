"""Checkpoint values that are greater than a message may be: cut into pieces, and a value that names them.

Keys of pieces are never used again, and pieces are written before the value that names them. So this one value says at
any time what belongs together, also while a processor that was thought dead still writes. Pieces that are not named any
more are deleted after it, by who named others instead. Those of a writer that died before it named them stay.
"""

import secrets
from collections.abc import Callable
from typing import Final

from processors.stream.codec import CheckpointError

MOST_VALUE_BYTES = 8_000_000
"""Kafka takes no greater one (``segwatch.kafka.topics.MAX_MESSAGE_BYTES``, less what it adds)."""
_NAMES: Final = b"pieces "
"""Begins a value that names others; no other value begins so (``codec.encode``)."""

Write = tuple[bytes, bytes | None]
"""A key and its new value; ``None`` deletes it."""


class Pieces:
    """The values of one writer."""

    def __init__(self) -> None:
        self._name = secrets.token_hex(8).encode()
        """Tells writers apart: at the same offset they write the same."""
        self._count = 0
        self._named: dict[bytes, list[bytes]] = {}
        """Keys of the pieces that a key's value names."""

    def write(self, key: bytes, value: bytes) -> list[Write]:
        """Return what to write so that ``key`` has the value, in this order."""
        before = self._named.pop(key, [])
        if len(value) <= MOST_VALUE_BYTES:
            return [(key, value), *((piece, None) for piece in before)]
        self._count += 1
        starts = range(0, len(value), MOST_VALUE_BYTES)
        names = [b"%b/%b/%d/%d" % (key, self._name, self._count, number) for number in range(len(starts))]
        self._named[key] = names
        pieces = (value[start : start + MOST_VALUE_BYTES] for start in starts)
        return [
            *zip(names, pieces, strict=True),
            (key, _NAMES + b" ".join(names)),
            *((piece, None) for piece in before),
        ]

    def read(self, key: bytes, read: Callable[[bytes], bytes | None]) -> bytes | None:
        """Return the value of ``key``, ``None`` if it has none; ``read`` returns what was written for a key.

        Raises ``CheckpointError``.
        """
        value = read(key)
        if value is None or not value.startswith(_NAMES):
            return value
        names = value.removeprefix(_NAMES).split(b" ")
        pieces = [piece for piece in map(read, names) if piece is not None]
        if len(pieces) < len(names):
            raise CheckpointError(
                f"A checkpoint is damaged ({len(names) - len(pieces)} of its {len(names)} pieces are missing); see "
                "docs/reliability.md."
            )
        self._named[key] = names
        return b"".join(pieces)
