"""Giving back the memory of conversations that are over, in a stream that never ends.

Whether a conversation is over is decided when its next segment comes (``rules.conversation.has_expired``), from its own
times alone. So when the memory is given back changes nothing, as long as the capture's time does not run backwards.
"""

from typing import Any

import numpy as np

from processors.flow_table import counter, unacked
from processors.flow_table.lookup import rebuild_slots
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
    for conversation in range(state.counters[counter.CONVERSATIONS]):
        record = state.conversations[conversation]
        if record.interval == NOTHING and has_expired(state, record, now):
            places[conversation] = NOTHING
        else:
            places[conversation] = kept
            kept += 1
    return kept


@kernel
def _move_together(state: State, places: Any) -> None:
    for conversation in range(state.counters[counter.CONVERSATIONS]):
        place = signed(places[conversation])
        if place == NOTHING:
            unacked.clear(state, state.directions[2 * conversation])
            unacked.clear(state, state.directions[2 * conversation + 1])
        elif place != conversation:
            state.conversations[place] = state.conversations[conversation]
            state.directions[2 * place] = state.directions[2 * conversation]
            state.directions[2 * place + 1] = state.directions[2 * conversation + 1]
    for slot in range(state.counters[counter.INTERVALS_USED]):
        interval = state.intervals[slot]
        if interval.flow != NOTHING:
            interval.flow = places[interval.flow]


def remove_expired(state: State, now: int, seed: Any) -> int:
    """Remove conversations that are over at ``now`` (nanoseconds) and have no open interval; return how many.

    Nothing happens while they are few: then their number is 0.
    """
    conversations = int(state.counters[counter.CONVERSATIONS])
    places = np.empty(conversations, np.int32)
    kept = _mark_expired(state, now, places)
    if _WORTH_A_PASS * (conversations - kept) < conversations or kept == conversations:
        return 0
    _move_together(state, places)
    state.conversations.view(np.uint8).reshape(len(state.conversations), -1)[kept:conversations] = 0
    state.counters[counter.CONVERSATIONS] = kept
    state.slots[:] = 0
    rebuild_slots(state, seed)
    return conversations - kept
