"""Which partition and which shard a segment belongs to: the same for both directions and for every sensor.

The hash is part of the record contract: sensors of all versions must send a conversation to the same partition. It has
no secret, so that all sensors agree; who crafts addresses can fill one partition, as with any Kafka key.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from segwatch.compilation import kernel
from segwatch.records.segments import SegmentColumns

# Finalizer of SplitMix64 (Steele, Lea and Flood 2014).
_FIRST_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
_SECOND_FACTOR = np.uint64(0x94D049BB133111EB)
_INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_SHIFT_30, _SHIFT_27, _SHIFT_31, _SHIFT_32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_LOWER_HALF = np.uint64(0xFFFFFFFF)


@kernel
def mixed(value: Any) -> Any:
    """Return a number of 64 bits (uint64) of which every bit depends on every bit of ``value``."""
    value = (value ^ (value >> _SHIFT_30)) * _FIRST_FACTOR
    value = (value ^ (value >> _SHIFT_27)) * _SECOND_FACTOR
    return value ^ (value >> _SHIFT_31)


@kernel
def _end_hash(high: Any, low: Any, port: Any) -> Any:
    return mixed(mixed(mixed(high + _INCREMENT) + low) + np.uint64(port))


@kernel
def _hash_conversations(src: Any, dst: Any, sport: Any, dport: Any, hashes: Any) -> None:
    for row in range(len(hashes)):
        one = _end_hash(src[row, 0], src[row, 1], sport[row])
        other = _end_hash(dst[row, 0], dst[row, 1], dport[row])
        hashes[row] = mixed(one + other)


def conversation_hashes(segments: SegmentColumns) -> npt.NDArray[np.uint64]:
    """Return (N,) a hash of the two ends (address, port) of each segment, symmetric in them."""
    hashes = np.empty(len(segments.ts), np.uint64)
    # The arithmetic wraps around on purpose; NumPy would warn where this runs uncompiled.
    with np.errstate(over="ignore"):
        _hash_conversations(segments.src, segments.dst, segments.sport, segments.dport, hashes)
    return hashes


@kernel
def _divide(hashes: Any, shift: Any, groups: Any, numbers: Any) -> None:
    for row in range(len(hashes)):
        numbers[row] = np.uint32((hashes[row] >> shift) & _LOWER_HALF) % groups


def partitions_of(hashes: npt.NDArray[np.uint64], partitions: int) -> npt.NDArray[np.int64]:
    """Return (N,) the partition of each hash: its upper half modulo the number of partitions."""
    return _divided(hashes, _SHIFT_32, partitions)


def shards_of(hashes: npt.NDArray[np.uint64], shards: int) -> npt.NDArray[np.int64]:
    """Return (N,) the shard of each hash within its partition: its lower half modulo the number of shards."""
    return _divided(hashes, np.uint64(0), shards)


def _divided(hashes: npt.NDArray[np.uint64], shift: np.uint64, groups: int) -> npt.NDArray[np.int64]:
    """Return a half of each hash modulo ``groups``; the division of 32 bits is ten times as fast as NumPy's of 64."""
    numbers = np.empty(len(hashes), np.int64)
    _divide(hashes, shift, np.uint32(groups), numbers)
    return numbers


@kernel
def _sort_by_group(groups: Any, starts: Any, order: Any) -> None:
    """Stable counting sort; ``starts`` has the number of rows of group g at g + 2 before, its start at g + 1 after."""
    for group in range(2, len(starts)):
        starts[group] += starts[group - 1]
    for row in range(len(groups)):
        place = starts[groups[row] + 1]
        starts[groups[row] + 1] = place + 1
        order[place] = row


def rows_by_group(groups: npt.NDArray[np.int64], count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return (N,) the rows sorted by group, in order within each, and (count + 1,) where each group starts."""
    starts = np.zeros(count + 2, np.int64)
    starts[2:] = np.bincount(groups, minlength=count)[:count]
    order = np.empty(len(groups), np.int64)
    _sort_by_group(groups, starts, order)
    return order, starts[:-1]
