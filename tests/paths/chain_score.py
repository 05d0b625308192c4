"""What is said about a chain that was made up, held against what happened in it."""

from collections import Counter
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from processors.paths.network import Paths, trace
from segwatch.records.paths import NOWHERE, PathEvent
from tests.paths.chain import HOPS, NEVER, SENSORS, Flags, Made, Numbers

MARGIN: Final = 100_000_000
"""Nanoseconds that no packet needs for the way."""
MIXED_WITHIN: Final = 30_000_000
"""Nanoseconds by which equal packets may overtake each other."""
KINDS: Final = (
    PathEvent.LOST, PathEvent.DUPLICATED, PathEvent.REORDERED, PathEvent.CAPTURE_LOSS, PathEvent.CAPTURE_DUPLICATE,
    PathEvent.APPEARED,
)  # fmt: skip

_BEHIND_ITS_ORIGIN: Final = (PathEvent.LOST, PathEvent.MAYBE_LOST, PathEvent.REORDERED)
"""Events of what was seen at their origin."""
ALIKE: Final = ("a capture wrote one twice", "hosts sent equal ones", "the network copied one", "nothing is equal")
"""What makes the rows of a packet equal to others in all that they hold; the first one that holds."""
_UNSURE: Final = {PathEvent.LOST: PathEvent.MAYBE_LOST}


class Case(NamedTuple):
    """An event, by what it happened to."""

    kind: PathEvent
    packet: int
    """Row of ``Sent``, or that of the first packet with the same headers; copies that the network made belong to it."""
    origin: int
    """Sensors by their numbers from the client's end; ``NOWHERE`` before the first."""
    target: int


Cases = Counter[Case]


class Score(NamedTuple):
    """Of one kind of event."""

    right: int
    """Cases that the sensors at both ends could show, and that have their event at the right place."""
    wrong: tuple[Case, ...]
    """Those that have none there."""
    more: tuple[Case, ...]
    """Events that nothing explains: no case, and no sensor that missed something."""
    twice: tuple[Case, ...]
    """Events of packets that have more of them than happened to them or seemed to, wherever."""
    hidden: int
    """How many cases the sensors could not show: one missed the packet, was about to begin or end, or sees no such
    packets."""
    unsure: int
    """How many events say that it may be so."""
    unsure_right: int
    """How many of these are cases; they are among ``wrong``, as they are not counted."""
    alike: tuple[int, ...]
    """How many of ``twice`` there are by ``ALIKE``."""


class Truth:
    """What happened, and what the sensors' rows show of it if nothing is mixed up."""

    def __init__(self, made: Made, packet: Numbers) -> None:
        self._passed = made.passed
        self._packet = packet
        self._spans = _spans(made)
        self.happened: Cases = Counter()
        """What the sensors could show."""
        self.shown: Cases = Counter()
        """That, and what seems to have happened because sensors missed something."""
        self.hidden: Counter[PathEvent] = Counter()
        self.edge: set[int] = set()
        """Packets of which it is not sure which sensors would have seen them."""
        for instance in range(len(made.passed.packet)):
            self._note_edge(instance)
        for instance in range(len(made.passed.packet)):
            self._note(instance)
        _note_reordered(self, made)

    def sensor(self, instance: int, place: int) -> int:
        """Return the number of the sensor at a place on a packet's way."""
        if place == NOWHERE or self._passed.is_forward[instance]:
            return place
        return HOPS - place

    def runs(self, instance: int, place: int) -> bool | None:
        """Return whether a sensor would have seen a packet, if it comes by there; None if that is not sure."""
        passed = self._passed
        if not passed.watching[0 if passed.is_forward[instance] else 1, place]:
            return False
        begin, end = self._spans[self.sensor(instance, place)]
        came = passed.time[instance][passed.time[instance] != NEVER]
        earliest, latest = int(came.min()), int(came.max())
        if passed.time[instance, place] == NEVER:
            earliest, latest = earliest - MARGIN, latest + MARGIN
        if begin <= earliest and latest <= end:
            return True
        return False if earliest > end or latest < begin else None

    def _note_edge(self, instance: int) -> None:
        if any(self.runs(instance, place) is None for place in range(SENSORS)):
            self.edge.add(int(self._packet[instance]))

    def _watching(self, instance: int) -> list[int]:
        return [place for place in range(SENSORS) if self.runs(instance, place)]

    def case(self, kind: PathEvent, instance: int, origin: int, target: int) -> Case:
        """Return a case by places on a packet's way."""
        ends = (self.sensor(instance, place) for place in (origin, target))
        return Case(kind, int(self._packet[instance]), *ends)

    def add(self, case: Case, *, could: bool, seems: bool = True) -> None:
        """Note a case; whether the sensors could show it, and whether their rows do."""
        could &= case.packet not in self.edge
        self.happened[case] += could
        self.hidden[case.kind] += not could
        self.shown[case] += seems

    def _note(self, instance: int) -> None:
        passed = self._passed
        watching, kept = self._watching(instance), [int(place) for place in np.flatnonzero(passed.kept[instance])]
        if not kept:
            self.hidden[PathEvent.LOST] += int(passed.lost[instance]) < HOPS
            self.hidden[PathEvent.DUPLICATED] += int(passed.born[instance]) >= 0
            return
        self._note_end(instance, watching, kept[-1])
        self._note_begin(instance, watching, kept[0])
        for place in watching:
            if kept[0] < place < kept[-1] and place not in kept:
                self.add(self.case(PathEvent.CAPTURE_LOSS, instance, place, place), could=True)
        for place in np.flatnonzero(passed.twice[instance]).tolist():
            case = self.case(PathEvent.CAPTURE_DUPLICATE, instance, place, place)
            could = any(one > place for one in watching)
            self.add(case, could=could, seems=could)
            if not could:
                before = max((one for one in watching if one < place), default=NOWHERE)
                self.shown[self.case(PathEvent.DUPLICATED, instance, before, place)] += 1

    def _note_end(self, instance: int, watching: list[int], last: int) -> None:
        """Note a loss; and what only seems to be one, where the sensors behind missed the packet."""
        hop = int(self._passed.lost[instance])
        before = [place for place in watching if place <= hop]
        behind = [place for place in watching if place > last]
        seems = self.case(PathEvent.LOST, instance, last, behind[0] if behind else NOWHERE)
        if hop < HOPS:
            self.add(seems, could=bool(before) and before[-1] == last and bool(behind), seems=bool(behind))
        elif behind:
            self.shown[seems] += 1

    def _note_begin(self, instance: int, watching: list[int], first: int) -> None:
        """Note a copy; and what seems to come from nowhere, where the sensors before missed the packet."""
        passed = self._passed
        before = max((place for place in watching if place < first), default=NOWHERE)
        born = int(passed.born[instance])
        if born >= 0:
            kept = passed.kept[int(passed.copy_of[instance])]
            could = before <= born and all(kept[place] for place in watching if before <= place <= first)
            self.add(self.case(PathEvent.DUPLICATED, instance, before, first), could=could)
        elif before != NOWHERE:
            self.add(self.case(PathEvent.APPEARED, instance, before, first), could=True)


def _spans(made: Made) -> list[tuple[int, int]]:
    """Return for each sensor the true times of the first and the last packet that it has."""
    spans = []
    for sensor in range(SENSORS):
        place = np.where(made.passed.is_forward, sensor, HOPS - sensor)
        every = np.arange(len(place))
        times = made.passed.time[every, place][made.passed.kept[every, place]]
        spans.append((int(times.min()), int(times.max())))
    return spans


def _note_reordered(truth: Truth, made: Made) -> None:
    """Note packets that came by a sensor behind others of their flow that came behind them by the sensor before.

    RFC 4737 section 3; sensors between which nothing has the packet do not count. Where hosts sent equal packets
    shortly after each other, sensors cannot tell which of them came when.
    """
    passed, segments = made.passed, made.sent.segments
    mixed = _mixed(made)
    latest: dict[tuple[int, ...], tuple[int, int]] = {}
    steps = []
    for instance in np.flatnonzero(passed.born < 0).tolist():
        kept = np.flatnonzero(passed.kept[instance]).tolist()
        steps += [(passed.time[instance, target], instance, origin, target) for origin, target in pairwise(kept)]
    for _, instance, origin, target in sorted(steps):
        row, sent = passed.packet[instance], (int(passed.time[instance, origin]), instance)
        flow = (int(segments.sport[row]), int(segments.dport[row]), int(passed.is_forward[instance]), origin, target)
        if sent < latest.get(flow, sent):
            truth.add(truth.case(PathEvent.REORDERED, instance, origin, target), could=not mixed[row])
        latest[flow] = max(latest.get(flow, sent), sent)


def _mixed(made: Made) -> Flags:
    """Return which packets that were sent have an equal one sent shortly before or after."""
    times = made.sent.segments.ts
    order = np.lexsort((times, _identity(made)))
    close = (np.diff(_identity(made)[order]) == 0) & (np.diff(times[order]) <= MIXED_WITHIN)
    found = np.zeros(len(times), np.bool_)
    found[order[1:]] |= close
    found[order[:-1]] |= close
    return found


def _alike(made: Made, packet: Numbers, truth: Truth, found: Cases, wanted: Case) -> int:
    """Return which of ``ALIKE`` a packet's rows are."""
    kind = PathEvent.CAPTURE_DUPLICATE
    written = Counter({case: count for case, count in truth.shown.items() if case[:2] == (kind, wanted.packet)})
    same = np.flatnonzero(packet == wanted.packet)
    is_sent = made.passed.born[same] < 0
    return [bool(written - found), np.count_nonzero(is_sent) > 1, not is_sent.all(), True].index(True)


def _identity(made: Made) -> Numbers:
    """Return a number, the same for packets that captures show equal."""
    identity = made.sent.content
    if made.about.has_ip_id:
        identity = (identity << 16) | made.sent.segments.ip_id
    return identity


def _found(made: Made, paths: Paths, packet_of: Numbers) -> Cases:
    """Return the events by what they happened to."""
    instance = np.concatenate(made.instance)
    result: Cases = Counter()
    for kind, packet, origin, target, _ in zip(*(column.tolist() for column in paths.events), strict=True):
        rows = paths.packets.row[packet]
        row = rows[origin] if kind in _BEHIND_ITS_ORIGIN else rows[rows != NOWHERE][0]
        ends = (NOWHERE if place == NOWHERE else int(paths.order[place]) for place in (origin, target))
        result[Case(PathEvent(kind), int(packet_of[instance[row]]), *ends)] += 1
    return result


def score(made: Made, *, by_headers: bool) -> dict[PathEvent, Score]:
    """Compare what is found with what happened.

    ``by_headers``: packets with the same headers count as one, for nothing tells which of them a hop lost.
    """
    packet = made.passed.packet
    if by_headers:
        _, first, inverse = np.unique(_identity(made), return_index=True, return_inverse=True)
        packet = first[inverse][packet]
    truth, found = Truth(made, packet), _found(made, trace(made.sensors), packet)
    scores = {kind: _of_kind(kind, truth, found) for kind in KINDS}
    for kind, one in scores.items():
        counts = Counter(_alike(made, packet, truth, found, case) for case in one.twice)
        scores[kind] = one._replace(alike=tuple(counts[number] for number in range(len(ALIKE))))
    return scores


def _of_kind(kind: PathEvent, truth: Truth, found: Cases) -> Score:
    cases, shown, events = (
        Counter({case: count for case, count in some.items() if case.kind is kind and case.packet not in truth.edge})
        for some in (truth.happened, truth.shown, found)
    )
    right, more = cases & events, tuple((events - shown).elements())
    counts, seeming = (Counter(case.packet for case in some.elements()) for some in (events, shown))
    twice = tuple(case for case in more if counts[case.packet] > seeming[case.packet])
    wrong = cases - right
    unsure = Counter(
        {case._replace(kind=kind): count for case, count in found.items() if case.kind is _UNSURE.get(kind)}
    )
    unsure_right = (unsure & wrong).total()
    return Score(
        right.total(), tuple(wrong.elements()), more, twice, truth.hidden[kind], unsure.total(), unsure_right, ()
    )
