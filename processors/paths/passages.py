"""The packets along their own way, and which sensors on it would have seen them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from processors.paths.delays import Usual
from segwatch.records.paths import NOWHERE, PacketColumns

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Passages(NamedTuple):
    """Columns of P packets; S places on their way, so the first place is the sensor that is nearest to the sender."""

    row: Numbers
    """(P, S)"""
    time: Numbers
    """(P, S) by the first sensor's clock, 0 where there is no row."""
    seen: Flags
    """(P, S)"""
    expects: Flags
    """(P, S) whether the sensor there would have seen the packet, had it come by: it ran, and it sees this direction
    of the conversation."""


def _along(columns: npt.NDArray[np.generic], backward: Flags) -> None:
    """Turn the rows of ``columns`` around that go backward."""
    columns[backward] = columns[backward][:, ::-1]


def find_passages(packets: PacketColumns, times: Numbers, sees: Flags, spans: Numbers, usual: Usual) -> Passages:
    """Return the passages.

    ``times``: (N,) by row; ``sees``: (S, F) whether a sensor sees a direction of a conversation, whose number is
    twice the conversation's plus the side's; ``spans``: (S, 2) when each sensor began and ended.
    """
    backward = ~packets.is_forward
    row, expects = packets.row.copy(), sees.T[2 * packets.conversation.astype(np.int64) + packets.side]
    _along(row, backward)
    _along(expects, backward)
    seen = row != NOWHERE
    time = np.where(seen, times[row], 0)
    for direction, chosen in enumerate((packets.is_forward, backward)):
        way = slice(None) if direction == 0 else slice(None, None, -1)
        limits = Usual(*(delays[direction][way, way] for delays in usual))
        expects[chosen] &= _running(time[chosen], seen[chosen], spans[way], limits)
    return Passages(row, time, seen, expects)


def _running(time: Numbers, seen: Flags, spans: Numbers, usual: Usual) -> Flags:
    """Return (P, S) whether each sensor ran when the packets would have come by; all by places on the way."""
    packets, places = seen.shape
    first, last = seen.argmax(axis=1), places - 1 - seen[:, ::-1].argmax(axis=1)
    begin, end = time[np.arange(packets), first], time[np.arange(packets), last]
    running = np.ones(seen.shape, np.bool_)
    for place in range(places):
        behind, ahead = last < place, first > place
        earliest = np.where(behind, end + usual.least[last, place], begin)
        earliest = np.where(ahead, begin - usual.most[place, first], earliest)
        latest = np.where(behind, end + usual.most[last, place], end)
        latest = np.where(ahead, begin - usual.least[place, first], latest)
        running[:, place] = (earliest >= spans[place, 0]) & (latest <= spans[place, 1])
    return running
