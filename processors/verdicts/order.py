"""In which order a sender sent two segments: by its timestamps (RFC 7323), else by its IP identifications.

Linux counts the identification of a connection up by one for every packet (``inet_id``), so a repeat has a later one
than all before it, and a late original an earlier one. Senders whose identifications do not ascend tell nothing by
them.
"""

from typing import Any

from processors.serial import before, signed, signed_distance
from processors.verdicts.headers import Header
from processors.verdicts.sent import place_of
from processors.verdicts.state import HAS_IP_ID, HAS_TIMESTAMP, State
from segwatch.compilation import rare_kernel

_ID_MASK = 0xFFFF
_ID_HALF = 0x8000
_LARGEST_STEP = 1024
"""Packets that a host may send between two segments of a connection, with one counter for all."""
_PIECES_LOOKED_AT = 4

EARLIER = -1
UNTOLD = 0
LATER = 1


@rare_kernel
def ids_ascend(state: State, sender: Any) -> int:
    """Return 1 if the identifications of the last pieces ascend by small steps, -1 if not, 0 if there are too few.

    0 is no identification: Linux gives it to a SYN/ACK.
    """
    count = signed(sender.count)
    found = 0
    for index in range(max(1, count - _PIECES_LOOKED_AT + 1), count):
        one = state.pieces[place_of(sender, index - 1)]
        other = state.pieces[place_of(sender, index)]
        if not one.marks & other.marks & HAS_IP_ID:
            return -1
        if one.ip_id and other.ip_id:
            step = (signed(other.ip_id) - signed(one.ip_id)) & _ID_MASK
            if step == 0 or step > _LARGEST_STEP:
                return -1
            found = 1
    return found


@rare_kernel
def sent_after(segment: Header, other: Header, ascending: bool) -> int:
    """Return whether a segment was sent ``LATER`` or ``EARLIER`` than another, or ``UNTOLD``.

    ``ascending``: see ``ids_ascend``.
    """
    if segment.marks & other.marks & HAS_TIMESTAMP and segment.tsval != other.tsval:
        return EARLIER if before(segment.tsval, other.tsval) else LATER
    if ascending and segment.marks & other.marks & HAS_IP_ID and segment.ip_id != other.ip_id:
        return LATER if id_step(segment.ip_id, other.ip_id) > 0 else EARLIER
    return UNTOLD


@rare_kernel
def id_step(later: int, earlier: int) -> int:
    """Return by how much an identification went up, -32768 to 32767."""
    step = (later - earlier) & _ID_MASK
    return step if step < _ID_HALF else step - _ID_MASK - 1


@rare_kernel
def tsval_step(segment: Header, other: Header) -> int:
    """Return by how much the timestamp went up, -2^31 to 2^31 - 1; 0 without timestamps."""
    if not segment.marks & other.marks & HAS_TIMESTAMP:
        return 0
    return signed_distance(segment.tsval, other.tsval)
