"""Rows that have equal keys, found by hashing."""

import secrets
from typing import Any

import numpy as np
import numpy.typing as npt

from segwatch.compilation import kernel

_EMPTY = -1
RATE_FIELDS = ("payload_bytes", "retransmitted_bytes", "data_segments", "retransmissions")
"""What a rate of retransmissions is made of: fields of ``CONVERSATION_TOTALS`` and ``TROUBLE`` with two sides."""


@kernel
def _assign_groups(keys: Any, hashes: Any, slots: Any, groups: Any, first: Any) -> int:
    """Number the groups in the order of their first rows; return how many there are.

    ``slots``: (a power of two above N,) int32, all -1: group numbers by open addressing.
    """
    count = 0
    mask = len(slots) - 1
    for row in range(len(keys)):
        slot = int(hashes[row]) & mask
        while slots[slot] != _EMPTY:
            equal = True
            for word in range(keys.shape[1]):
                if keys[first[slots[slot]], word] != keys[row, word]:
                    equal = False
            if equal:
                break
            slot = (slot + 1) & mask
        if slots[slot] == _EMPTY:
            slots[slot] = count
            first[count] = row
            count += 1
        groups[row] = slots[slot]
    return count


def group_rows(keys: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the group of each of N rows of ``keys`` ((N, K) uint64), and the first row of each group."""
    rows, words = keys.shape
    hashes = np.zeros(rows, np.uint64)
    for word in range(words):
        # Who chooses the addresses in a capture must not be able to choose collisions: the multipliers are random.
        hashes = (hashes ^ keys[:, word]) * np.uint64(secrets.randbits(64) | 1)
        hashes ^= hashes >> np.uint64(32)
    slots = np.full(1 << (2 * rows + 1).bit_length(), _EMPTY, np.int32)
    groups, first = np.empty(rows, np.int32), np.empty(rows, np.int32)
    count = _assign_groups(keys, (hashes >> np.uint64(1)).astype(np.int64), slots, groups, first)
    return groups, first[:count]


@kernel
def sum_by_group(conversations: Any, troubles: Any, clients: Any, servers: Any, sums: Any) -> None:
    """Add what each side of the conversations sent to the sums of its group.

    ``clients``, ``servers``: (C,) int32, the groups; ``sums``: (G, 4) int64, ``RATE_FIELDS``.
    """
    for place in range(len(conversations)):
        total = conversations[place]
        trouble = troubles[total["trouble"]]
        for side in range(2):
            group = servers[place] if side else clients[place]
            sums[group, 0] += int(total["payload_bytes"][side])
            sums[group, 1] += int(trouble["retransmitted_bytes"][side])
            sums[group, 2] += int(total["data_segments"][side])
            sums[group, 3] += int(trouble["retransmissions"][side])


@kernel
def _pair_bit(total: Any, bits: Any) -> int:
    """Return the place of a pair of a client and a server's port among ``bits``."""
    mixed = (int(total["client"]) * 0x9E3779B1 + int(total["server"])) * 0x85EBCA6B + int(total["server_port"])
    mixed &= 0xFFFFFFFFFFFF
    return (mixed ^ (mixed >> 15)) & (len(bits) - 1)


@kernel
def select_pairs(conversations: Any, troubles: Any, bits: Any, rows: Any) -> int:
    """Find the conversations of all pairs in which anything was sent again, and a few others; return how many.

    So a pair's sums need not be kept where its rate is 0 anyway, which is nearly everywhere. ``bits``: uint8, all 0,
    a power of two of them, several for each of ``troubles``; ``rows``: (C,) int32, gets the conversations' places.
    """
    for place in range(len(conversations)):
        trouble = troubles[conversations[place]["trouble"]]
        if trouble["retransmitted_bytes"][0] + trouble["retransmitted_bytes"][1] > 0:
            bits[_pair_bit(conversations[place], bits)] = 1
    found = 0
    for place in range(len(conversations)):
        if bits[_pair_bit(conversations[place], bits)]:
            rows[found] = place
            found += 1
    return found
