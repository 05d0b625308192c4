"""Giving back the memory of conversations that are over, in a stream that never ends.

Whether a conversation is over is decided when its next segment comes (``rules.conversation.has_expired``), from its own
times alone. So when the memory is given back changes nothing, as long as the capture's time does not run backwards.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from processors.flow_table import counter, unacked
from processors.flow_table.state import NOTHING, State
from processors.rules.conversation import has_expired
from processors.serial import signed
from segwatch.compilation import kernel

_WORTH_A_PASS = 4
"""Records are moved together when at least one of so many is over."""


@kernel
def _mark_expired(state: State, now: int, places: Any) -> int:
    """Write each conversation's place after the removal (``NOTHING`` for the removed); return how many stay."""
    kept = 0
    for conversation in range(len(places)):
        record = state.conversations[conversation]
        if record.interval == NOTHING and has_expired(state, record, now):
            places[conversation] = NOTHING
        else:
            places[conversation] = kept
            kept += 1
    return kept


@kernel
def _forget(state: State, conversation: int) -> None:
    """Give a record the value of a conversation whose first segment is still to come."""
    record = state.conversations[conversation]
    record.begun = 0


@kernel
def _move_together(state: State, places: Any) -> None:
    kept = 0
    for conversation in range(len(places)):
        place = signed(places[conversation])
        if place == NOTHING:
            unacked.clear(state, state.directions[2 * conversation])
            unacked.clear(state, state.directions[2 * conversation + 1])
            continue
        kept = place + 1
        if place != conversation:
            state.conversations[place] = state.conversations[conversation]
            state.directions[2 * place] = state.directions[2 * conversation]
            state.directions[2 * place + 1] = state.directions[2 * conversation + 1]
    for conversation in range(kept, len(places)):
        _forget(state, conversation)
    for slot in range(state.counters[counter.INTERVALS_USED]):
        interval = state.intervals[slot]
        if interval.flow != NOTHING:
            interval.flow = places[interval.flow]


def places_without_expired(state: State, conversations: int, now: int) -> tuple[npt.NDArray[np.int32], int]:
    """Return the place of each of N conversations without those that are over at ``now``, and how many stay.

    Those that are over and have no open interval get ``NOTHING``. While they are few, all stay where they are.
    """
    places = np.empty(conversations, np.int32)
    kept = _mark_expired(state, now, places)
    if _WORTH_A_PASS * (conversations - kept) < conversations:
        return np.arange(conversations, dtype=np.int32), conversations
    return places, kept


def places_of_latest(state: State, conversations: int, keep: int) -> npt.NDArray[np.int32]:
    """Return the place of each of N conversations when only the ``keep`` (below N) that sent last stay."""
    stays = np.zeros(conversations, np.bool_)
    silent = conversations - keep
    stays[np.argpartition(state.conversations["previous"][:conversations], silent)[silent:]] = True
    places: npt.NDArray[np.int32] = np.where(stays, np.cumsum(stays) - 1, NOTHING).astype(np.int32)
    return places


def remove_expired(state: State, places: npt.NDArray[np.int32]) -> None:
    """Move the records of conversations to their new ``places``."""
    _move_together(state, places)
