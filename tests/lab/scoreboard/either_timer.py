"""Probes and timeouts that nothing in a capture tells apart.

With one segment in flight Linux's tail loss probe and its timeout come at the same time (RFC 8985 section 7.2: the
probe waits as long as a delayed acknowledgment may take, which is the timeout's least). What tells them afterwards is
named here; where all of it is missing, either could have sent the segment.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from tests.lab import truth
from tests.lab.headers import distance
from tests.lab.scoreboard.packets import Packet

_TIMERS: Final = frozenset({"rto", "tail_loss_probe"})
_SENT_ONCE: Final = re.compile(r"\bsent=1\b")
"""A further repeat comes at another time after a probe than after a timeout."""
_PROBE_NS: Final = 200_000_000
_EARLY_NS: Final = 190_000_000
"""Linux's least timeout, less what a link delays."""
_LATE_NS: Final = 10_000_000
_TICK_NS: Final = 1_000_000

Numbered = tuple[int, Packet]
"""A packet with its frame."""


def is_either(
    frame: int,
    packet: Packet,
    connection: Sequence[Numbered],
    rows: Mapping[int, truth.Row],
    first_of: Mapping[int, int],
) -> bool:
    """Tell whether a repeat may have been a probe or a timeout, for all that its conversation shows.

    ``connection``: its packets; ``first_of``: the first frame of each episode. A timer that went off at the beginning
    of another episode shows which of them the sender uses, unless it is such a one itself; nor does it where losses
    were reported, as Linux sends no probe then (``tcp_schedule_loss_probe``: only in the states Open and CWR).
    """
    if rows[frame].cause not in _TIMERS or not _permit_selective(connection):
        return False
    own = [(number, one) for number, one in connection if one.by_client == packet.by_client]
    began = [
        (number, one)
        for number, one in own
        if number in rows and rows[number].cause in _TIMERS and first_of[rows[number].episode] == number
        if not _are_reported(number, one, connection)
    ]
    return all(
        _SENT_ONCE.search(rows[number].evidence)
        and _in_time(number, connection)
        and _shows_nothing(number, one, connection)
        for number, one in {*began, (frame, packet)}
    )


def _permit_selective(connection: Sequence[Numbered]) -> bool:
    """Tell whether both ends permit selective acknowledgments, without which there are no probes, or may do so."""
    return all(one.permits_sacks for _, one in connection if one.is_syn)


def _are_reported(frame: int, packet: Packet, connection: Sequence[Numbered]) -> bool:
    """Tell whether the last acknowledgment before a repeat reports losses: more has arrived than it acknowledges."""
    heard = [one for number, one in connection if number < frame and one.by_client != packet.by_client and one.has_ack]
    return bool(heard) and any(distance(heard[-1].ack, right) > 0 for _, right in heard[-1].sacks)


def _in_time(frame: int, connection: Sequence[Numbered]) -> bool:
    """Tell whether both timers may have gone off by then, since anything passed: a probe at two round trips and 200 ms.

    The handshake has the round trip: from the last SYN to the first packet that acknowledges the answer. Another one
    may be the way of what passed last to the sender, and back. What is held up on its way has been sent sooner: by its
    sender's timestamps (Linux counts milliseconds) it followed on what that had sent before.
    """
    times = {number: one.time for number, one in connection}
    asked = max((one.time for _, one in connection if one.is_syn and not one.has_ack), default=0)
    begun = min((one.time for _, one in connection if one.by_client and not one.is_syn), default=asked)
    quiet = times[frame] - max((time for number, time in times.items() if number < frame), default=0)
    longest = _PROBE_NS + 3 * max(begun - asked, 0) + _LATE_NS
    return quiet >= _EARLY_NS and min(quiet, _ticked(frame, connection, quiet)) <= longest


def _ticked(frame: int, connection: Sequence[Numbered], otherwise: int) -> int:
    """Return how long after the packet before it a packet was sent, by their sender's timestamps."""
    packet = dict(connection)[frame]
    before = [one for number, one in connection if number < frame and one.by_client == packet.by_client]
    stamps = [one.stamps[0] for one in [*before[-1:], packet] if one.stamps]
    return _TICK_NS * distance(stamps[0], stamps[1]) if stamps[1:] else otherwise


def _shows_nothing(frame: int, packet: Packet, connection: Sequence[Numbered]) -> bool:
    """Tell whether neither the time, nor a further repeat, nor what was sent next tells which timer a segment was.

    It was all that was in flight; it never came again; and the sender never had more than one
    segment with data in flight from then on, so that how many it may have does not show.
    """
    heard = None
    copies = 0
    end = _end(packet)
    for number, one in connection:
        if one.by_client != packet.by_client:
            if one.has_ack and (heard is None or distance(heard, one.ack) > 0):
                heard = one.ack
        elif number == frame:
            if not _is_alone(packet, heard):
                return False
        elif one.span and number < frame:
            if distance(end, _end(one)) > 0:
                return False
            copies += distance(packet.seq, _end(one)) > 0
        elif one.span and (distance(one.seq, end) > 0 or (one.span > 1 and not _is_alone(one, heard))):
            return False
    return copies <= 1


def _is_alone(packet: Packet, heard: int | None) -> bool:
    """Tell whether all before a packet was acknowledged, as far as the other side was heard."""
    return heard is not None and distance(packet.seq, heard) >= 0


def _end(packet: Packet) -> int:
    return (packet.seq + packet.span) % 2**32
