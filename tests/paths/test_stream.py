"""Batches of several sensors in the order in which they arrive give the events of the whole captures."""

from functools import cache
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.paths.network import Sensor, trace
from processors.paths.stream import Happened, Limits, PathStream, State, new_state
from segwatch.records.paths import NOWHERE, PathEvent
from segwatch.records.segments import SegmentColumns, empty_segments, take_segments
from tests.lab.store import STORED
from tests.paths.made import Network, talk
from tests.paths.scoreboard import read_sensor

SECOND = 1_000_000_000
NETWORK = Network(delays=(2000, 9000, 4000), offsets=(0, 420_500, -638_250, 7_125), drifts_ppm=(0.0, 20.0, -30.0, 5.0))
LIMITS = Limits(window=5 * SECOND, around=3 * SECOND, lag=4 * SECOND)
BATCH = SECOND
HOPS = STORED / "hops-default-1"

Event = tuple[int, int, int, tuple[int, ...]]


def _events(happened: Happened) -> list[Event]:
    columns = (column.tolist() for column in (happened.kind, happened.origin, happened.target, happened.frame))
    return [(kind, origin, target, tuple(frames)) for kind, origin, target, frames in zip(*columns, strict=True)]


def _offline(sensors: list[Sensor]) -> list[Event]:
    """Return the events of whole captures."""
    paths = trace(sensors)
    place = np.argsort(paths.order)
    found = []
    for kind, packet, origin, target, _ in zip(*(column.tolist() for column in paths.events), strict=True):
        rows = paths.packets.row[packet][place]
        frames = tuple(NOWHERE if row == NOWHERE else int(paths.segments.frame[row]) for row in rows)
        ends = (NOWHERE if one == NOWHERE else int(paths.order[one]) for one in (origin, target))
        found.append((kind, *ends, frames))
    return sorted(found)


@cache
def _busy() -> list[Sensor]:
    """Return 24 seconds of traffic to which much happens."""
    packets = talk(2400)
    packets = [one._replace(at=10 * one.at) for one in packets]
    for at in range(30, 2300, 23):
        hop = at % 3
        deed = at % 5
        if deed == 0:
            packets[at] = packets[at]._replace(lost=hop)
            packets.append(packets[at]._replace(at=packets[at].at + 300_000, ip_id=5000 + at, lost=None))
        elif deed == 1:
            packets[at] = packets[at]._replace(doubled=hop)
        elif deed == 2:
            packets[at] = packets[at]._replace(unseen=(1 + at % 2,))
        elif deed == 3:
            packets[at] = packets[at]._replace(held={hop: 25_000})
    return NETWORK.sensors(packets)


class _Feeding:
    """Gives a stream the batches of sensors, a second each."""

    def __init__(self, sensors: list[Sensor], limits: Limits) -> None:
        self._sensors = sensors
        self._limits = limits
        self.next = [sensor.first for sensor in sensors]
        self.stream = PathStream(new_state(len(sensors)), limits)
        self.found: list[Event] = []

    def able(self) -> list[int]:
        """Return the sensors that have more, and behind which no other would lag too far, the slowest first."""
        more = [sensor for sensor, at in enumerate(self.next) if at <= self._sensors[sensor].last]
        slowest = min((self.next[sensor] for sensor in more), default=0)
        more.sort(key=lambda sensor: self.next[sensor])
        return [sensor for sensor in more if self.next[sensor] + BATCH <= slowest + self._limits.lag]

    def feed(self, sensor: int) -> None:
        """Give the stream the next batch of a sensor."""
        begin, segments = self.next[sensor], self._sensors[sensor].segments
        until = min(begin + BATCH, self._sensors[sensor].last + 1)
        rows = take_segments(segments, np.flatnonzero((segments.ts >= begin) & (segments.ts < until)))
        self.found += _events(self.stream.feed(sensor, rows, begin, until))
        self.next[sensor] = until

    def all(self, choices: list[int]) -> list[Event]:
        """Feed in an order that the choices tell, as far as it is allowed; return all events."""
        turn = 0
        while able := self.able():
            self.feed(able[choices[turn % len(choices)] % len(able)])
            turn += 1
        return sorted([*self.found, *_events(self.stream.finish())])


@cache
def _in_turn() -> list[Event]:
    return _Feeding(_busy(), LIMITS).all([0])


def test_windows_have_the_events_of_whole_captures() -> None:
    delayed = {int(PathEvent.DELAYED)}  # what is usual is another thing in each window
    found = _in_turn()
    assert [one for one in found if one[0] not in delayed] == [
        one for one in _offline(_busy()) if one[0] not in delayed
    ]
    assert len({(kind, frames) for kind, _, _, frames in found}) == len(found) > 70


@settings(max_examples=8, deadline=None)
@given(choices=st.lists(st.integers(0, 11), min_size=1, max_size=60))
def test_the_order_of_arrival_does_not_matter(choices: list[int]) -> None:
    assert _Feeding(_busy(), LIMITS).all(choices) == _in_turn()


def _read_back(column: Any) -> Any:
    return np.frombuffer(column.tobytes(), column.dtype).reshape(column.shape)


def _through_bytes(state: State) -> State:
    """Return the state as it comes back from where bytes are kept."""
    segments = tuple(SegmentColumns(*(_read_back(column) for column in one)) for one in state.segments)
    return state._replace(segments=segments, since=_read_back(state.since), until=_read_back(state.until))


def test_state_is_taken_and_put_back() -> None:
    feeding = _Feeding(_busy(), LIMITS)
    while able := feeding.able():
        feeding.feed(able[0])
        feeding.stream = PathStream(_through_bytes(feeding.stream.state), LIMITS)
    assert sorted([*feeding.found, *_events(feeding.stream.finish())]) == _in_turn()


def test_old_rows_are_forgotten() -> None:
    feeding = _Feeding(_busy(), LIMITS)
    most = 0
    while able := feeding.able():
        feeding.feed(able[0])
        most = max(most, sum(len(one.ts) for one in feeding.stream.state.segments))
    assert most < 0.6 * sum(len(sensor.segments.ts) for sensor in _busy())


def test_a_sensor_that_dies_holds_nothing_up_and_loses_nothing() -> None:
    """What it cannot have seen is not judged; the others' events go on."""
    middle = _busy()[1]
    half = take_segments(middle.segments, np.arange(len(middle.segments.ts) // 2))
    sensors = [_busy()[0], Sensor(half, middle.first, int(half.ts.max())), *_busy()[2:]]
    found = _Feeding(sensors, LIMITS).all([0])
    delayed = int(PathEvent.DELAYED)
    assert [one for one in found if one[0] != delayed] == [one for one in _offline(sensors) if one[0] != delayed]


def test_real_captures() -> None:
    sensors = [read_sensor(HOPS / f"{name}.pcap.gz") for name in ("receiver", "middle2", "sender", "middle1")]
    assert _Feeding(sensors, Limits()).all([0, 1, 2, 3]) == _offline(sensors)


def test_rows_that_come_too_late_are_counted() -> None:
    stream = PathStream(new_state(2), LIMITS)
    rows = _busy()[0].segments
    stream.feed(0, rows, _busy()[0].first, _busy()[0].last + 1)
    late = take_segments(_busy()[1].segments, np.arange(10))
    assert len(stream.feed(1, late, _busy()[1].first, int(late.ts.max()) + 1).kind) == 0
    assert stream.state.late == 10


def test_a_stream_without_input() -> None:
    stream = PathStream(new_state(3))
    assert len(stream.finish().kind) == 0
    assert len(stream.feed(1, empty_segments(0), SECOND, 2 * SECOND).kind) == 0
    assert len(stream.finish().kind) == 0
