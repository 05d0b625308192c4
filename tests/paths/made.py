"""A network made by hand: packets over a way with sensors, clocks that differ, and what is done to each packet."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from processors.paths.network import Paths, Sensor, trace
from segwatch.records.paths import NOWHERE, PATH_EVENT_NAMES
from segwatch.records.segments import SegmentColumns, empty_segments, take_segments

CLIENT, SERVER = (1, 40_000), (2, 80)
_START: Final = 1_700_000_000_000_000_000
_MICROSECOND: Final = 1_000
_TWICE_WITHIN: Final = 7
"""Microseconds."""
_NAMES: Final = "ABCDEFGH"


class Sent(NamedTuple):
    """What a host sends, and what happens to it; places count along its own way."""

    at: int
    """Microseconds."""
    seq: int
    length: int = 1000
    ack: int = 1
    is_forward: bool = True
    ip_id: int = 0
    tsval: int = 0
    port: int = CLIENT[1]
    lost: int | None = None
    """The hop on which it is lost."""
    doubled: int | None = None
    held: Mapping[int, int] = {}
    """Microseconds longer, by hop."""
    unseen: tuple[int, ...] = ()
    """Sensors, by their numbers, that miss it."""
    written_twice: tuple[int, ...] = ()
    """Sensors that write it twice."""


class Network(NamedTuple):
    """Sensors and the hops between them; microseconds."""

    delays: tuple[int, ...]
    offsets: tuple[int, ...]
    drifts_ppm: tuple[float, ...] = ()
    ttl: tuple[int, ...] = ()
    """What it is at each sensor; 64 everywhere without."""

    def frames(self, packets: list[Sent]) -> list[list[tuple[int, int]]]:
        """Return time and packet of what each sensor writes, nanoseconds."""
        found: list[list[tuple[int, int]]] = [[] for _ in self.offsets]
        for number, packet in enumerate(packets):
            order = range(len(self.offsets)) if packet.is_forward else range(len(self.offsets) - 1, -1, -1)
            delays = self.delays if packet.is_forward else self.delays[::-1]
            times = [packet.at]
            for place, sensor in enumerate(order):
                if place:
                    if packet.lost == place - 1:
                        break
                    times = [time + delays[place - 1] + packet.held.get(place - 1, 0) for time in times]
                    if packet.doubled == place - 1:
                        times.append(times[0] + 300)
                seen = [] if sensor in packet.unseen else times
                seen = seen + [time + _TWICE_WITHIN for time in seen if sensor in packet.written_twice]
                found[sensor] += [(time * _MICROSECOND, number) for time in seen]
        for frames in found:
            frames.sort()
        return found

    def sensors(self, packets: list[Sent]) -> list[Sensor]:
        """Return what each sensor has."""
        result = []
        for sensor, frames in enumerate(self.frames(packets)):
            segments = self._segments(sensor, frames, packets)
            times = segments.ts if frames else np.zeros(1, np.int64)
            result.append(Sensor(segments, int(times.min()), int(times.max())))
        return result

    def _segments(self, sensor: int, frames: list[tuple[int, int]], packets: list[Sent]) -> SegmentColumns:
        segments = empty_segments(len(frames))
        for column in segments:
            column[:] = 0
        drift = self.drifts_ppm[sensor] / 1e6 if self.drifts_ppm else 0.0
        for row, (time, number) in enumerate(frames):
            one = packets[number]
            client = (CLIENT[0], one.port)
            ends = (client, SERVER) if one.is_forward else (SERVER, client)
            segments.ts[row] = _START + time + self.offsets[sensor] * _MICROSECOND + round(time * drift)
            segments.frame[row] = row + 1
            (segments.src[row, 1], segments.sport[row]), (segments.dst[row, 1], segments.dport[row]) = ends
            segments.seq[row], segments.ack[row], segments.payload_len[row] = one.seq, one.ack, one.length
            segments.flags[row], segments.ip_id[row], segments.tsval[row] = 0x10, one.ip_id, one.tsval
            segments.ttl[row] = self.ttl[sensor] if self.ttl else 64
        return segments


def talk(count: int, first: int = 0, port: int = CLIENT[1]) -> list[Sent]:
    """Return packets in turn from both sides, a millisecond apart; the client's have even places."""
    return [
        Sent(
            1000 * (first + at), 1 + 1000 * at, ack=1 + 1000 * at, is_forward=at % 2 == 0, ip_id=first + at + 1,
            port=port,
        )
        for at in range(count)
    ]  # fmt: skip


def happened(paths: Paths) -> list[tuple[str, int, str]]:
    """Return kind, sequence number and place (as in AB) of each event, sorted; sensors are named as they were given."""
    names = [_NAMES[number] for number in paths.order]
    events = []
    for kind, packet, origin, target, _ in zip(*paths.events, strict=True):
        seq = int(paths.segments.seq[paths.packets.row[packet].max()])
        place = names[target] if origin == target else ("-" if origin == NOWHERE else names[origin]) + names[target]
        events.append((PATH_EVENT_NAMES[kind], seq, place))
    return sorted(events)


def events_of(network: Network, packets: list[Sent]) -> list[tuple[str, int, str]]:
    """Return what is found out about packets that went through a network."""
    return happened(trace(network.sensors(packets)))


def cut(sensor: Sensor, begin: int, end: int) -> Sensor:
    """Return what a sensor has that started late or ended early: some of its rows."""
    rows = np.arange(len(sensor.segments.ts))[begin:end]
    segments = take_segments(sensor.segments, rows)
    return Sensor(segments, int(segments.ts.min()), int(segments.ts.max()))
