"""Paths of packets while sensors run: batches in, in the order in which they arrive, events out, each once.

Time is cut into windows. A window is traced when every sensor has come past it, or when some sensor is ahead so far
that the others can be held for dead. It is traced with what came shortly before and after, and has those events whose
packet a sensor saw in it. So nothing depends on the order in which batches arrive, as long as no sensor that lives lags
by more than ``Limits.lag``. No input or output is done here.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from processors.paths.network import Paths, Sensor, trace
from segwatch.records.paths import NOWHERE
from segwatch.records.segments import SegmentColumns, empty_segments, join_segments, take_segments

_NO_TIME: Final = np.iinfo(np.int64).min
_SECOND: Final = 1_000_000_000


class Limits(NamedTuple):
    """Nanoseconds."""

    window: int = 30 * _SECOND
    around: int = 10 * _SECOND
    """What is looked at before and after a window: more than clocks differ by and packets take, together."""
    lag: int = 30 * _SECOND
    """A sensor that is behind another by more is held for dead; what it brings later belongs to later windows only."""


LIMITS: Final = Limits()


class Happened(NamedTuple):
    """Columns of E events, in no particular order between windows."""

    kind: npt.NDArray[np.uint8]
    """(E,) ``PathEvent``."""
    origin: npt.NDArray[np.int64]
    """(E,) sensors by their numbers; ``NOWHERE`` before the first."""
    target: npt.NDArray[np.int64]
    ts: npt.NDArray[np.int64]
    """(E,) nanoseconds by the clock of the sensor that is first on the way."""
    frame: npt.NDArray[np.int64]
    """(E, S) the packet's frame at each sensor, ``NOWHERE`` where there is none."""


class State(NamedTuple):
    """All that a stream remembers; S sensors."""

    segments: tuple[SegmentColumns, ...]
    """(S,) rows that may be needed again."""
    since: npt.NDArray[np.int64]
    """(S,) when each sensor began."""
    until: npt.NDArray[np.int64]
    """(S,) how far each has come, by its own clock."""
    next_window: int
    """Number of the first window that was not traced, counted from 1970."""
    late: int
    """Rows that came after their window was traced."""


def new_state(sensors: int) -> State:
    """Return the state of a stream that was fed nothing."""
    times = np.full(sensors, _NO_TIME)
    return State((empty_segments(0),) * sensors, times, times.copy(), 0, 0)


class PathStream:
    """Compares what sensors see; ``state`` may be taken after any call and given to another object."""

    def __init__(self, state: State, limits: Limits = LIMITS) -> None:
        self.state = state
        self._limits = limits

    def feed(self, sensor: int, segments: SegmentColumns, begin: int, until: int) -> Happened:
        """Take what a sensor saw from ``begin`` until just before ``until``, by its clock; return what is known now.

        A sensor's batches follow one another; it may have seen nothing.
        """
        state = self.state
        kept = list(state.segments)
        kept[sensor] = join_segments([kept[sensor], segments])
        since, reached = state.since.copy(), state.until.copy()
        if reached[sensor] == _NO_TIME or begin > reached[sensor] + self._limits.lag:
            since[sensor] = begin
        reached[sensor] = max(int(reached[sensor]), until)
        late = int(np.count_nonzero(segments.ts < state.next_window * self._limits.window))
        next_window = state.next_window
        if state.until.max() == _NO_TIME:
            next_window = (begin - self._limits.lag - self._limits.around) // self._limits.window
        self.state = State(tuple(kept), since, reached, next_window, state.late + late)
        return self._traced(self._finished_windows())

    def finish(self) -> Happened:
        """Return what is left, as if every sensor had ended."""
        if self.state.until.max() == _NO_TIME:
            return _nothing(len(self.state.until))
        return self._traced(int(self.state.until.max()) // self._limits.window + 1)

    def _finished_windows(self) -> int:
        """Return the first window that must wait."""
        slowest, fastest = int(self.state.until.min()), int(self.state.until.max())
        sure = max(slowest, fastest - self._limits.lag)
        return (sure - self._limits.around) // self._limits.window

    def _traced(self, before: int) -> Happened:
        found = [_nothing(len(self.state.until))]
        for window in range(self.state.next_window, before):
            begin = window * self._limits.window
            if any(len(one.ts) for one in self.state.segments):
                found.append(self._window(begin, begin + self._limits.window))
            self.state = self.state._replace(next_window=window + 1, segments=self._still_needed(window + 1))
        return Happened(*(np.concatenate(columns) for columns in zip(*found, strict=True)))

    def _still_needed(self, window: int) -> tuple[SegmentColumns, ...]:
        earliest = window * self._limits.window - self._limits.around
        return tuple(
            one if not len(one.ts) or int(one.ts.min()) >= earliest else take_segments(one, one.ts >= earliest)
            for one in self.state.segments
        )

    def _window(self, begin: int, end: int) -> Happened:
        """Return the events of packets that the first sensor that saw them, by number, saw in a window."""
        earliest, latest = begin - self._limits.around, end + self._limits.around
        sensors = []
        for one, since, until in zip(self.state.segments, self.state.since, self.state.until, strict=True):
            rows = take_segments(one, (one.ts >= earliest) & (one.ts < latest))
            sensors.append(Sensor(rows, max(int(since), earliest), min(int(until), latest)))
        return _of_window(trace(sensors), begin, end)


def _nothing(sensors: int) -> Happened:
    numbers = np.empty(0, np.int64)
    return Happened(np.empty(0, np.uint8), numbers, numbers, numbers, np.empty((0, sensors), np.int64))


def _of_window(paths: Paths, begin: int, end: int) -> Happened:
    events, by_number = paths.events, np.argsort(paths.order)
    row = paths.packets.row[events.packet][:, by_number]
    anchor = row[np.arange(len(row)), (row != NOWHERE).argmax(axis=1)]
    at = paths.segments.ts[anchor] if len(anchor) else anchor
    mine = (at >= begin) & (at < end)
    row = row[mine]
    frame = np.where(row == NOWHERE, NOWHERE, paths.segments.frame[row]) if len(row) else row
    origin, target = events.origin[mine], events.target[mine]
    named = np.where(origin == NOWHERE, NOWHERE, paths.order[origin])
    return Happened(events.kind[mine], named, paths.order[target], events.ts[mine], frame)
