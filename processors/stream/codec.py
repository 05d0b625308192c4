"""Checkpoint values: named arrays and a description, compressed, with a check of what wrote them.

A value is a Zstandard frame of: a line of JSON (the description, and type and length of each array), then the bytes
of the arrays. Nothing in it is code.
"""

import hashlib
import json
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import zstandard

from processors.engine import VERDICTS
from processors.flow_table import counter
from processors.flow_table.keys import KEY
from processors.flow_table.state import CONVERSATION, DIRECTION, OPEN_INTERVAL, UNACKED
from processors.verdicts import counter as verdicts_counter
from processors.verdicts.state import NOTE, PIECE, SENDER, TROUBLE
from segwatch.errors import SegwatchError
from segwatch.records.verdicts import VERDICT

FORMAT: Final = 2
_LEVEL: Final = 1
POSITION_KEY: Final = "position"
"""Name of the value that closes a checkpoint of a partition, in keys of the form PARTITION/NAME."""
_MOST_BYTES: Final = 1 << 31
_ANALYSED: Final[dict[str, np.dtype[Any]]] = {
    "keys": KEY,
    "conversations": CONVERSATION,
    "directions": DIRECTION,
    "unacked": UNACKED,
    "intervals": OPEN_INTERVAL,
    "counters": np.dtype(np.int64),
}
_JUDGED: Final[dict[str, np.dtype[Any]]] = {
    "senders": SENDER,
    "pieces": PIECE,
    "troubles": TROUBLE,
    "notes": NOTE,
    "rows": VERDICT,
    "counters": np.dtype(np.int64),
}
TYPES: Final = _ANALYSED | {f"{VERDICTS}{name}": kind for name, kind in _JUDGED.items()}
"""Arrays of an engine's state."""

Arrays = dict[str, npt.NDArray[Any]]


class CheckpointError(SegwatchError):
    """A checkpoint cannot be read: it is damaged, or another version wrote it."""

    exit_code = 6


@cache
def layout() -> str:
    """Return a digest of the types of the state: state of another layout cannot be read."""
    sizes = counter.COUNT, verdicts_counter.COUNT
    described = repr([(name, kind.descr) for name, kind in TYPES.items()]) + str(sizes)
    return hashlib.blake2b(described.encode(), digest_size=8).hexdigest()


def encode(description: dict[str, Any], states: list[Arrays]) -> bytes:
    """Return the value that holds a description (of what JSON can say) and the states of some engines."""
    rows = [{name: len(array) for name, array in state.items()} for state in states]
    head = json.dumps({"format": FORMAT, "layout": layout(), "rows": rows, "about": description}, separators=(",", ":"))
    parts: list[bytes | memoryview] = [head.encode(), b"\n"]
    parts += [array.view(np.uint8).data for state in states for array in state.values() if len(array)]
    return zstandard.ZstdCompressor(level=_LEVEL).compress(b"".join(parts))


def decode(value: bytes) -> tuple[dict[str, Any], list[Arrays]]:
    """Return description and states. Raises ``CheckpointError``."""
    try:
        content = zstandard.ZstdDecompressor().decompress(value, max_output_size=_MOST_BYTES)
        head, _, body = content.partition(b"\n")
        described = json.loads(head)
        written_by, rows, about = (described["format"], described["layout"]), described["rows"], described["about"]
    except (zstandard.ZstdError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"A checkpoint is damaged ({error}); see docs/reliability.md.") from error
    if written_by != (FORMAT, layout()):
        raise CheckpointError(
            "The checkpoints were written by another version of segwatch; let processors of that version read "
            "everything, then reset the checkpoints (docs/reliability.md says how)."
        )
    return about, _states(body, rows)


def _states(body: bytes, rows: list[dict[str, int]]) -> list[Arrays]:
    states, start = [], 0
    for lengths in rows:
        state = {}
        for name, length in lengths.items():
            # A copy: kernels are compiled for memory that can be written.
            state[name] = np.frombuffer(body, TYPES[name], length, start).copy()
            start += length * TYPES[name].itemsize
        states.append(state)
    return states


def covered_offset(key: bytes, value: bytes) -> int | None:
    """Return the offset that a partition's checkpoint covers, out of its value; ``None`` for values of other keys.

    Raises ``CheckpointError``.
    """
    if not key.endswith(f"/{POSITION_KEY}".encode()):
        return None
    about, _ = decode(value)
    return int(about["table"]["applied"])
