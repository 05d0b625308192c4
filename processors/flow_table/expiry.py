"""Giving back the memory of conversations that are over, in a stream that never ends, or that are too many.

Whether a conversation is over is decided when its next segment comes (``rules.conversation.has_expired``), from its own
times alone. So when the memory is given back changes nothing, as long as the capture's time does not run backwards.
Conversations beyond a limit are forgotten, the longest silent ones first: should they go on, they begin anew, midway.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from processors.flow_table import counter, unacked
from processors.flow_table.state import NOTHING, State
from processors.intervals import close
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


@kernel
def _mark_longest_silent(state: State, last: int, at_last: int, places: Any, closed: Any) -> None:
    """Forget who sent nothing since ``last``, and the first ``at_last`` of those who sent just then.

    Write each conversation's place after the removal (``NOTHING`` for the removed), and close the intervals of the
    removed.
    """
    kept = 0
    for conversation in range(len(places)):
        record = state.conversations[conversation]
        gone = record.previous < last
        if record.previous == last and at_last > 0:
            at_last -= 1
            gone = True
        if gone:
            places[conversation] = NOTHING
            if record.interval != NOTHING:
                close(state, signed(record.interval), closed)
        else:
            places[conversation] = kept
            kept += 1


def places_without_longest_silent(state: State, conversations: int, keep: int, closed: Any) -> npt.NDArray[np.int32]:
    """Return the place of each of N conversations without those that were silent longest, so that ``keep`` stay.

    Of those that sent last at the same moment the first are removed, so the result is the same on every machine.

    Their open intervals are closed into ``closed``, which has room for one of each.
    """
    previous = state.conversations["previous"][:conversations]
    last = np.partition(previous, conversations - keep)[conversations - keep]
    at_last = conversations - keep - int(np.count_nonzero(previous < last))
    places = np.empty(conversations, np.int32)
    _mark_longest_silent(state, int(last), at_last, places, closed)
    return places


def remove_expired(state: State, places: npt.NDArray[np.int32]) -> None:
    """Move the records of conversations to their new ``places``."""
    _move_together(state, places)
