"""What the store keeps of verdicts: the last revision of each."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from segwatch.memory import joined
from segwatch.messages.verdicts import VERDICT_NAMES
from segwatch.records.verdicts import VERDICT
from segwatch.scope import Scope
from sinks.decoding import ArrayReader
from sinks.stored_conversations import ConversationKey

_COLUMNS: Final = tuple(VERDICT_NAMES.get(name, name) for name in VERDICT.names or ())


def conversation_verdicts(reader: ArrayReader, key: ConversationKey) -> npt.NDArray[Any]:
    """Return the verdicts on a conversation, (V,) ``VERDICT``: the last revision of each, in order of frames."""
    statement = (
        f"SELECT {', '.join(_COLUMNS)} FROM verdicts FINAL WHERE {key.condition} "  # noqa: S608  # made of numbers
        "ORDER BY frame, from_client, seq_raw"
    )
    parts = [np.zeros(0, VERDICT)]
    for block in reader.blocks(statement, None, {}):
        rows = np.zeros(block.rows, VERDICT)
        for name in VERDICT.names or ():
            rows[name] = block.columns[VERDICT_NAMES.get(name, name)]
        parts.append(rows)
    return joined(parts)


_HARMS: Final = "(cause = 'capture_loss' OR place != 'unknown' OR (stalled > 0 AND cause != 'application_idle'))"


def harmed_conversations(reader: ArrayReader, scope: Scope) -> Iterator[tuple[int, int, int]]:
    """Yield session (two halves) and number of each conversation in which something was lost or stood still."""
    statement = f"SELECT DISTINCT session, stream FROM verdicts FINAL WHERE {scope.condition} AND {_HARMS}"  # noqa: S608  # literals are quoted
    for block in reader.blocks(statement, None, {}):
        yield from zip(*block.columns["session"].T.tolist(), block.columns["stream"].tolist(), strict=True)
