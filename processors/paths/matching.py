"""From rows of all sensors to packets, each with its row at every sensor that saw it."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from processors.paths.alignment import (
    AT_ONCE,
    COPY_WITHIN,
    MOST_EQUAL,
    Alignment,
    Delays,
    align,
    find_overtaken,
    may_be_copy,
    new_alignment,
)
from processors.paths.delays import Usual
from processors.serial import signed
from segwatch.compilation import kernel
from segwatch.records.paths import NOWHERE, PacketColumns

_APART: Final = 5_000_000_000
"""Nanoseconds without an equal packet after which the next is another one."""


class Rows(NamedTuple):
    """Columns of the N rows of all sensors; kernels take this tuple as it is."""

    key: npt.NDArray[np.uint64]
    sensor: npt.NDArray[np.int64]
    """(N,) in the order of the way."""
    time: npt.NDArray[np.int64]
    """(N,) nanoseconds, by the first sensor's clock."""
    conversation: npt.NDArray[np.int32]
    side: npt.NDArray[np.uint8]
    is_forward: npt.NDArray[np.bool_]
    is_marked: npt.NDArray[np.bool_]
    """(N,) whether its IP identification tells it from other packets of its sender."""
    has_payload: npt.NDArray[np.bool_]


class Reach(NamedTuple):
    """What sensors could see, in the order of the way; kernels take this tuple as it is."""

    sees: npt.NDArray[np.bool_]
    """(S, F) a direction of a conversation, whose number is twice the conversation's plus the side's."""
    spans: npt.NDArray[np.int64]
    """(S, 2) when each began and ended, nanoseconds by the first sensor's clock."""


@kernel
def _expect(work: Alignment, packets: int, sensor: int, least: Any) -> None:
    """Put packets into the order in which they are expected at a sensor."""
    for place in range(packets):
        work.expected[place] = work.seen[place] + signed(least[work.last[place], sensor])
    for place in range(1, packets):
        packet, last, seen, expected = work.packet[place], work.last[place], work.seen[place], work.expected[place]
        missed, paid = work.missed[place], work.paid[place]
        to = place
        while to > 0 and work.expected[to - 1] > expected:
            work.packet[to], work.last[to] = work.packet[to - 1], work.last[to - 1]
            work.seen[to], work.expected[to] = work.seen[to - 1], work.expected[to - 1]
            work.missed[to], work.paid[to] = work.missed[to - 1], work.paid[to - 1]
            to -= 1
        work.packet[to], work.last[to], work.seen[to], work.expected[to] = packet, last, seen, expected
        work.missed[to], work.paid[to] = missed, paid


@kernel
def _first_go_on(work: Alignment, frames: int, times: Any) -> None:
    """Let the first of equal packets that came at the same moment go on, where not all did: nothing tells which.

    What comes at the same moment comes in the order in which it was seen first.
    """
    free = 0
    for place in range(frames):
        at = work.found[place]
        if at == NOWHERE:
            continue
        while at > free and work.last[at - 1] == work.last[at] and work.seen[at] - work.seen[at - 1] <= AT_ONCE:
            at -= 1
        work.found[place] = at
        free = at + 1
    for place in range(1, frames):
        to = place
        while to > 0 and _is_later(work, to - 1, to, times):
            work.found[to], work.found[to - 1] = work.found[to - 1], work.found[to]
            to -= 1


@kernel
def _is_later(work: Alignment, one: int, other: int, times: Any) -> bool:
    """Whether of two frames that came at the same moment the first is the packet that was seen first later."""
    if work.found[one] == NOWHERE or work.found[other] == NOWHERE:
        return False
    is_at_once = signed(times[work.frame[other]] - times[work.frame[one]]) <= AT_ONCE
    return bool(is_at_once and work.packet[work.found[one]] > work.packet[work.found[other]])


@kernel
def _original(rows: Rows, packets: PacketColumns, begin: int, end: int, row: int, sensor: int) -> int:
    """Return the packet out of ``begin`` to ``end`` that a row is a copy of: the last that came by before it."""
    found, latest = NOWHERE, 0
    for packet in range(begin, end):
        other = packets.row[packet, sensor]
        if other != NOWHERE:
            earlier = signed(rows.time[other])
            is_copy = may_be_copy(earlier, signed(rows.time[row]), rows.is_marked[row])
            if is_copy and (found == NOWHERE or earlier >= latest):
                found, latest = packet, earlier
    return found


@kernel
def _new_packet(rows: Rows, packets: PacketColumns, number: int, row: int, copy_of: int) -> None:
    packets.conversation[number] = rows.conversation[row]
    packets.side[number] = rows.side[row]
    packets.is_forward[number] = rows.is_forward[row]
    packets.copy_of[number] = copy_of


@kernel
def _is_at_once(rows: Rows, packets: PacketColumns, packet: int, sensor: int) -> bool:
    """Whether a sensor saw a packet and the one made before it at the same moment."""
    row, earlier = packets.row[packet, sensor], packets.row[packet - 1, sensor]
    return bool(earlier != NOWHERE and signed(rows.time[row] - rows.time[earlier]) <= AT_ONCE)


@kernel
def _name_new(rows: Rows, packets: PacketColumns, first: int, old: int, made: int, sensor: int, before: int) -> None:
    """Fill in the packets from ``old`` on, new at a sensor, whose equal ones begin at ``first``.

    At the first sensor nothing but IP identifications tells a copy from what a host sent at the same moment, save that
    no host sends payload so.
    """
    for packet in range(old, made):
        row = packets.row[packet, sensor]
        at_once = packet > first and _is_at_once(rows, packets, packet, sensor)
        tells = rows.is_marked[row] or before != NOWHERE or (at_once and rows.has_payload[row])
        packets.twin[packet] = NOWHERE
        if tells:
            copy_of = _original(rows, packets, first, packet, row, sensor)
        else:
            copy_of = NOWHERE
            if at_once:
                packets.twin[packet] = packet - 1
        _new_packet(rows, packets, packet, row, copy_of)


@kernel
def _note_mixed(rows: Rows, packets: PacketColumns, work: Alignment, frames: int, within: int) -> None:
    """Note which packets came by a sensor ``within`` nanoseconds of an equal one that is no copy."""
    last = NOWHERE
    for place in range(frames):
        packet = work.found[place]
        if packets.copy_of[packet] != NOWHERE:
            continue
        if last != NOWHERE and signed(rows.time[work.frame[place]] - rows.time[work.frame[last]]) <= within:
            packets.is_mixed[packet] = True
            packets.is_mixed[work.found[last]] = True
        last = place


@kernel
def _could_see(rows: Rows, order: Any, begin: int, end: int, reach: Reach, sensor: int) -> bool:
    """Whether a sensor sees these rows' direction, and ran at their time."""
    row = order[begin]
    earliest, latest = signed(rows.time[row]), signed(rows.time[order[end - 1]])
    if latest < reach.spans[sensor, 0] or earliest > reach.spans[sensor, 1]:
        return False
    return bool(reach.sees[sensor, 2 * signed(rows.conversation[row]) + signed(rows.side[row])])


@kernel
def _note_late(rows: Rows, packets: PacketColumns, work: Alignment, first: int, known: int, least: Any) -> None:
    """Note which of the ``known`` packets, that the last sensors have not, may be new ones that came about then.

    Nothing but times tells a packet that was lost beside another one that was copied from one that was late. Where a
    sensor has both, there are two whichever is which, and one of them was lost behind it. So each new one may be one of
    those that were lost on each hop.
    """
    for other in range(first, first + known):
        sensor = work.begun[other - first]
        if sensor == NOWHERE:
            continue
        for last in range(packets.row.shape[1]):
            time = signed(rows.time[packets.row[other, sensor]]) - signed(least[last, sensor])
            packet = _nearest_lost(packets, work, known, last, sensor, time)
            if packet != NOWHERE:
                packets.may_be_late[packet] = True


@kernel
def _nearest_lost(packets: PacketColumns, work: Alignment, known: int, last: int, sensor: int, time: int) -> int:
    """Return the packet that ``last`` saw nearest to a time, and no one behind it, nor ``sensor``."""
    found, nearest = NOWHERE, COPY_WITHIN + 1
    for place in range(known):
        packet = work.packet[place]
        is_lost = work.missed[place] > 0 and work.last[place] == last and packets.row[packet, sensor] == NOWHERE
        apart = abs(work.seen[place] - time)
        if is_lost and apart < nearest and not packets.may_be_late[packet]:
            found, nearest = packet, apart
    return found


@kernel
def _note_bursts(
    rows: Rows, packets: PacketColumns, work: Alignment, known: int, sensor: int, usual: Usual, way: int
) -> None:
    """Note which of the ``known`` packets were expected at a sensor so close to each other that any may be first.

    And those that came at the same moment before, of which one was late, or is not there.
    """
    within = AT_ONCE
    for last in range(packets.row.shape[1]):
        within = max(within, signed(usual.most[way, last, sensor] - usual.least[way, last, sensor]))
    _expect(work, known, sensor, usual.least[way])
    burst = NOWHERE
    for place in range(known):
        if place == 0 or work.expected[place] - work.expected[place - 1] > within:
            burst = work.packet[place]
        packets.burst[work.packet[place]] = burst
    for place in range(known):
        packet = work.packet[place]
        twin = packets.twin[packet]
        other = twin if twin != NOWHERE else packets.copy_of[packet]
        if (
            other != NOWHERE
            and packets.burst[other] != packets.burst[packet]
            and _began_at_once(rows, packets, packet, other)
        ):
            _join(packets, work, known, packets.burst[other], packets.burst[packet])


@kernel
def _began_at_once(rows: Rows, packets: PacketColumns, packet: int, other: int) -> bool:
    """Whether the first sensor that saw a packet, which has what it is a twin or copy of, saw both at once."""
    sensors = packets.row.shape[1]
    for step in range(sensors):
        sensor = step if packets.is_forward[packet] else sensors - 1 - step
        row, earlier = packets.row[packet, sensor], packets.row[other, sensor]
        if row != NOWHERE:
            return bool(earlier != NOWHERE and abs(signed(rows.time[row] - rows.time[earlier])) <= AT_ONCE)
    return False


@kernel
def _join(packets: PacketColumns, work: Alignment, known: int, burst: int, other: int) -> None:
    """Put those of the ``known`` packets that are in the ``other`` burst into a burst."""
    for place in range(known):
        if packets.burst[work.packet[place]] == other:
            packets.burst[work.packet[place]] = burst


@kernel
def _match(
    rows: Rows,
    order: Any,
    begin: int,
    end: int,
    usual: Usual,
    reach: Reach,
    work: Alignment,
    packets: PacketColumns,
    made: int,
) -> int:
    """Tell apart the equal rows from ``begin`` to ``end`` of ``order``; return how many packets there are then."""
    sensors = packets.row.shape[1]
    first = made
    forward = rows.is_forward[order[begin]]
    direction = 0 if forward else 1
    known = 0
    before = NOWHERE
    for step in range(sensors):
        sensor = step if forward else sensors - 1 - step
        if not _could_see(rows, order, begin, end, reach, sensor):
            continue
        frames = 0
        for place in range(begin, end):
            if rows.sensor[order[place]] == sensor:
                work.frame[frames] = order[place]
                frames += 1
        _expect(work, known, sensor, usual.least[direction])
        spread, early = usual.spread[direction, :, sensor], usual.early[direction, :, sensor]
        delays = Delays(spread, early, usual.latest[direction, :, sensor])
        align(work, known, frames, rows.time, packets.copy_of, delays, rows.is_marked[order[begin]])
        _first_go_on(work, frames, rows.time)
        find_overtaken(work, known, frames, rows.time, delays, rows.is_marked[order[begin]])
        old = made
        for at in range(known):
            work.missed[at] += 1
        for place in range(frames):
            row = work.frame[place]
            at = work.found[place]
            if at == NOWHERE:
                packets.row[made, sensor] = row
                work.begun[made - first] = NOWHERE if before == NOWHERE else sensor
                work.packet[known], at = made, known
                known += 1
                made += 1
            packets.row[work.packet[at], sensor] = row
            work.last[at], work.seen[at], work.missed[at] = sensor, rows.time[row], 0
            work.found[place] = work.packet[at]
        _name_new(rows, packets, first, old, made, sensor, before)
        if before != NOWHERE:
            within = signed(usual.most[direction, before, sensor] - usual.least[direction, before, sensor])
            _note_mixed(rows, packets, work, frames, max(within, signed(spread[before])))
        before = sensor
    if not rows.is_marked[order[begin]]:
        _note_late(rows, packets, work, first, known, usual.least[direction])
    if before != NOWHERE:
        _note_bursts(rows, packets, work, known, before, usual, direction)
    return made


@kernel
def _group_end(rows: Rows, order: Any, begin: int) -> int:
    """Return where the equal rows end that begin at ``begin``; where there are too many, at the longest pause."""
    longest, pause_at = -1, begin + 1
    place = begin + 1
    while place < len(order) and rows.key[order[place]] == rows.key[order[begin]]:
        apart = signed(rows.time[order[place]]) - signed(rows.time[order[place - 1]])
        if apart > _APART:
            return place
        if place - begin >= MOST_EQUAL:
            return pause_at
        if apart > longest and place - begin >= MOST_EQUAL // 2:
            longest, pause_at = apart, place
        place += 1
    return place


@kernel
def match_all(rows: Rows, order: Any, usual: Usual, reach: Reach, work: Alignment, packets: PacketColumns) -> int:
    """Make packets of all rows; ``order`` ((N,) int64) has them by key, then time. Return the number of packets."""
    made = 0
    begin = 0
    while begin < len(order):
        end = _group_end(rows, order, begin)
        made = _match(rows, order, begin, end, usual, reach, work, packets, made)
        begin = end
    return made


def match_rows(rows: Rows, usual: Usual, reach: Reach) -> PacketColumns:
    """Return the packets that the rows are, in no particular order."""
    count = len(rows.key)
    packets = PacketColumns(
        row=np.full((count, len(reach.spans)), NOWHERE, np.int64),
        conversation=np.empty(count, np.int32),
        side=np.empty(count, np.uint8),
        copy_of=np.empty(count, np.int64),
        is_forward=np.empty(count, np.bool_),
        twin=np.empty(count, np.int64),
        is_mixed=np.zeros(count, np.bool_),
        may_be_late=np.zeros(count, np.bool_),
        burst=np.empty(count, np.int64),
    )
    order = np.lexsort((rows.time, rows.key))
    made = match_all(rows, order, usual, reach, new_alignment(), packets)
    return PacketColumns._make(column[:made] for column in packets)
