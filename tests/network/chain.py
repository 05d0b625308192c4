"""A chain of three hops with four sensors between the two ends of a scenario of the lab, for verdicts.

Verdicts depend on who acknowledges what, and when: so unlike in ``tests.paths.chain``, what is lost here is what the
lab lost, and the packets come to the ends when they came there. Made up, from a seed, are on which hop the lab's loss,
copy or delay was, where the two sensors between the ends stand, and what all sensors miss, see and have for a clock
(as in ``tests.paths.chain``).
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from processors.paths.network import trace
from segwatch.records.paths import NOWHERE, PathEvent
from segwatch.records.segments import SegmentColumns, take_segments
from tests.paths.chain import HOPS, NEVER, SENSORS, Chances, Flags, Made, Numbers, Passed, Sent, chances, watch
from tests.paths.scoreboard import read_sensor


def settings(seed: int) -> Chances:
    """Draw what the sensors do: losses, copies and delays are the lab's."""
    return chances(seed)._replace(lost=0.0, lost_repeated=0.0, burst=0.0, doubled=0.0, held=0.0)


def make(folder: Path, about: Chances, seed: int) -> Made:
    """Let what the hosts of a scenario sent pass a chain."""
    numbers = np.random.default_rng((seed, 3))
    paths = trace([read_sensor(folder / f"{name}.pcap.gz") for name in ("sender", "receiver")])
    packets, all_rows = paths.packets, paths.segments
    ends = packets.row if list(paths.order) == [0, 1] else packets.row[:, ::-1]
    forward = packets.is_forward if list(paths.order) == [0, 1] else ~packets.is_forward
    ends = np.where(forward[:, None], ends, ends[:, ::-1])
    was_sent = ends[:, 0] != NOWHERE
    known = was_sent | (packets.copy_of != NOWHERE)
    sent = _sent(all_rows, ends, forward, was_sent)
    row = np.cumsum(was_sent) - 1
    late = np.zeros(len(ends), np.bool_)
    late[paths.events.packet[paths.events.kind == PathEvent.REORDERED]] = True
    number = np.cumsum(known) - 1
    passed = _passed(
        np.where(was_sent, row, row[packets.copy_of])[known],
        forward[known],
        np.where(packets.copy_of == NOWHERE, -1, number[packets.copy_of])[known],
        np.where(ends[known] == NOWHERE, NEVER, all_rows.ts[ends[known]]),
        late[known],
        numbers,
    )
    passed = watch(passed, about, numbers)
    return Made.of(sent, about, passed)


def _sent(rows: SegmentColumns, ends: Numbers, forward: Flags, was_sent: Flags) -> Sent:
    """Return what the hosts sent; ``is_repeated`` and ``content`` are not needed here."""
    segments = take_segments(rows, ends[was_sent, 0])
    return Sent(segments, forward[was_sent], np.zeros(len(segments.ts), np.bool_), np.arange(len(segments.ts)))


def _passed(packet: Numbers, forward: Flags, copy_of: Numbers, ends: Numbers, late: Flags, numbers: Any) -> Passed:
    """Return when packets came by; ``ends``: (I, 2) when they came by the ends."""
    count = len(packet)
    lost = np.where(ends[:, 1] == NEVER, numbers.integers(0, HOPS, count), HOPS)
    born = np.where(copy_of >= 0, numbers.integers(0, HOPS, count), -1)
    held = numbers.integers(0, HOPS, count)
    time = np.full((count, SENSORS), NEVER)
    share = np.concatenate(([0.0], np.sort(numbers.uniform(0.15, 0.85, HOPS - 1)), [1.0]))
    for is_forward in (True, False):
        own = np.flatnonzero((forward == is_forward) & (copy_of < 0))
        own = own[np.argsort(ends[own, 0], kind="stable")]
        shares = share if is_forward else 1 - share[::-1]
        time[own] = _times(ends[own], late[own], lost[own], held[own], shares)
    for copy in np.flatnonzero(copy_of >= 0):
        original = int(copy_of[copy])
        behind = ends[copy, 1] - ends[original, 1] if ends[original, 1] != NEVER else 0
        places = np.arange(SENSORS) > born[copy]
        time[copy, places & (time[original] != NEVER)] = time[original, places & (time[original] != NEVER)] + behind
        time[copy, -1] = ends[copy, 1]
    watching = np.zeros((2, SENSORS), np.bool_)
    nothing = np.zeros((count, SENSORS), np.bool_)
    return Passed(packet, forward, copy_of, born, lost, time, nothing, nothing.copy(), watching)


def _times(ends: Numbers, late: Flags, lost: Numbers, held: Numbers, share: npt.NDArray[np.float64]) -> Numbers:
    """Return (I, SENSORS) the times of packets in the order of sending.

    A packet takes the same part of its time on each hop, so that all keep their order everywhere; but what came late
    was held on one hop, and takes as long as the one before it on the others. So does what was lost.
    """
    time = np.full((len(ends), SENSORS), NEVER)
    usual = 0
    known = np.flatnonzero((ends[:, 1] != NEVER) & ~late)
    if len(known):
        usual = int(ends[known[0], 1] - ends[known[0], 0])
    for one, (begin, end) in enumerate(ends.tolist()):
        if end != NEVER and not late[one]:
            usual = end - begin
        time[one] = begin + np.rint(share * usual).astype(np.int64)
        if end != NEVER and late[one]:
            time[one, held[one] + 1 :] += end - begin - usual
        time[one, lost[one] + 1 :] = NEVER
        if end != NEVER:
            time[one, -1] = end
    return time
