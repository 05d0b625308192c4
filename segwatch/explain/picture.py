"""The time-sequence picture of a conversation, drawn with characters."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import plotext

from segwatch.explain.ledger import Ledger
from segwatch.explain.sentences import sequence_title
from segwatch.vocabulary import RETRANSMISSIONS, Label

HEIGHT: Final = 20
_MOST_POINTS: Final = 4000
"""Of each kind; more make no difference to the eye."""


class _Kind(NamedTuple):
    """Points that look alike; later kinds cover earlier ones."""

    name: str
    marker: str
    color: str
    rows: npt.NDArray[np.bool_]
    positions: npt.NDArray[np.int64]


def picture(ledger: Ledger, width: int, *, colored: bool) -> str:
    """Return the bytes of the side that sent more over time, with labels; empty where no side sent any."""
    side = ledger.main_side()
    if side is None or not any(kind.rows.any() for kind in _kinds(ledger, side)):
        return ""
    plotext.clear_figure()
    plotext.plot_size(width, HEIGHT)
    plotext.theme("clear" if not colored else "pro")
    for kind in _kinds(ledger, side):
        places = np.flatnonzero(kind.rows)
        places = places[:: -(-len(places) // _MOST_POINTS)] if len(places) else places
        if len(places):
            times = (ledger.time[places] / 1e9).tolist()
            plotext.scatter(
                times, kind.positions[places].tolist(), marker=kind.marker, color=kind.color, label=kind.name
            )
    plotext.title(sequence_title(side, is_whole=ledger.is_whole))
    plotext.xlabel("seconds")
    drawn: str = plotext.build()
    return drawn if colored else plotext.uncolorize(drawn)


def _kinds(ledger: Ledger, side: int) -> list[_Kind]:
    mine = ledger.rows(side) & ledger.is_analysed
    other = ledger.rows(1 - side) & (ledger.acknowledged >= 0)
    data = mine & ledger.has_data
    return [
        _Kind("acknowledged", "-", "gray", other, ledger.acknowledged),
        _Kind("sent", "•", "blue", data, ledger.end),
        _Kind("out of order", "o", "orange", data & ledger.labelled(Label.OUT_OF_ORDER), ledger.end),
        _Kind("sent again", "R", "red", data & ledger.labelled(RETRANSMISSIONS), ledger.end),
        _Kind("duplicate ACK", "d", "magenta", other & ledger.labelled(Label.DUPLICATE_ACK), ledger.acknowledged),
        _Kind("window 0", "Z", "red", other & ledger.labelled(Label.ZERO_WINDOW), ledger.acknowledged),
    ]
