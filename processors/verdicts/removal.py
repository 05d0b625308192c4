"""Giving back what is remembered of conversations that the flow table has removed."""

from typing import Any

import numpy as np
import numpy.typing as npt

from processors.flow_table.state import NOTHING
from processors.serial import signed
from processors.verdicts import sent, troubles
from processors.verdicts.state import State
from segwatch.compilation import kernel


@kernel
def _give_back(state: State, sender: Any) -> None:
    sent.clear(state, sender)
    if sender.trouble:
        troubles.clear(state, sender)


@kernel
def _move_together(state: State, places: Any) -> None:
    for conversation in range(len(places)):
        place = signed(places[conversation])
        if place == NOTHING:
            _give_back(state, state.senders[2 * conversation])
            _give_back(state, state.senders[2 * conversation + 1])
        elif place != conversation:
            state.senders[2 * place] = state.senders[2 * conversation]
            state.senders[2 * place + 1] = state.senders[2 * conversation + 1]


def remove(state: State, places: npt.NDArray[np.int32], kept: int) -> None:
    """Move the senders of conversations to their new ``places`` (``NOTHING``: removed), of which there are ``kept``.

    Those behind them become as before their first segment: what they had belongs to others now.
    """
    _move_together(state, places)
    state.senders[2 * kept : 2 * len(places)].view(np.uint8)[:] = 0
