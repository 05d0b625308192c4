"""Plots as the objects that the page's script draws: one axis of times, and series with nulls where they have none."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from segwatch.explain.ledger import Ledger
from segwatch.explain.sentences import sequence_title
from segwatch.report.timeline import COUNTED, Timeline
from segwatch.vocabulary import RETRANSMISSIONS, Label

MOST_POINTS: Final = 3000
"""Segments of a conversation that are drawn: all with trouble, and of the others as many as there is room for."""
CLOCK_WIDTH: Final = 1_000_000_000
"""Nanoseconds of a bin from which on a plot has times of the day, rather than seconds since the first segment."""
_TROUBLE: Final = RETRANSMISSIONS | Label.OUT_OF_ORDER | Label.LOST_SEGMENT | Label.DUPLICATE_ACK | Label.ZERO_WINDOW


def timeline_plots(timeline: Timeline) -> list[dict[str, Any]]:
    """Return the plots of a whole capture: what was sent, and what was wrong with it."""
    rates, times = timeline.rates(), timeline.times()
    if timeline.width >= CLOCK_WIDTH:
        times = [timeline.first / 1e9 + time for time in times]
    wrong = [(name.replace("_", " "), rates[name]) for name in ("resets", *(name for name, _ in COUNTED))]
    wrong = [(name, values) for name, values in wrong if any(values)]
    drawn: list[tuple[str, list[tuple[str, list[float]]]]] = [("Payload, bits a second", [("payload", rates["bits"])])]
    drawn.append(("Segments a second", [("segments", rates["segments"])]))
    drawn += [("Trouble, segments a second", wrong)] if wrong else []
    width, with_clock = timeline.width / 1e9, timeline.width >= CLOCK_WIDTH
    return [_lines(title, times, series, width, with_clock=with_clock) for title, series in drawn]


def _lines(
    title: str, times: list[float], series: list[tuple[str, list[float]]], width: float, *, with_clock: bool
) -> dict[str, Any]:
    return {
        "title": title,
        "kind": "lines",
        "clock": with_clock,
        "width": width,
        "names": [name for name, _ in series],
        "data": [times, *([float(f"{value:.6g}") for value in values] for _, values in series)],
    }


def sequence_plot(ledger: Ledger) -> dict[str, Any] | None:
    """Return the time-sequence plot of the side that sent more, None where no side sent any data.

    ``frames`` has the frame of each point.
    """
    side = ledger.main_side()
    series = [] if side is None else [one for one in _series(ledger, side) if one[1].any()]
    if side is None or not series:
        return None
    shown = _shown(ledger, np.logical_or.reduce([rows for _, rows, _ in series]))
    return {
        "title": sequence_title(side, is_whole=ledger.is_whole),
        "kind": "points",
        "clock": False,
        "names": [name for name, _, _ in series],
        "frames": ledger.frame[shown].tolist(),
        "data": [
            np.round(ledger.time[shown] / 1e9, 6).tolist(),
            *(_values(rows[shown], positions[shown]) for _, rows, positions in series),
        ],
    }


def _series(ledger: Ledger, side: int) -> list[tuple[str, npt.NDArray[np.bool_], npt.NDArray[np.int64]]]:
    data = ledger.rows(side) & ledger.has_data
    other = ledger.rows(1 - side) & (ledger.acknowledged >= 0)
    again, early = data & ledger.labelled(RETRANSMISSIONS), data & ledger.labelled(Label.OUT_OF_ORDER)
    repeated, closed = other & ledger.labelled(Label.DUPLICATE_ACK), other & ledger.labelled(Label.ZERO_WINDOW)
    return [
        ("sent", data & ~again & ~early, ledger.end),
        ("acknowledged", other & ~repeated & ~closed, ledger.acknowledged),
        ("sent again", again, ledger.end),
        ("out of order", early, ledger.end),
        ("duplicate ACK", repeated & ~closed, ledger.acknowledged),
        ("window 0", closed, ledger.acknowledged),
    ]


def _shown(ledger: Ledger, rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return ``MOST_POINTS`` of some rows at most, in the order of time."""
    troubled = rows & ledger.labelled(_TROUBLE)
    first = _thinned(np.flatnonzero(troubled), MOST_POINTS // 2)
    others = _thinned(np.flatnonzero(rows & ~troubled), MOST_POINTS - len(first))
    places = np.concatenate([first, others])
    return places[np.lexsort((places, ledger.time[places]))]


def _thinned(places: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    return places if len(places) <= most else places[np.linspace(0, len(places) - 1, most).astype(np.int64)]


def _values(mask: npt.NDArray[np.bool_], positions: npt.NDArray[np.int64]) -> list[int | None]:
    return [value if has else None for has, value in zip(mask.tolist(), positions.tolist(), strict=True)]
