"""The list of a sender's unacknowledged segments: singly linked, oldest first, nodes from one pool.

Wireshark walks its whole list at every acknowledgment. Here the list knows whether it is ordered (each segment
starts at or after the end of the one before, all within half of the number space): then acknowledged segments are a
prefix of it. An unordered list is walked, but not again for an acknowledgment number that it was walked for.
``unacked_low`` and ``unacked_high`` are the least start and the greatest end, as offsets from ``base_seq``.
"""

from typing import Any

from processors.flow_table import counter
from processors.flow_table.state import NOTHING, State
from processors.serial import HALF, after, distance, not_after, signed
from segwatch.compilation import kernel

TCP_MAX_UNACKED_SEGMENTS = 10000
"""Limit of Wireshark's list; further segments are not remembered."""


@kernel
def has_room(state: State) -> bool:
    """Whether one more segment can be remembered."""
    return bool(
        state.counters[counter.UNACKED_FREE] != NOTHING or state.counters[counter.UNACKED_USED] < len(state.unacked)
    )


@kernel
def _take_node(state: State) -> int:
    node = state.counters[counter.UNACKED_FREE]
    if node != NOTHING:
        state.counters[counter.UNACKED_FREE] = state.unacked[node].next
        return signed(node)
    node = state.counters[counter.UNACKED_USED]
    state.counters[counter.UNACKED_USED] = node + 1
    return signed(node)


@kernel
def _give_back(state: State, node: int) -> None:
    state.unacked[node].next = state.counters[counter.UNACKED_FREE]
    state.counters[counter.UNACKED_FREE] = node


@kernel
def clear(state: State, sender: Any) -> None:
    """Drop all segments of a sender."""
    while sender.unacked_first != NOTHING:
        node = signed(sender.unacked_first)
        sender.unacked_first = state.unacked[node].next
        _give_back(state, node)
    sender.unacked_last = NOTHING
    sender.unacked_purged = NOTHING
    sender.unacked_count = 0
    sender.unacked_ordered = 1


@kernel
def _follows(first_start: int, last_end: int, start: int, end: int) -> bool:
    """Whether a segment keeps a list ordered that begins at ``first_start`` and ends at ``last_end``."""
    return distance(last_end, first_start) <= distance(start, first_start) <= distance(end, first_start) < HALF


@kernel
def append(state: State, sender: Any, start: int, end: int, frame: int, now: int) -> None:
    """Remember a segment that was just sent."""
    node = _take_node(state)
    entry = state.unacked[node]
    entry.start = start
    entry.end = end
    entry.frame = frame
    entry.time = now
    entry.next = NOTHING
    low = distance(start, signed(sender.base_seq))
    high = distance(end, signed(sender.base_seq))
    if sender.unacked_count == 0:
        sender.unacked_first = node
        sender.unacked_low = low
        sender.unacked_high = high
    else:
        last = state.unacked[sender.unacked_last]
        first_start = signed(state.unacked[sender.unacked_first].start)
        if not _follows(first_start, signed(last.end), start, end):
            sender.unacked_ordered = 0
        last.next = node
        sender.unacked_low = min(low, signed(sender.unacked_low))
        sender.unacked_high = max(high, signed(sender.unacked_high))
    sender.unacked_last = node
    sender.unacked_count += 1


@kernel
def measure_extent(state: State, sender: Any) -> None:
    """Compute ``unacked_low`` and ``unacked_high`` anew (entries were removed or ``base_seq`` moved)."""
    low = 0xFFFFFFFF
    high = 0
    node = signed(sender.unacked_first)
    while node != NOTHING:
        entry = state.unacked[node]
        low = min(low, distance(signed(entry.start), signed(sender.base_seq)))
        high = max(high, distance(signed(entry.end), signed(sender.base_seq)))
        node = signed(entry.next)
    sender.unacked_low = low
    sender.unacked_high = high


@kernel
def _signed_distance(end: int, ack: int) -> int:
    apart = distance(end, ack)
    return apart - 2 * HALF if apart >= HALF else apart


@kernel
def purge(state: State, sender: Any, ack: int) -> int:
    """Remove what ``ack`` acknowledges; return the oldest node that ended exactly there, removed, or ``NOTHING``.

    The content of the returned node stays readable until the next ``append``.
    """
    if sender.unacked_count == 0:
        return NOTHING
    if sender.unacked_ordered:
        first_end = _signed_distance(signed(state.unacked[sender.unacked_first].end), ack)
        last_end = _signed_distance(signed(state.unacked[sender.unacked_last].end), ack)
        if -HALF < first_end <= last_end:
            return _purge_prefix(state, sender, ack)
    return _purge_anywhere(state, sender, ack)


@kernel
def _purge_prefix(state: State, sender: Any, ack: int) -> int:
    """``purge`` for an ordered list that does not wrap around at ``ack``."""
    match = NOTHING
    node = signed(sender.unacked_first)
    removed = False
    while node != NOTHING:
        entry = state.unacked[node]
        end_distance = _signed_distance(signed(entry.end), ack)
        if end_distance > 0:
            if after(ack, signed(entry.start)):
                entry.start = ack
                removed = True
            break
        if end_distance == 0 and match == NOTHING:
            match = node
        following = signed(entry.next)
        _give_back(state, node)
        sender.unacked_count -= 1
        removed = True
        node = following
    sender.unacked_first = node
    if node == NOTHING:
        sender.unacked_last = NOTHING
        sender.unacked_purged = NOTHING
    elif removed:
        sender.unacked_purged = NOTHING
        low = distance(signed(state.unacked[node].start), signed(sender.base_seq))
        high = distance(signed(state.unacked[sender.unacked_last].end), signed(sender.base_seq))
        if low <= high:
            sender.unacked_low = low
            sender.unacked_high = high
        else:
            measure_extent(state, sender)
    return match


@kernel
def _purge_anywhere(state: State, sender: Any, ack: int) -> int:
    """``purge`` for any list: walk it, from where an earlier walk for the same number ended."""
    previous = NOTHING
    if sender.unacked_purged != NOTHING and sender.unacked_purge_ack == ack:
        previous = signed(sender.unacked_purged)
    walked_all = previous == NOTHING
    node = signed(sender.unacked_first) if walked_all else signed(state.unacked[previous].next)
    match = NOTHING
    changed = False
    while node != NOTHING:
        entry = state.unacked[node]
        following = signed(entry.next)
        start = signed(entry.start)
        end = signed(entry.end)
        remove = False
        if ack == end:
            remove = True
            if match == NOTHING:
                match = node
        elif after(ack, start) and not_after(ack, end):
            entry.start = ack
            changed = True
            remove = not after(end, ack)
        elif not after(end, ack):
            remove = True
        if remove:
            changed = True
            if previous == NOTHING:
                sender.unacked_first = following
            else:
                state.unacked[previous].next = following
            _give_back(state, node)
            sender.unacked_count -= 1
        else:
            previous = node
        node = following
    sender.unacked_last = previous
    sender.unacked_purged = previous
    sender.unacked_purge_ack = ack
    if changed:
        _measure(state, sender)
    return match


@kernel
def _measure(state: State, sender: Any) -> None:
    """Compute extent and order anew after a walk that changed the list."""
    measure_extent(state, sender)
    ordered = 1
    if sender.unacked_count > 0:
        first_start = signed(state.unacked[sender.unacked_first].start)
        last_end = first_start
        node = signed(sender.unacked_first)
        while node != NOTHING:
            entry = state.unacked[node]
            if not _follows(first_start, last_end, signed(entry.start), signed(entry.end)):
                ordered = 0
                break
            last_end = signed(entry.end)
            node = signed(entry.next)
    sender.unacked_ordered = ordered


@kernel
def oldest(state: State, sender: Any) -> Any:
    """Return the record of the oldest unacknowledged segment of a sender that has some."""
    return state.unacked[sender.unacked_first]
