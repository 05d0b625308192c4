"""A chain of three hops with four sensors, made up, for packets that real hosts sent in the lab.

What is real: the headers of the packets, and when the hosts sent them, with all repeats (captures at both ends, each
without what came over the network). What is made up, from a seed: the hops (delay, jitter, queues, losses alone and in
bursts, copies, packets that are held back), the sensors (what they miss, write twice, or do not see at all) and their
clocks. So it is known of every packet, and of every copy of it, what happened to it and where.

A packet that is lost here is not sent again for that reason, and what the hosts did send again was lost elsewhere.
Packets of which the hosts sent the bytes again are lost more often here, so that losses with their repeats are in it.
"""

from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from processors.paths.network import Sensor
from segwatch.records.segments import SegmentColumns, join_segments, take_segments
from tests.paths.scoreboard import read_sensor

HOPS: Final = 3
SENSORS: Final = HOPS + 1
NEVER: Final = np.iinfo(np.int64).max
_MICROSECOND: Final = 1_000
_MILLISECOND: Final = 1_000_000

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Sent(NamedTuple):
    """What two hosts sent: N packets in the order of time."""

    segments: SegmentColumns
    is_forward: Flags
    """From the client."""
    is_repeated: Flags
    """The same bytes were sent again later."""
    content: Numbers
    """A number, the same for packets with equal headers but for the IP identification."""


class Chances(NamedTuple):
    """What the hops and the sensors do; chances are for a packet and a hop or sensor."""

    lost: float
    lost_repeated: float
    """Of packets that are sent again."""
    burst: float
    """That the next packet is lost after one that is lost."""
    doubled: float
    held: float
    missed: float
    missed_burst: float
    twice: float
    delays: tuple[float, ...]
    """Milliseconds, by hop."""
    jitter: float
    """Mean, milliseconds."""
    queue: float
    """Milliseconds that a queue grows to and shrinks again."""
    offsets: tuple[float, ...]
    """Milliseconds, by sensor."""
    drifts_ppm: tuple[float, ...]
    blind: tuple[int, int] | None
    """A sensor, and the direction that it does not see: 0 forward, 1 backward."""
    ends_early: int | None
    """A sensor that ends after two thirds of the time."""
    has_ip_id: bool
    in_microseconds: bool
    """Whether the captures' times are cut to these."""


class Passed(NamedTuple):
    """What happened: I packets and copies of them; places count from the sender, as hops do."""

    packet: Numbers
    """(I,) row of ``Sent``."""
    is_forward: Flags
    copy_of: Numbers
    """(I,) what it is a copy of, -1 if it was sent."""
    born: Numbers
    """(I,) the hop that made the copy, -1 if it was sent."""
    lost: Numbers
    """(I,) the hop on which it was lost, ``HOPS`` if it was not."""
    time: Numbers
    """(I, SENSORS) when it came by a place, ``NEVER`` where it did not."""
    kept: Flags
    """(I, SENSORS) whether the sensor there has it."""
    twice: Flags
    """(I, SENSORS) whether it has it twice."""
    watching: Flags
    """(2, SENSORS) whether a sensor sees a direction at all; by place."""


class Made(NamedTuple):
    """Captures, and the truth about them."""

    sensors: list[Sensor]
    instance: list[Numbers]
    """For each sensor the row of ``Passed`` of each of its rows."""
    sent: Sent
    about: Chances
    passed: Passed

    @classmethod
    def of(cls, sent: Sent, about: Chances, passed: Passed) -> Self:
        """Return what the sensors have of packets that passed."""
        made = [_sensor(sent, passed, about, sensor) for sensor in range(SENSORS)]
        return cls([sensor for sensor, _ in made], [instance for _, instance in made], sent, about, passed)


def sent_in(folder: Path) -> Sent:
    """Return what the hosts of a scenario sent: captures at both ends, each without what came over the network."""
    ends = [read_sensor(folder / f"{name}.pcap.gz").segments for name in ("sender", "receiver")]
    client = ends[0].src[0]
    own = [take_segments(end, (end.src == client).all(axis=1) == (at == 0)) for at, end in enumerate(ends)]
    segments = join_segments(own)
    is_forward = np.arange(len(segments.ts)) < len(own[0].ts)
    order = np.argsort(segments.ts, kind="stable")
    segments, is_forward = take_segments(segments, order), is_forward[order]
    side = is_forward.astype(np.int64)
    bytes_sent = (segments.sport, segments.dport, segments.seq, segments.payload_len, segments.flags & 7, side)
    again = _number(*bytes_sent)
    _, last = np.unique(again[::-1], return_index=True)
    is_repeated = (segments.payload_len > 0) | (segments.flags & 3 != 0)
    is_repeated[len(again) - 1 - last] = False
    others = (segments.ack, segments.flags, segments.window, segments.tsval, segments.tsecr, *segments.sack.T)
    return Sent(segments, is_forward, is_repeated, _number(again, *others))


def _number(*columns: npt.NDArray[Any]) -> Numbers:
    """Return (N,) the same number for rows that are equal."""
    _, found = np.unique(np.stack([column.astype(np.int64) for column in columns], axis=1), axis=0, return_inverse=True)
    return found.reshape(-1)


def chances(seed: int) -> Chances:
    """Draw settings: each seed has its own mixture."""
    numbers = np.random.default_rng((seed, 1))
    way = numbers.permutation([0.2, 1.0, 2.0, 4.0, 9.0, 20.0, 45.0])[:HOPS]
    special = int(numbers.integers(0, 4))
    return Chances(
        lost=float(numbers.choice([0.003, 0.01, 0.03])),
        lost_repeated=0.3,
        burst=float(numbers.choice([0.0, 0.3, 0.6])),
        doubled=float(numbers.choice([0.0, 0.003, 0.01])),
        held=float(numbers.choice([0.0, 0.005, 0.02])),
        missed=float(numbers.choice([0.0, 0.0, 0.002, 0.02])),
        missed_burst=float(numbers.choice([0.0, 0.5])),
        twice=float(numbers.choice([0.0, 0.0, 0.01])),
        delays=tuple(float(one) for one in way),
        jitter=float(numbers.choice([0.02, 0.2, 1.0])),
        queue=float(numbers.choice([0.0, 0.0, 3.0, 10.0])),
        offsets=tuple(float(one) for one in np.concatenate(([0.0], numbers.uniform(-2_000, 2_000, HOPS)))),
        drifts_ppm=tuple(float(one) for one in np.concatenate(([0.0], numbers.uniform(-50, 50, HOPS)))),
        blind=(int(numbers.integers(0, SENSORS)), int(numbers.integers(0, 2))) if special == 0 else None,
        ends_early=int(numbers.integers(0, SENSORS)) if special == 1 else None,
        has_ip_id=bool(numbers.random() < 0.5),
        in_microseconds=bool(numbers.random() < 0.5),
    )


def _chosen(numbers: np.random.Generator, count: int, chance: float | npt.NDArray[np.float64], burst: float) -> Flags:
    """Draw which of packets in a row are hit: alone, and each after one that was hit with another chance."""
    dice = numbers.random(count)
    found: Flags = dice < chance
    for at in np.flatnonzero(found):
        behind = int(at) + 1
        while behind < count and dice[behind] < burst:
            found[behind] = True
            behind += 1
    return found


def _hop(numbers: np.random.Generator, about: Chances, delay: float, entered: Numbers) -> tuple[Numbers, Numbers]:
    """Return when packets leave a hop that they enter in order, and how long some are held back besides."""
    count = len(entered)
    swing = about.queue * np.maximum(np.sin(2 * np.pi * (entered / 1.7e9 + numbers.random())), 0)
    waiting = delay + swing + numbers.exponential(about.jitter, count)
    left = np.maximum.accumulate(entered + np.rint(waiting * _MILLISECOND).astype(np.int64))
    held = np.where(numbers.random(count) < about.held, numbers.uniform(1, 15, count), 0)
    return left, np.rint(held * _MILLISECOND).astype(np.int64)


def _passed(sent: Sent, about: Chances, numbers: np.random.Generator, is_forward: bool) -> Passed:
    """Let the packets of one direction pass."""
    packet = np.flatnonzero(sent.is_forward == is_forward)
    copy_of, born = np.full(len(packet), -1), np.full(len(packet), -1)
    lost = np.full(len(packet), HOPS)
    time = np.full((len(packet), SENSORS), NEVER)
    time[:, 0] = sent.segments.ts[packet]
    for hop, delay in enumerate(about.delays if is_forward else about.delays[::-1]):
        here = np.flatnonzero(time[:, hop] != NEVER)
        here = here[np.argsort(time[here, hop], kind="stable")]
        hit = numbers.choice(HOPS, len(here)) == hop  # a packet that is sent again is lost on any of the hops
        chance = np.where(sent.is_repeated[packet[here]] & hit, about.lost_repeated, about.lost)
        gone = _chosen(numbers, len(here), chance, about.burst)
        lost[here[gone]] = hop
        here = here[~gone]
        left, held = _hop(numbers, about, delay, time[here, hop])
        time[here, hop + 1] = left + held
        doubled = numbers.random(len(here)) < about.doubled
        original = here[doubled]
        copies = np.full((len(original), SENSORS), NEVER)
        apart = np.rint(numbers.uniform(20, 1_000, len(original)) * _MICROSECOND).astype(np.int64)
        copies[:, hop + 1] = time[original, hop + 1] + apart
        packet, time = np.concatenate((packet, packet[original])), np.concatenate((time, copies))
        copy_of, born = np.concatenate((copy_of, original)), np.concatenate((born, np.full(len(original), hop)))
        lost = np.concatenate((lost, np.full(len(original), HOPS)))
    direction = np.full(len(packet), is_forward)
    nothing = np.zeros((len(packet), SENSORS), np.bool_)
    watching = np.zeros((2, SENSORS), np.bool_)
    return Passed(packet, direction, copy_of, born, lost, time, nothing, nothing.copy(), watching)


def _joined(one: Passed, other: Passed) -> Passed:
    """Return both directions."""
    copy_of = np.where(other.copy_of < 0, -1, other.copy_of + len(one.packet))
    return Passed(*(np.concatenate(columns) for columns in zip(one, other, strict=True)))._replace(
        copy_of=np.concatenate((one.copy_of, copy_of)), watching=one.watching
    )


def watch(passed: Passed, about: Chances, numbers: np.random.Generator) -> Passed:
    """Draw what sensors have of what came by."""
    came = passed.time != NEVER
    begin, end = int(passed.time.min()), int(passed.time[came].max())
    until = np.full(SENSORS, end)
    if about.ends_early is not None:
        until[about.ends_early] = begin + (end - begin) // 3 * 2
    passed.watching[:] = True
    if about.blind:
        sensor, direction = about.blind
        passed.watching[direction, sensor if direction == 0 else HOPS - sensor] = False
    for sensor in range(SENSORS):
        place = np.where(passed.is_forward, sensor, HOPS - sensor)
        every = np.arange(len(place))
        time = passed.time[every, place]
        watched = passed.watching[np.where(passed.is_forward, 0, 1), place]
        here = np.flatnonzero((time <= until[sensor]) & watched)
        here = here[np.argsort(time[here], kind="stable")]
        missed = _chosen(numbers, len(here), about.missed, about.missed_burst if about.missed else 0.0)
        passed.kept[here[~missed], place[here[~missed]]] = True
        twice = here[~missed][numbers.random(np.count_nonzero(~missed)) < about.twice]
        passed.twice[twice, place[twice]] = True
    return passed


def _sensor(sent: Sent, passed: Passed, about: Chances, sensor: int) -> tuple[Sensor, Numbers]:
    """Return a sensor's capture, and the packet or copy that each of its rows is."""
    place = np.where(passed.is_forward, sensor, HOPS - sensor)
    every = np.arange(len(place))
    here = np.flatnonzero(passed.kept[every, place])
    again = here[passed.twice[here, place[here]]]
    instance = np.concatenate((here, again))
    time = np.concatenate((passed.time[here, place[here]], passed.time[again, place[again]] + 5 * _MICROSECOND))
    order = np.argsort(time, kind="stable")
    instance, time = instance[order], time[order]
    segments = take_segments(sent.segments, passed.packet[instance])
    begin = int(sent.segments.ts[0])
    ahead = about.offsets[sensor] * _MILLISECOND + (time - begin) * about.drifts_ppm[sensor] / 1e6
    segments.ts[:] = time + np.rint(ahead).astype(np.int64)
    if about.in_microseconds:
        segments.ts[:] = segments.ts // _MICROSECOND * _MICROSECOND
    if not about.has_ip_id:
        segments.ip_id[:] = 0
    segments.frame[:] = np.arange(1, len(time) + 1)
    return Sensor(segments, int(segments.ts.min(initial=NEVER)), int(segments.ts.max(initial=0))), instance


def make(sent: Sent, about: Chances, seed: int) -> Made:
    """Let what hosts sent pass the chain."""
    numbers = np.random.default_rng((seed, 2))
    both = _joined(_passed(sent, about, numbers, True), _passed(sent, about, numbers, False))
    return Made.of(sent, about, watch(both, about, numbers))
