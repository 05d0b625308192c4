"""Finding the conversation of each segment: open addressing with linear probing, symmetric in the two ends."""

from typing import Any

import numpy as np

from processors.flow_table.keys import Keys
from processors.flow_table.state import NOTHING
from processors.serial import signed
from segwatch.compilation import kernel
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Quality

_FACTORS = (
    np.uint64(0x9FB21C651E98DF25),
    np.uint64(0xC2B2AE3D27D4EB4F),
    np.uint64(0x165667B19E3779F9),
    np.uint64(0xD6E8FEB86659FD93),
    np.uint64(0xA0761D6478BD642F),
)
_ONE = np.uint64(1)
_SHIFT = np.uint64(32)
_LOW_32 = 0xFFFFFFFF
_TAG_BITS, _TAG_PLACE = 31, 32
_IPV6 = int(Quality.IPV6)
_UNREADABLE = int(Quality.HEADER_UNREADABLE)


@kernel
def source_is_greater(segments: SegmentColumns, row: int) -> bool:
    """Whether the source (address, then port) of a segment is greater than its destination: then side 1 sent it.

    Any fixed order of the ends gives the same findings; addresses are compared as the two numbers they are stored in.
    """
    if segments.src[row, 0] != segments.dst[row, 0]:
        return bool(segments.src[row, 0] > segments.dst[row, 0])
    if segments.src[row, 1] != segments.dst[row, 1]:
        return bool(segments.src[row, 1] > segments.dst[row, 1])
    return bool(segments.sport[row] > segments.dport[row])


@kernel
def ends(segments: SegmentColumns, row: int) -> tuple[Any, Any, Any, Any, int, int]:
    """Return the two words of the lower address, those of the higher one, and their ports."""
    if source_is_greater(segments, row):
        return (
            segments.dst[row, 0],
            segments.dst[row, 1],
            segments.src[row, 0],
            segments.src[row, 1],
            signed(segments.dport[row]),
            signed(segments.sport[row]),
        )
    return (
        segments.src[row, 0],
        segments.src[row, 1],
        segments.dst[row, 0],
        segments.dst[row, 1],
        signed(segments.sport[row]),
        signed(segments.dport[row]),
    )


@kernel
def _hash(
    low0: Any, low1: Any, high0: Any, high1: Any, low_port: int, high_port: int, session: int, version: int, seed: Any
) -> Any:
    """Return 64 bits of the key of a conversation: multilinear hashing with multipliers out of ``seed``, then mixed."""
    mixed = low0 * (seed * _FACTORS[0] | _ONE)
    mixed += low1 * (seed * _FACTORS[1] | _ONE)
    mixed += high0 * (seed * _FACTORS[2] | _ONE)
    mixed += high1 * (seed * _FACTORS[3] | _ONE)
    mixed += np.uint64(low_port | high_port << 16 | session << 32) * (seed * _FACTORS[4] | _ONE)
    mixed += np.uint64(version)
    mixed = (mixed ^ (mixed >> _SHIFT)) * _FACTORS[0]
    return mixed ^ (mixed >> _SHIFT)


@kernel
def hash_of_record(record: Any, seed: Any) -> Any:
    """Return 64 bits of a key record."""
    return _hash(
        record.low[0],
        record.low[1],
        record.high[0],
        record.high[1],
        signed(record.low_port),
        signed(record.high_port),
        signed(record.session),
        signed(record.ip_version),
        seed,
    )


@kernel
def _tag(hashed: Any) -> int:
    """Return the bits of a hash that are kept in the table."""
    return signed(hashed >> np.uint64(64 - _TAG_BITS))


@kernel
def _tag_shift(slots: Any) -> int:
    """Return by how much a tag is shifted to give the slot where it is looked for first: its highest bits.

    So entries lie in the order of their tags, and a larger table is filled from its beginning to its end.
    """
    shift = _TAG_BITS
    while 1 << (_TAG_BITS - shift) < len(slots):
        shift -= 1
    return shift


@kernel
def _place(slots: Any, shift: int, entry: int) -> None:
    """Put an entry into the first free slot of its probe sequence."""
    slot = (entry >> _TAG_PLACE) >> shift
    while slots[slot] != 0:
        slot = (slot + 1) & (len(slots) - 1)
    slots[slot] = entry


@kernel
def enter_all(keys: Keys, seed: Any) -> None:
    """Enter all conversations into a table that is empty (after keys were read back)."""
    shift = _tag_shift(keys.slots)
    for conversation in range(keys.used[0]):
        tag = _tag(hash_of_record(keys.records[conversation], seed))
        _place(keys.slots, shift, (tag << _TAG_PLACE) | (conversation + 1))


@kernel
def move_entries(slots: Any, larger: Any) -> None:
    """Enter what a table holds into a larger one that is empty."""
    shift = _tag_shift(larger)
    for slot in range(len(slots)):
        if slots[slot] != 0:
            _place(larger, shift, slots[slot])


@kernel
def _new_conversation(keys: Keys, key: tuple[Any, Any, Any, Any, int, int], session: int, version: int) -> int:
    """Append a conversation."""
    conversation = signed(keys.used[0])
    keys.used[0] = conversation + 1
    record = keys.records[conversation]
    record.low[0] = key[0]
    record.low[1] = key[1]
    record.high[0] = key[2]
    record.high[1] = key[3]
    record.low_port = key[4]
    record.high_port = key[5]
    record.session = session
    record.ip_version = version
    return conversation


@kernel
def _matches(record: Any, key: tuple[Any, Any, Any, Any, int, int], session: int, version: int) -> bool:
    return bool(
        record.low[1] == key[1]
        and record.high[1] == key[3]
        and record.low_port == key[4]
        and record.high_port == key[5]
        and record.low[0] == key[0]
        and record.high[0] == key[2]
        and record.session == session
        and record.ip_version == version
    )


@kernel
def find_conversations(
    keys: Keys, segments: SegmentColumns, session: int, seed: Any, first: int, conversation_of_row: Any
) -> int:
    """Write each row's conversation (new ones are appended; ``NOTHING`` for unreadable headers).

    Stops where the table is half full or the records are used up. Returns the number of rows that are done.
    """
    mask = len(keys.slots) - 1
    shift = _tag_shift(keys.slots)
    room = min(len(keys.records), len(keys.slots) // 2)
    for row in range(first, len(segments.ts)):
        quality = signed(segments.quality[row])
        if quality & _UNREADABLE:
            conversation_of_row[row] = NOTHING
            continue
        if keys.used[0] >= room:
            return row
        version = 6 if quality & _IPV6 else 4
        key = ends(segments, row)
        hashed = _hash(key[0], key[1], key[2], key[3], key[4], key[5], session, version, seed)
        tag = _tag(hashed)
        slot = tag >> shift
        found = NOTHING
        while keys.slots[slot] != 0:
            entry = keys.slots[slot]
            candidate = (entry & _LOW_32) - 1
            if entry >> _TAG_PLACE == tag and _matches(keys.records[candidate], key, session, version):
                found = candidate
                break
            slot = (slot + 1) & mask
        if found == NOTHING:
            found = _new_conversation(keys, key, session, version)
            keys.slots[slot] = (tag << _TAG_PLACE) | (found + 1)
        conversation_of_row[row] = found
    return len(segments.ts)
