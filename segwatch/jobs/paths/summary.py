"""What happened between captures, as an object for people's tables and for JSON (docs/paths.md)."""

from collections import Counter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from processors.paths.network import Paths
from segwatch.records.paths import NOWHERE, PATH_EVENT_NAMES, PathEvent

_MILLISECOND: Final = 1e6
_MILLION: Final = 1e6
_QUANTILES: Final = (0, 50, 99)
_OF_SENSORS: Final = (PathEvent.CAPTURE_LOSS, PathEvent.CAPTURE_DUPLICATE)
_OF_HOPS: Final = tuple(kind for kind in PathEvent if kind not in _OF_SENSORS)


def summarize(paths: Paths, names: list[str], frames: list[int]) -> dict[str, Any]:
    """Return the summary; ``names`` and ``frames`` of the captures in the order of the way."""
    events = paths.events
    counts = Counter(zip(*(map(int, column) for column in (events.kind, events.origin, events.target)), strict=True))
    totals = np.bincount(events.kind, minlength=len(PATH_EVENT_NAMES))
    passages = paths.passages
    return {
        "order": "found" if paths.order_is_known else "as given",
        "packets": len(paths.packets.side),
        "not_judged": int(np.count_nonzero((~passages.seen & ~passages.expects).any(axis=1))),
        "events": {name: int(count) for name, count in zip(PATH_EVENT_NAMES, totals, strict=True)},
        "captures": [_capture(paths, names, frames, counts, place) for place in range(len(names))],
        "hops": [_hop(paths, names, counts, *ends) for ends in _hops(len(names), counts)],
    }


def _capture(
    paths: Paths, names: list[str], frames: list[int], counts: Counter[tuple[int, int, int]], place: int
) -> dict[str, Any]:
    clock = paths.clocks[place]
    return {
        "name": names[place],
        "frames": frames[place],
        "packets": int(np.count_nonzero(paths.packets.row[:, place] != NOWHERE)),
        "clock_known": clock.is_known,
        "clock_offset_ms": clock.offset / _MILLISECOND if clock.is_known else None,
        "clock_uncertainty_ms": clock.uncertainty / _MILLISECOND if clock.is_known else None,
        "clock_drift_ppm": clock.drift * _MILLION if clock.is_known else None,
    } | {PATH_EVENT_NAMES[kind]: counts[int(kind), place, place] for kind in _OF_SENSORS}


def _hops(sensors: int, counts: Counter[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Return the hops: from each capture to the next, there and back, then others that events need."""
    usual = [(place, place + 1) for place in range(sensors - 1)]
    usual += [(target, origin) for origin, target in usual]
    found = {(origin, target) for _, origin, target in counts if origin != target}
    return usual + sorted(found - set(usual))


def _hop(
    paths: Paths, names: list[str], counts: Counter[tuple[int, int, int]], origin: int, target: int
) -> dict[str, Any]:
    packets = 0
    delays: npt.NDArray[np.int64] = np.empty(0, np.int64)
    if origin != NOWHERE:
        is_forward = origin < target
        chosen = paths.packets.is_forward == is_forward
        places = len(names)
        start, end = (origin, target) if is_forward else (places - 1 - origin, places - 1 - target)
        seen, time = paths.passages.seen[chosen], paths.passages.time[chosen]
        packets = int(np.count_nonzero(seen[:, start] & paths.passages.expects[chosen][:, end]))
        both = seen[:, start] & seen[:, end]
        delays = time[both, end] - time[both, start]
    known = origin != NOWHERE and paths.clocks[origin].is_known and paths.clocks[target].is_known
    least, median, most = np.percentile(delays, _QUANTILES) / _MILLISECOND if len(delays) else (None, None, None)
    return {
        "from": names[origin] if origin != NOWHERE else None,
        "to": names[target],
        "packets": packets,
        **{PATH_EVENT_NAMES[kind]: counts[int(kind), origin, target] for kind in _OF_HOPS},
        "delay_is_absolute": bool(known),
        "delay_ms": {"min": least, "median": median, "p99": most},
    }
