"""How bad the conversations of a book are, by the same measure as in a summary."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from segwatch.jobs.reasons import score_conversations
from segwatch.jobs.totals import CONVERSATION_TOTALS, TROUBLE
from segwatch.jobs.watch.book import Count

_OF_BOTH_SIDES = {
    "lost_segments": Count.LOST_SEGMENTS, "out_of_order": Count.OUT_OF_ORDER, "duplicate_acks": Count.DUPLICATE_ACKS,
    "zero_windows": Count.ZERO_WINDOWS,
}  # fmt: skip


class Judged(NamedTuple):
    """Conversations as a summary knows them: row i of each belongs to row i of the book's conversations."""

    totals: npt.NDArray[Any]
    """(C,) ``CONVERSATION_TOTALS``, without numbers of hosts."""
    troubles: npt.NDArray[Any]
    """(C,) ``TROUBLE``."""
    scores: npt.NDArray[np.int64]
    with_closed_window: int
    """How many had a closed window."""


def judged(conversations: npt.NDArray[Any], counters: str, since: int = 0) -> Judged:
    """Judge (C,) ``CONVERSATION`` by their counters ``window`` or ``start``, of times from ``since`` on."""
    counts = conversations[counters]
    totals = np.zeros(len(conversations), CONVERSATION_TOTALS)
    for name in ("client_port", "server_port", "completeness", "closer", "last", "initial_rtt"):
        totals[name] = conversations[name]
    totals["present"] = 1
    totals["opened"] = np.maximum(conversations["opened"], since)
    totals["trouble"] = np.arange(len(conversations))
    for name, count in (
        ("payload_bytes", Count.PAYLOAD_BYTES), ("segments", Count.SEGMENTS), ("data_segments", Count.DATA_SEGMENTS),
    ):  # fmt: skip
        totals[name] = counts[:, :, count]
    resets = counts[:, :, Count.RESETS]
    totals["reset"] = np.where(resets.any(axis=1), conversations["reset"], 0)
    troubles = np.zeros(len(conversations), TROUBLE)
    for name, count in (
        ("retransmitted_bytes", Count.RETRANSMITTED_BYTES), ("zero_window_time", Count.ZERO_WINDOW_TIME),
        ("retransmissions", Count.RETRANSMISSIONS),
    ):  # fmt: skip
        troubles[name] = counts[:, :, count]
    troubles["resets"] = resets
    for name, count in _OF_BOTH_SIDES.items():
        troubles[name] = counts[:, :, count].sum(axis=1)
    scores = np.empty(len(conversations), np.int64)
    closed = score_conversations(totals, troubles, scores)
    return Judged(totals, troubles, scores, closed)
