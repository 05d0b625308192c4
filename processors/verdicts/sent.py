"""The ring of what a sender has sent for the first time: in a block of pieces that doubles while data is in flight.

Acknowledged pieces stay until their place is needed: what was acknowledged before it was sent again can still be named.
"""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.serial import MODULUS_MASK, after, as_index, distance, not_after, signed
from processors.verdicts import counter
from processors.verdicts.state import HAS_IP_ID, HAS_TIMESTAMP, LARGEST_BLOCK, LEAST_BLOCK, State
from segwatch.compilation import inner_kernel, kernel, rare_kernel
from segwatch.vocabulary import Quality

_IPV6 = int(Quality.IPV6)
_TIMESTAMPS = int(Quality.TIMESTAMPS)
_WIDEST = 1 << 30
"""Numbers that a ring spans at most: beyond, before and after would lose their meaning."""


@kernel
def has_room(state: State) -> bool:
    """Whether one more block of any size can be taken."""
    return bool(state.counters[counter.PIECES_USED] + LARGEST_BLOCK <= len(state.pieces))


@inner_kernel
def marks_of(quality: int) -> int:
    """Return what a header has to tell its place among others by."""
    marks = 0
    if quality & _TIMESTAMPS:
        marks |= HAS_TIMESTAMP
    if not quality & _IPV6:
        marks |= HAS_IP_ID
    return marks


@inner_kernel
def _take_block(state: State, size: int) -> int:
    place = counter.BLOCKS_FREE + size - 1
    block = state.counters[place]
    if block != NOTHING:
        state.counters[place] = state.pieces[as_index(block)].time
        return signed(block)
    state.counters[counter.USES] += 1
    block = state.counters[counter.PIECES_USED]
    state.counters[counter.PIECES_USED] = block + (LEAST_BLOCK << (size - 1))
    return signed(block)


@inner_kernel
def _give_back(state: State, block: int, size: int) -> None:
    place = counter.BLOCKS_FREE + size - 1
    state.pieces[block].time = state.counters[place]
    state.counters[place] = block


@inner_kernel
def clear(state: State, sender: Any) -> None:
    """Forget all pieces of a sender."""
    if sender.block_size:
        _give_back(state, signed(sender.block), signed(sender.block_size))
    sender.block_size = 0
    sender.block = 0
    sender.oldest = 0
    sender.count = 0


@inner_kernel
def room_of(sender: Any) -> int:
    """Return how many pieces fit into a sender's block."""
    return (LEAST_BLOCK << signed(sender.block_size) >> 1) & -LEAST_BLOCK  # without a block half of the least, so 0


@inner_kernel
def place_of(sender: Any, index: int) -> int:
    """Return where the piece of that number (0 is the oldest) lies in ``pieces``."""
    return signed(sender.block) + ((signed(sender.oldest) + index) & (room_of(sender) - 1))


@rare_kernel
def _enlarge(state: State, sender: Any) -> None:
    """Move the pieces into a block of the next size."""
    size = signed(sender.block_size) + 1
    block = _take_block(state, size)
    for index in range(signed(sender.count)):
        state.pieces[block + index] = state.pieces[place_of(sender, index)]
    _give_back(state, signed(sender.block), signed(sender.block_size))
    sender.block_size = size
    sender.block = block
    sender.oldest = 0


@rare_kernel
def _place_elsewhere(state: State, sender: Any, end: int) -> int:
    """Return the place of one more piece, which ends at ``end``, where the block is full and no place is given up."""
    if distance(end, signed(state.pieces[place_of(sender, 0)].start)) >= _WIDEST:
        sender.oldest = 0
        sender.count = 0
    else:
        _enlarge(state, sender)
    sender.count += 1
    return place_of(sender, signed(sender.count) - 1)


@inner_kernel
def _first_place(state: State, sender: Any) -> int:
    """Return the place of the first piece of a sender that has no block."""
    block = _take_block(state, 1)
    sender.block_size = 1
    sender.block = block
    sender.oldest = 0
    sender.count = 1
    return block


@inner_kernel
def _next_place(state: State, sender: Any, end: int) -> int:
    """Return the place of one more piece, which ends at ``end``: in a full block that of the oldest, if it may go."""
    room = room_of(sender)
    count = signed(sender.count)
    if count < room:
        sender.count = count + 1
        return place_of(sender, count)
    if not room:
        return _first_place(state, sender)
    place = place_of(sender, 0)
    oldest = state.pieces[as_index(place)]
    may_go = room == LARGEST_BLOCK or not_after(signed(oldest.end), signed(sender.una))
    if may_go and distance(end, signed(oldest.start)) < _WIDEST:
        sender.oldest = (signed(sender.oldest) + 1) & (room - 1)
        return place
    return _place_elsewhere(state, sender, end)


@inner_kernel
def _append(state: State, sender: Any, packet: Any, start: int, end: int) -> None:
    """Remember a segment that begins at or after the end of all others."""
    piece = state.pieces[as_index(_next_place(state, sender, end))]
    piece.start = start
    piece.end = end
    piece.time = packet.now
    piece.frame = packet.frame & MODULUS_MASK
    piece.tsecr = packet.tsecr
    piece.tsval = packet.tsval
    piece.ip_id = packet.ip_id
    piece.ttl = packet.ttl
    piece.marks = marks_of(packet.quality)


@inner_kernel
def take_new(state: State, sender: Any, packet: Any, start: int, end: int) -> None:
    """Remember what is sent for the first time, from ``start`` on."""
    _append(state, sender, packet, start, end)
    sender.snd_max = end
    sender.last_sent = packet.now


@inner_kernel
def has_begun(sender: Any) -> bool:
    """Whether a sender has sent or heard anything."""
    return bool(signed(sender.last_sent) | signed(sender.last_heard))


@rare_kernel
def find(state: State, sender: Any, seq: int) -> int:
    """Return the number of the last piece that starts at or before ``seq``, -1 if all start after it."""
    if not sender.count:
        return -1
    base = signed(state.pieces[place_of(sender, 0)].start)
    if after(base, seq) or distance(seq, base) >= 2 * _WIDEST:
        return -1
    wanted = distance(seq, base)
    low = 0
    high = signed(sender.count)
    while high - low > 1:
        middle = (low + high) >> 1
        if distance(signed(state.pieces[place_of(sender, middle)].start), base) <= wanted:
            low = middle
        else:
            high = middle
    return low


@rare_kernel
def covers(state: State, sender: Any, index: int, seq: int) -> bool:
    """Whether the piece of that number, which starts at or before ``seq``, holds the byte ``seq``."""
    return index >= 0 and after(signed(state.pieces[place_of(sender, index)].end), seq)


@rare_kernel
def frame_of(low: int, now: int) -> int:
    """Return a frame's number by its last 32 bits; ``now``: that of a later frame, fewer than 2^32 after it."""
    return now - ((now - low) & MODULUS_MASK)
