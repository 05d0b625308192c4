"""Columns of addresses as text: the texts of the last ones are kept, as conversations repeat their two."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from segwatch.compilation import kernel
from segwatch.output.put import put_address
from segwatch.vocabulary import Quality

ADDRESS_LIMIT = 48
"""Bytes that an address takes in a buffer: INET6_ADDRSTRLEN (46), and a whole number of words."""

_SLOTS = 1 << 12
_IPV6 = int(Quality.IPV6)


class KnownAddresses(NamedTuple):
    """Texts by address: an address has one slot, which it shares with others; the last one has it."""

    words: npt.NDArray[np.uint64]
    """(slots, 2) the bytes of the address."""
    version: npt.NDArray[np.uint8]
    """(slots,) 4, 6, or 0 where there is none: an IPv4 address and its mapped form in IPv6 differ only in this."""
    length: npt.NDArray[np.int32]
    text: npt.NDArray[np.uint8]
    """(48 slots,)"""


def known_addresses() -> KnownAddresses:
    """Return the memory for texts, with none in it."""
    return KnownAddresses(
        words=np.zeros((_SLOTS, 2), np.uint64),
        version=np.zeros(_SLOTS, np.uint8),
        length=np.zeros(_SLOTS, np.int32),
        text=np.zeros(ADDRESS_LIMIT * _SLOTS, np.uint8),
    )


@kernel
def _slot_of(octets: Any, row: int) -> int:
    """Return the slot of an address; its last bytes tell most hosts apart."""
    last = int(octets[row, 15]) | int(octets[row, 14]) << 8
    before = int(octets[row, 13]) | int(octets[row, 7]) << 8
    return (last ^ last >> 7 ^ before << 3 ^ before >> 4) & (_SLOTS - 1)


@kernel
def _known_slot(words: Any, octets: Any, row: int, ipv6: bool, known: KnownAddresses) -> int:
    """Return the slot that holds the text of ``octets[row]``, after writing it if need be."""
    slot = _slot_of(octets, row)
    version = 6 if ipv6 else 4
    if known.version[slot] != version or known.words[slot, 0] != words[row, 0] or known.words[slot, 1] != words[row, 1]:
        start = ADDRESS_LIMIT * slot
        known.length[slot] = put_address(known.text, start, octets, row, ipv6) - start
        known.version[slot] = version
        known.words[slot, 0] = words[row, 0]
        known.words[slot, 1] = words[row, 1]
    return slot


@kernel
def _copy_word(source: Any, start: int, target: Any, at: int) -> None:
    """Copy eight bytes: all loads before the stores, and unsigned places, let the compiler merge them into one each."""
    word = 0
    for index in range(8):
        word |= int(source[np.uint64(start + index)]) << 8 * index
    for index in range(8):
        target[np.uint64(at + index)] = word >> 8 * index & 0xFF


@kernel
def _copy(source: Any, start: int, target: Any, at: int, length: int) -> None:
    """Copy whole words, more than ``length`` bytes."""
    _copy_word(source, start, target, at)
    _copy_word(source, start + 8, target, at + 8)
    for word in range(16, length, 8):
        _copy_word(source, start + word, target, at + word)


@kernel
def write_addresses(
    words: Any, octets: Any, quality: Any, present: Any, column: int, known: KnownAddresses, content: Any, offsets: Any
) -> None:
    """Write the texts of addresses one after the other into ``content``, their ends into ``offsets``.

    ``words``: (N, 2) uint64, ``octets``: (N, 16) uint8, the same bytes; ``content``: (48 N,) uint8, of which bytes
    after the texts change too; ``offsets``: (N + 1,) int32. Rows without ``column`` get no text.
    """
    at = 0
    offsets[0] = 0
    for row in range(len(present)):
        if present[row] >> column & 1:
            slot = _known_slot(words, octets, row, int(quality[row]) & _IPV6 != 0, known)
            length = int(known.length[slot])
            _copy(known.text, ADDRESS_LIMIT * slot, content, at, length)
            at += length
        offsets[row + 1] = at
