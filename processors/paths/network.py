"""The paths of packets through a network: segments of several sensors in, packets, clocks and events out."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from processors.flow_table.table import FlowTable
from processors.paths.clocks import corrected, estimate_clock
from processors.paths.delays import Usual, usual_delays
from processors.paths.events import find_events
from processors.paths.keys import packet_keys
from processors.paths.matching import Reach, Rows, match_rows
from processors.paths.pairs import Pair, pair_of, parted, single_rows
from processors.paths.passages import Passages, find_passages
from processors.paths.way import Way, find_way
from segwatch.records.paths import NOWHERE, Clock, EventColumns, PacketColumns
from segwatch.records.segments import SegmentColumns, join_segments

_KEPT_IP_IDS = 0.95
"""Share of the sightings by further sensors that IP identifications must leave, or something rewrites them."""


class Sensor(NamedTuple):
    """What one sensor saw, in its order; without headers that are quoted or cannot be read."""

    segments: SegmentColumns
    first: int
    """Time of its earliest frame of any kind, nanoseconds by its clock."""
    last: int


class Paths(NamedTuple):
    """What happened on the way."""

    order: npt.NDArray[np.int64]
    """(S,) the sensors as they were given, in the order of the way."""
    order_is_known: bool
    """Both directions told the order; if not, it is the one in which they were given."""
    clocks: list[Clock]
    """Of the sensors in the order of the way."""
    segments: SegmentColumns
    """The rows of all sensors, those of the first one first."""
    packets: PacketColumns
    passages: Passages
    events: EventColumns


def _keys(segments: SegmentColumns, conversations: npt.NDArray[np.int32], *, with_ip_id: bool) -> tuple[Any, Any]:
    keys, sides = np.empty(len(conversations), np.uint64), np.empty(len(conversations), np.uint8)
    with np.errstate(over="ignore"):  # hashing wraps around on purpose
        packet_keys(segments, conversations, with_ip_id, keys, sides)
    return keys, sides


def _seen_again(rows: npt.NDArray[np.int64]) -> int:
    """Return how often packets were seen by a further sensor."""
    return int(((rows != NOWHERE).sum(axis=1) - 1).sum())


def _marked(segments: SegmentColumns, flow: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return (N,) whether IP identifications of a row's sender differ from packet to packet."""
    least, most = np.full(int(flow.max(initial=-1)) + 1, 1 << 16), np.zeros(int(flow.max(initial=-1)) + 1, np.int64)
    np.minimum.at(least, flow, segments.ip_id)
    np.maximum.at(most, flow, segments.ip_id)
    marked: npt.NDArray[np.bool_] = (segments.ip_id != 0) & (least != most)[flow]
    return marked


def _clocks(pairs: dict[tuple[int, int], Pair], is_forward: npt.NDArray[np.bool_], sensors: int) -> list[Clock]:
    """Return the clocks of sensors in the order of the way; the ones that are compared with most certainty first."""
    found = {0: Clock(0, 0.0, 0, 0, is_known=True)}
    while len(found) < sensors:
        best: tuple[tuple[bool, bool, int], int, Clock] | None = None
        for known, clock in found.items():
            for other in set(range(sensors)) - set(found):
                near, far = min(known, other), max(known, other)
                pair = pairs[near, far]
                forward = is_forward[pair.row]
                if known > other:
                    pair, forward = Pair(pair.second, pair.first, pair.row), ~forward
                pair = pair._replace(first=corrected(pair.first, clock))
                estimate = estimate_clock(pair, forward)
                rank = (not estimate.is_known or not clock.is_known, not len(pair.row), far - near)
                if best is None or rank < best[0]:
                    uncertainty = estimate.uncertainty + clock.uncertainty
                    certain = estimate.is_known and clock.is_known
                    best = rank, other, estimate._replace(uncertainty=uncertainty, is_known=certain)
        if best is not None:
            found[best[1]] = best[2]
    return [found[sensor] for sensor in range(sensors)]


def _pairs(rows: npt.NDArray[np.int64], times: npt.NDArray[np.int64], sensors: int) -> dict[tuple[int, int], Pair]:
    return {
        (one, other): pair_of(rows, times, one, other) for one in range(sensors) for other in range(one + 1, sensors)
    }


def _compared(
    rows: npt.NDArray[np.int64], keys: Any, ts: npt.NDArray[np.int64], sensor: Any, forward: npt.NDArray[np.bool_]
) -> tuple[list[Clock], npt.NDArray[np.int64], Usual]:
    """Return the clocks, (N,) times by the first one, and the delays that are usual by these.

    ``rows``: (U, S) of packets that were seen once; by what these tell of the clocks, equal packets that were sent at
    different times are told apart, and compared too. ``sensor``: (N,) in the order of the way, as everything here.
    """
    sensors = rows.shape[1]
    clocks = _clocks(_pairs(rows, ts, sensors), forward, sensors)
    times = _by_first(ts, sensor, clocks)
    rows = single_rows(parted(keys, times, _pairs(rows, times, sensors)), sensor, times, sensors)
    clocks = _clocks(_pairs(rows, ts, sensors), forward, sensors)
    times = _by_first(ts, sensor, clocks)
    return clocks, times, usual_delays(_pairs(rows, times, sensors), forward, sensors)


def _by_first(ts: npt.NDArray[np.int64], sensor: Any, clocks: list[Clock]) -> npt.NDArray[np.int64]:
    """Return (N,) times by the first sensor's clock."""
    times = ts.copy()
    for place, clock in enumerate(clocks):
        times[sensor == place] = corrected(ts[sensor == place], clock)
    return times


def _directions(
    way: Way, rows: npt.NDArray[np.int64], segments: SegmentColumns, conversation: Any, side: Any
) -> npt.NDArray[np.bool_]:
    """Return (N,) which rows went in the order of the way.

    Where a conversation is seen in one direction only, the time to live tells, which falls at every router; else it
    is taken to go in the order of the way.
    """
    up_side = way.up_side.copy()
    fall = np.zeros(len(up_side))
    ordered = rows[:, way.order]
    for place in range(ordered.shape[1] - 1):
        both = ordered[(ordered[:, place] != NOWHERE) & (ordered[:, place + 1] != NOWHERE)]
        one, other = both[:, place], both[:, place + 1]
        drop = segments.ttl[one].astype(np.int64) - segments.ttl[other]
        fall += np.bincount(conversation[one], np.where(side[one] == 0, drop, -drop), len(up_side))
    up_side = np.where(
        up_side >= 0,
        up_side,
        np.where(fall > 0, 0, np.where(fall < 0, 1, _only_side(conversation, side, len(up_side)))),
    )
    forward: npt.NDArray[np.bool_] = side == up_side[conversation]
    return forward


def _only_side(conversation: Any, side: Any, count: int) -> npt.NDArray[np.int64]:
    """Return (C,) the side that sent most."""
    ones = np.bincount(conversation, side, count)
    found: npt.NDArray[np.int64] = (2 * ones > np.bincount(conversation, minlength=count)).astype(np.int64)
    return found


def _joined(sensors: list[Sensor], table: FlowTable) -> tuple[SegmentColumns, npt.NDArray[np.int64], Any]:
    """Return the rows of all sensors, the number of the sensor of each, and of its conversation."""
    segments = join_segments([sensor.segments for sensor in sensors])
    rows = [len(sensor.segments.ts) for sensor in sensors]
    return segments, np.repeat(np.arange(len(sensors)), rows), table.find(segments)


def _seen_flows(flow: Any, sensor: Any, sensors: int, flows: int) -> npt.NDArray[np.bool_]:
    """Return (S, F) which directions of conversations a sensor sees at all."""
    counts = np.bincount(sensor * flows + flow, minlength=sensors * flows)
    found: npt.NDArray[np.bool_] = counts.reshape(sensors, flows) > 0
    return found


def trace(sensors: list[Sensor]) -> Paths:
    """Return what happened between sensors (two or more), which may be given in any order."""
    table = FlowTable()
    segments, given, conversation = _joined(sensors, table)
    keys, side = _keys(segments, conversation, with_ip_id=True)
    rows = single_rows(keys, given, segments.ts, len(sensors))
    without = _keys(segments, conversation, with_ip_id=False)[0]
    loose = single_rows(without, given, segments.ts, len(sensors))
    is_kept = _seen_again(rows) >= _KEPT_IP_IDS * _seen_again(loose)
    if not is_kept:
        keys, rows = without, loose
    flow = 2 * conversation.astype(np.int64) + side
    way = find_way(rows, segments.ts, conversation, side, table.conversations)
    forward = _directions(way, rows, segments, conversation, side)
    rows = rows[:, way.order]
    sensor = np.argsort(way.order)[given]
    clocks, times, usual = _compared(rows, keys, segments.ts, sensor, forward)
    marked = _marked(segments, flow) & is_kept
    spans = np.array([(sensors[number].first, sensors[number].last) for number in way.order])
    spans = np.array([corrected(span, clock) for span, clock in zip(spans, clocks, strict=True)])
    reach = Reach(_seen_flows(flow, sensor, len(sensors), 2 * table.conversations), spans)
    matched = Rows(keys, sensor, times, conversation, side, forward, marked, segments.payload_len > 0)
    packets = match_rows(matched, usual, reach)
    passages = find_passages(packets, times, reach.sees, spans, usual)
    return Paths(way.order, way.is_known, clocks, segments, packets, passages, find_events(packets, passages))
