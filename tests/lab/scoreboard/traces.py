"""What a capture holds of each case, from its packets and the truth alone: what no one can see in it stands apart.

Nothing here asks what a verdict says.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tests.lab import truth
from tests.lab.headers import distance
from tests.lab.scoreboard.either_timer import is_either
from tests.lab.scoreboard.packets import Packet

REPEATS: Final = frozenset({"rto", "fast_retransmit", "recovery", "tail_loss_probe", "syn_retry"})
HIDDEN: Final = {
    "first_syn": "A SYN of which no earlier copy passed: it looks like the first one.",
    "syn_ack_in_time": "A SYN-ACK of which no earlier copy passed, and that follows a SYN at once: it looks first.",
    "looks_new": "No earlier copy passed, nor anything that was sent after it, nor an acknowledgment of it, and no IP "
    "identification is missing before it: it looks like new data.",
    "either_timer": "A probe or a timeout of the only segment in flight, which come at the same time: it never came "
    "again, its sender never had more than one segment in flight since, and no other timer of it went off.",
}
"""Why the cause of a case cannot be seen in a capture."""
_SEEN: Final = re.compile(r"\bseen=(\d+)")
_LARGEST_GAP: Final = 64
"""IP identifications that are missing, at most: a larger step is not one of a sender that counts its packets."""
_AT_ONCE_NS: Final = 900_000_000
"""A SYN-ACK that takes longer was sent by a timer: that of Linux is one second."""


class Trace(NamedTuple):
    """What a capture holds of a case."""

    hidden: str
    """A key of ``HIDDEN``; empty where the capture can show the cause."""
    shows_need: bool
    shows_place: bool


@dataclass
class _Flow:
    """What passed of one direction."""

    end: int | None = None
    """The highest sequence number, and one more."""
    heard: int | None = None
    """The highest number that it acknowledged to the other side."""
    newest_id: int | None = None
    missing_ids: int = 0
    """IP identifications that are missing, and that no repeat since accounts for."""
    syns: list[Packet] = field(default_factory=list)

    def note(self, packet: Packet) -> None:
        end = (packet.seq + packet.span) % 2**32
        if self.end is None or (packet.span and distance(self.end, end) > 0):
            self.end = end
        if packet.has_ack and (self.heard is None or distance(self.heard, packet.ack) > 0):
            self.heard = packet.ack
        step = 1 if self.newest_id is None else _step(self.newest_id, packet.ip_id)
        if 0 < step <= _LARGEST_GAP:
            self.missing_ids += step - 1
        elif -_LARGEST_GAP <= step < 0:
            self.missing_ids -= 1
        if step > 0 or step < -_LARGEST_GAP:  # a SYN-ACK of Linux has 0, whatever comes after it
            self.newest_id = packet.ip_id
        if packet.is_syn:
            self.syns.append(packet)

    def is_behind(self, packet: Packet) -> bool:
        """Tell whether something passed that the sender sends after it."""
        return self.end is not None and distance(self.end, packet.seq) < 0

    def misses_ids(self, packet: Packet) -> bool:
        """Tell whether IP identifications are missing before a packet."""
        is_gap = self.newest_id is not None and 1 < _step(self.newest_id, packet.ip_id) <= _LARGEST_GAP
        return is_gap or self.missing_ids > 0


def traces(packets: Sequence[Packet], rows: Mapping[int, truth.Row]) -> dict[int, Trace]:
    """Return what a capture holds of each row of its truth, by frame."""
    found = {}
    flows: dict[tuple[int, bool], _Flow] = {}
    connections: dict[int, list[tuple[int, Packet]]] = {}
    for frame, packet in enumerate(packets, 1):
        connections.setdefault(packet.port, []).append((frame, packet))
    first_of = {row.episode: frame for frame, row in sorted(rows.items(), reverse=True)}
    for frame, packet in enumerate(packets, 1):
        flow = flows.setdefault(packet.flow, _Flow())
        if frame in rows:
            row, other = rows[frame], flows.get((packet.port, not packet.by_client))
            hidden = _hidden(row, packet, flow, other) if row.cause in REPEATS else ""
            if not hidden and is_either(frame, packet, connections[packet.port], rows, first_of):
                hidden = "either_timer"
            need = row.needed != "spurious" or _shows_spurious(frame, packet, connections[packet.port], rows)
            place = (seen(row) > 0) == (row.place == "after_sensor") or flow.misses_ids(packet)
            found[frame] = Trace(hidden, need, place)
            flow.missing_ids -= row.cause in REPEATS and not seen(row)
        flow.note(packet)
    return found


def seen(row: truth.Row) -> int:
    """Return how many earlier packets with some of its sequence numbers the capture has."""
    match = _SEEN.search(row.evidence)
    return int(match.group(1)) if match else 0


def _hidden(row: truth.Row, packet: Packet, flow: _Flow, other: _Flow | None) -> str:
    if seen(row):
        return ""
    if packet.is_syn and not packet.has_ack:
        return "first_syn"
    if packet.is_syn:
        return "syn_ack_in_time" if other is None or not _is_late(packet, other.syns) else ""
    is_acked = other is not None and other.heard is not None and distance(packet.seq, other.heard) > 0
    return "" if flow.is_behind(packet) or flow.misses_ids(packet) or is_acked else "looks_new"


def _is_late(answer: Packet, syns: Sequence[Packet]) -> bool:
    """Tell whether a SYN-ACK comes too late to be the first answer to the SYN that it answers."""
    if answer.stamps:
        syns = [syn for syn in syns if syn.stamps and syn.stamps[0] == answer.stamps[1]]
    return bool(syns) and answer.time - syns[-1].time >= _AT_ONCE_NS


def _shows_spurious(
    frame: int, packet: Packet, connection: Sequence[tuple[int, Packet]], rows: Mapping[int, truth.Row]
) -> bool:
    """Tell whether something in the capture says that the receiver had had it.

    An acknowledgment before it, an acknowledgment of a duplicate (RFC 2883), an acknowledgment that echoes an older
    timestamp (RFC 3522), or the original, which comes after it.
    """
    end = (packet.seq + packet.span) % 2**32
    is_acked = False
    for number, one in connection:
        if one.by_client == packet.by_client:
            if number > frame and one.seq == packet.seq and number in rows and rows[number].cause == "reordering":
                return True
            continue
        covers = one.has_ack and distance(end, one.ack) >= 0
        if number < frame:
            if covers:
                return True
            continue
        if _reports_again(one, packet.seq, end):
            return True
        if covers and not is_acked:
            is_acked = True
            if one.stamps and packet.stamps and _earlier(one.stamps[1], packet.stamps[0]):
                return True
    return False


def _reports_again(packet: Packet, begin: int, end: int) -> bool:
    """Tell whether its first block reports a duplicate of some numbers: below its acknowledgment, or in the second."""
    if not packet.sacks:
        return False
    left, right = packet.sacks[0]
    is_below = distance(left, packet.ack) > 0
    is_inside = any(distance(low, left) >= 0 and distance(right, high) >= 0 for low, high in packet.sacks[1:2])
    return (is_below or is_inside) and distance(left, end) > 0 and distance(begin, right) > 0


def _earlier(stamp: int, other: int) -> bool:
    return distance(other, stamp) < 0


def _step(last: int, number: int) -> int:
    """Return how far an IP identification is behind (or, negative, before) another, modulo 2**16."""
    return (number - last + 2**15) % 2**16 - 2**15
