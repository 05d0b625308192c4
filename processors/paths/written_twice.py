"""Which packets captures wrote twice, though they came by once."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from processors.paths.alignment import AT_ONCE
from processors.paths.passages import Flags, Numbers, Passages
from segwatch.records.paths import NOWHERE, PacketColumns


class _Kinds(NamedTuple):
    """Packets by what they look like, (P,) each."""

    is_gone: Flags
    """A sensor behind has it not."""
    is_single: Flags
    """Only one sensor has it."""
    is_again: Flags
    """A copy that came at the same moment as what it is a copy of, by each sensor that has it."""
    has_twin: Flags


def _kinds(packets: PacketColumns, passages: Passages, first: Numbers, last: Numbers) -> _Kinds:
    places = np.arange(passages.seen.shape[1])
    original = packets.copy_of
    gap = passages.time - passages.time[original]
    at_once = passages.seen[original] & (gap >= 0) & (gap <= AT_ONCE)
    is_again: Flags = (original != NOWHERE) & np.all(at_once | ~passages.seen, axis=1)
    is_gone: Flags = np.any(passages.expects & (places > last[:, None]), axis=1)
    is_single: Flags = np.equal(first, last)
    return _Kinds(is_gone, is_single, is_again, packets.twin != NOWHERE)


def written_twice(packets: PacketColumns, passages: Passages, first: Numbers, last: Numbers) -> Flags:
    """Return (P,) whether a packet is the captures' own: an equal one came at the same moment, and alone went on.

    ``first``, ``last``: (P,) places that saw it. Where a copy may have been lost behind several sensors, or one of two
    equal acknowledgements of a host behind the first, what is likelier is taken, as other packets show it.
    """
    kinds = _kinds(packets, passages, first, last)
    sensors = packets.row.shape[1]
    backward = ~packets.is_forward
    sensor = np.where(backward, sensors - 1 - first, first)
    written = np.maximum((packets.row != NOWHERE).sum(axis=0), 1)
    again = np.bincount(sensor[kinds.is_again & kinds.is_single], minlength=sensors) / written
    twin = _twin_is_lost(packets, sensor, kinds)
    of_all = np.where(packets.row != NOWHERE, again, 1.0).prod(axis=1)
    is_likely = (of_all > _copy_is_lost(packets, kinds)) | kinds.is_single
    found: Flags = kinds.is_gone & (
        (kinds.is_again & is_likely) | (kinds.has_twin & kinds.is_single & (again > twin)[sensor])
    )
    return found


def _copy_is_lost(packets: PacketColumns, kinds: _Kinds) -> float:
    """Return how many of all packets are copied and the copy is lost, if one has nothing to do with the other."""
    is_copy = packets.copy_of != NOWHERE
    copied, lost = np.count_nonzero(is_copy & ~kinds.is_gone), np.count_nonzero(~is_copy & kinds.is_gone)
    return copied * lost / max(len(is_copy), 1) ** 2


def _twin_is_lost(packets: PacketColumns, sensor: Numbers, kinds: _Kinds) -> npt.NDArray[np.float64]:
    """Return (S,) how many of the packets that a sensor is first to see a host sends at once and the next hop loses."""
    is_lost = kinds.is_gone & kinds.is_single
    both = kinds.has_twin & ~is_lost & ~is_lost[packets.twin]
    groups = (~kinds.has_twin, ~kinds.has_twin & is_lost & ~kinds.is_again, both)
    every, lost, twins = (np.bincount(sensor[group], minlength=packets.row.shape[1]) for group in groups)
    share: npt.NDArray[np.float64] = lost * twins / np.maximum(every, 1).astype(np.float64) ** 2
    return share
