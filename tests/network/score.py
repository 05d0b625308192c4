"""What the view of the network says of a chain, held against what happened in it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from tests.network.stored import names
from tests.paths.chain import HOPS, NEVER, SENSORS, Made

MARGIN: Final = 200_000_000
"""Nanoseconds that no sensor needs to see what becomes of a packet, in the lab."""
_SYN_OR_FIN: Final = 3
Identity = tuple[int, int, int, int, int, bool]
"""Ports, sequence number, IP identification, timestamp, and whether it is a copy that the network made."""
COPIES: Final = ("network_duplicate", "capture_duplicate")
QUERY: Final = (
    "SELECT src_port, dst_port, seq_raw, ip_id, tsval, cause, needed, hop_from, hop_to FROM network_verdicts "
    "WHERE src_ip IN %(hosts)s AND cause NOT IN ('application_idle', 'window_closed', 'reset', 'injected_reset')"
)


class Score(NamedTuple):
    """Of the losses in a chain that the hosts repeated, and of copies and reordering."""

    right: int
    wrong: tuple[str, ...]
    one_way: int
    """Others that are right: a sensor at an end of the hop sees one direction only."""
    one_way_wrong: int
    hidden: int
    """Losses whose hop no sensor could show: one at its ends missed a packet, or had ended."""
    events: int
    twice: tuple[str, ...]
    """Events of packets of which there are more events than the sensors have packets."""


def identity(event: Mapping[str, Any]) -> Identity:
    """Return what the packet of an event is known by."""
    marks = (event["src_port"], event["dst_port"], event["seq_raw"], event["ip_id"], event["tsval"])
    return *marks, event["cause"] in COPIES


class _Truth:
    """What happened to the packets of a chain, by the instance."""

    def __init__(self, made: Made) -> None:
        self._made, self._passed = made, made.passed
        segments = made.sent.segments
        self._ids = segments.ip_id if made.about.has_ip_id else np.zeros_like(segments.ip_id)
        self._story: dict[tuple[int, int, int], list[int]] = defaultdict(list)
        for instance in np.argsort(self._passed.time[:, 0], kind="stable").tolist():
            if self._passed.copy_of[instance] < 0:
                self._story[self._segment(instance)].append(instance)
        self._ends = self._last_seen()

    def _segment(self, instance: int) -> tuple[int, int, int]:
        row, segments = self._passed.packet[instance], self._made.sent.segments
        return int(segments.sport[row]), int(segments.dport[row]), int(segments.seq[row])

    def identity(self, instance: int) -> Identity:
        """Return what a packet is known by."""
        row = self._passed.packet[instance]
        marks = (*self._segment(instance), int(self._ids[row]), int(self._made.sent.segments.tsval[row]))
        return *marks, bool(self._passed.copy_of[instance] >= 0)

    def _last_seen(self) -> list[int]:
        """Return the true time until which each sensor runs."""
        ends = [NEVER] * SENSORS
        early = self._made.about.ends_early
        if early is not None:
            place = np.where(self._passed.is_forward, early, HOPS - early)
            every = np.arange(len(place))
            kept = self._passed.kept[every, place]
            ends[early] = int(self._passed.time[every, place][kept].max(initial=0))
        return ends

    def sensor(self, instance: int, place: int) -> int:
        """Return the number of the sensor at a place on a packet's way."""
        return place if self._passed.is_forward[instance] else HOPS - place

    def _watches(self, instance: int, place: int, begin: int, until: int) -> bool | None:
        """Return whether a sensor watches all the time; None if it ends meanwhile."""
        direction = 0 if self._passed.is_forward[instance] else 1
        end = self._ends[self.sensor(instance, place)]
        if not self._passed.watching[direction, place] or end < begin - MARGIN:
            return False
        return True if until + MARGIN <= end else None

    def _sees_both(self, instance: int, place: int) -> bool:
        direction = 0 if self._passed.is_forward[instance] else 1
        return bool(self._passed.watching[1 - direction, HOPS - place])

    def losses(self) -> Iterable[tuple[int | None, tuple[int, int] | None, bool]]:
        """Yield a row for each packet that was lost and sent again.

        The first repeat that a sensor has, the sensors at the ends of the hop (None if they could not show it), and
        whether one of them sees one direction only.
        """
        passed, segments = self._passed, self._made.sent.segments
        for story in self._story.values():
            for at, instance in enumerate(story[:-1]):
                row = passed.packet[instance]
                counts = segments.payload_len[row] or segments.flags[row] & _SYN_OR_FIN
                if passed.lost[instance] == HOPS or not counts:
                    continue
                shown = next((one for one in story[at + 1 :] if passed.kept[one].any()), None)
                yield shown, *self._ends_of(instance, story)

    def _ends_of(self, instance: int, story: list[int]) -> tuple[tuple[int, int] | None, bool]:
        passed = self._passed
        begin = int(passed.time[instance, 0])
        until = max(int(passed.time[one][passed.time[one] != NEVER].max()) for one in story)
        watches = [self._watches(instance, place, begin, until) for place in range(SENSORS)]
        if None in watches:
            return None, False
        watching = np.flatnonzero(watches).tolist()
        hop = int(passed.lost[instance])
        before = max((place for place in watching if place <= hop), default=None)
        behind = min((place for place in watching if place > hop), default=None)
        if before is None or behind is None:
            return None, False
        for place in (before, behind):
            came = [one for one in story if passed.time[one, place] != NEVER]
            if not all(passed.kept[one, place] for one in came):
                return None, False
        one_way = not (self._sees_both(instance, before) and self._sees_both(instance, behind))
        return (self.sensor(instance, before), self.sensor(instance, behind)), one_way

    def most_events(self) -> Counter[Identity]:
        """Return of how many packets of an identity sensors can have verdicts; copies that sensors wrote are copies."""
        passed = self._passed
        counts: Counter[Identity] = Counter()
        for instance in range(len(passed.packet)):
            if passed.kept[instance].any():
                counts[self.identity(instance)] += 1
            if passed.twice[instance].any():
                counts[*self.identity(instance)[:5], True] += int(passed.twice[instance].sum())
        return counts


def score(made: Made, events: Iterable[Mapping[str, Any]]) -> Score:
    """Compare events of the view with what happened."""
    truth, sensors = _Truth(made), names(SENSORS)
    found: dict[Identity, list[Mapping[str, Any]]] = defaultdict(list)
    for event in events:
        found[identity(event)].append(event)
    right, wrong, one_way, hidden = 0, [], [0, 0], 0
    for shown, ends, is_one_way in truth.losses():
        if ends is None or shown is None:
            hidden += 1
            continue
        hop = sensors[ends[0]], sensors[ends[1]]
        told = [(one["hop_from"], one["hop_to"]) for one in found[truth.identity(shown)]]
        if is_one_way:
            one_way[hop not in told] += 1
        elif hop in told:
            right += 1
        else:
            wrong.append(f"{truth.identity(shown)} {hop} told {told}")
    most = truth.most_events()
    twice = [f"{mark} {len(some)} > {most[mark]}" for mark, some in found.items() if len(some) > most[mark]]
    return Score(right, tuple(wrong), *one_way, hidden, sum(map(len, found.values())), tuple(twice))
