"""Probe or timeout: what a sender sends at once after a repeat that was its only segment in flight.

After a timeout a sender may have one segment in flight, so nothing new goes beside the repeat, and two segments go once
that is acknowledged (RFC 5681 section 3.1). After a probe it may have as many as before, or a share of them (RFC 8985
section 7.4, RFC 6937): more than two, if it had many.
"""

from typing import Any, Final

from processors.rules.packet import FIN, PSH
from processors.serial import before, signed
from processors.verdicts.habits import learn
from processors.verdicts.round_trips import LEAST_CLOCK, least_answer, least_round_trip
from processors.verdicts.sent import place_of
from processors.verdicts.state import State
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Quality

AWAITED: Final = 1
"""``flight``: the repeat is not acknowledged yet, or nothing was sent since. 0: no flight is looked at."""
BEGUN: Final = 2
"""``flight``: the first segments after the repeat pass. ``in_flight``: how many, since ``flight_began``;
``flight_length``: the length that all of them have, 0 none. ``flight_heard``: when the first acknowledgment of them
passed, 0 not yet. ``flight_tsval``: its timestamp; before it passed, the one that the first segment echoes; 0 where
they tell nothing. ``flight_more``: whether the last of them was not all that its application had given."""
GROWING: Final = 3
"""``flight``: a third segment waited for room, and it may be the first of twice as many. ``in_flight`` and
``flight_began`` count from it on."""
_AFTER_TIMEOUT: Final = 2
_DOUBLED: Final = 4
_MANY: Final = 6
"""Segments in flight of which a share of a half is more than after a timeout."""
_LOOKED_AT: Final = 12
_TIMESTAMPS: Final = int(Quality.TIMESTAMPS)


@rare_kernel
def _spans_less(sender: Any, receiver: Any, span: int) -> bool:
    """Whether a time is too short for an acknowledgment of what was sent at its beginning."""
    return 4 * span < 3 * least_round_trip(sender, receiver)


@rare_kernel
def _had_many(state: State, sender: Any, receiver: Any) -> bool:
    """Whether the sender had many segments in flight at once, lately."""
    count = signed(sender.count)
    for last in range(max(_MANY - 1, count - _LOOKED_AT), count):
        first = state.pieces[place_of(sender, last - _MANY + 1)]
        if _spans_less(sender, receiver, signed(state.pieces[place_of(sender, last)].time) - signed(first.time)):
            return True
    return False


@rare_kernel
def await_flight(state: State, trouble: Any, sender: Any, receiver: Any, end: int) -> None:
    """Look at what the sender sends after a repeat up to ``end``, which is all that it has in flight.

    One that sends probes may have ten segments in flight from the beginning (RFC 6928), until it loses one.
    """
    trouble.flight = AWAITED if sender.last_heard else 0
    trouble.flight_from = end
    trouble.had_room = 1 if trouble.episode == 1 or _had_many(state, sender, receiver) else 0


@rare_kernel
def _has_more(packet: Any) -> bool:
    """Whether its application had given the sender more: the last segment of what it gives is pushed (RFC 9293)."""
    return not packet.flag_bits & PSH


@rare_kernel
def _begin(trouble: Any, packet: Any) -> None:
    trouble.flight = BEGUN
    trouble.in_flight = 1
    trouble.flight_length = packet.length
    trouble.flight_began = packet.now
    trouble.flight_heard = 0
    trouble.flight_tsval = packet.tsecr if packet.quality & _TIMESTAMPS else 0
    trouble.flight_more = 1 if _has_more(packet) else 0


@rare_kernel
def _echoes_answer(trouble: Any, packet: Any) -> bool:
    """Whether a segment shows by its echo that its sender had heard an acknowledgment of the flight's first ones."""
    if trouble.flight != BEGUN or not trouble.flight_heard or not packet.quality & _TIMESTAMPS:
        return False
    return bool(trouble.flight_tsval) and not before(packet.tsecr, signed(trouble.flight_tsval))


@rare_kernel
def _goes_with(trouble: Any, sender: Any, receiver: Any, packet: Any) -> bool:
    """Whether a segment was sent with those of the flight, before any of them was acknowledged.

    Where the first ones were held up, the next may pass sooner after them than any round trip took.
    """
    at_once = _spans_less(sender, receiver, packet.now - signed(trouble.flight_began))
    return at_once and not _echoes_answer(trouble, packet)


@rare_kernel
def _waited_for_room(trouble: Any, sender: Any, receiver: Any, packet: Any) -> bool:
    """Whether a segment went as soon as the two before it were acknowledged, though all of the data was there.

    All three are full: a shorter one may have waited for the acknowledgment itself (RFC 896). And the second was not
    the end of what the application gave; or it went just when the acknowledgment came, and its peer's application has
    said nothing since.
    """
    if trouble.flight != BEGUN or trouble.in_flight != _AFTER_TIMEOUT or packet.length != trouble.flight_length:
        return False
    if trouble.flight_more and _echoes_answer(trouble, packet):
        return True
    if not trouble.flight_heard or signed(receiver.last_sent) >= signed(trouble.flight_began):
        return False
    late = packet.now - signed(trouble.flight_heard) - least_answer(sender)
    return bool(abs(late) <= max(least_round_trip(sender, receiver) >> 2, LEAST_CLOCK))


@rare_kernel
def _count_in_flight(state: State, trouble: Any, packet: Any, out: Any) -> None:
    """Count one more segment of a flight.

    After a timeout a sender starts slowly: four follow on two (RFC 5681 section 3.1). After a probe it avoids
    congestion: it had two, and has one more at most.
    """
    if packet.length != trouble.flight_length:
        trouble.flight_length = 0
    trouble.in_flight += 1
    trouble.flight_more = 1 if _has_more(packet) else 0
    if trouble.flight == BEGUN and trouble.in_flight > _AFTER_TIMEOUT:
        learn(state, trouble, 1, packet.frame, out)
    elif trouble.flight == GROWING and trouble.flight_length and trouble.in_flight == _DOUBLED:
        learn(state, trouble, -1, packet.frame, out)


@rare_kernel
def take_flight(state: State, trouble: Any, sender: Any, receiver: Any, packet: Any, out: Any) -> None:
    """Take new data while a flight is looked at. A FIN may go though there is no room (Linux)."""
    if not packet.length or packet.flag_bits & FIN:
        return
    if trouble.flight == AWAITED:
        if before(signed(sender.una), signed(trouble.flight_from)):
            learn(state, trouble, 1, packet.frame, out)
        else:
            _begin(trouble, packet)
    elif _goes_with(trouble, sender, receiver, packet):
        _count_in_flight(state, trouble, packet, out)
    elif _waited_for_room(trouble, sender, receiver, packet):
        if trouble.had_room:
            learn(state, trouble, -1, packet.frame, out)
        else:
            trouble.flight = GROWING
            trouble.in_flight = 1
            trouble.flight_began = packet.now
    elif trouble.in_flight == 1:
        _begin(trouble, packet)
    else:
        trouble.flight = 0


@rare_kernel
def hear_flight(trouble: Any, packet: Any) -> None:
    """Take an acknowledgment of more than before."""
    if trouble.flight == BEGUN and not trouble.flight_heard and before(signed(trouble.flight_from), packet.ack):
        trouble.flight_heard = packet.now
        is_later = bool(packet.quality & _TIMESTAMPS) and before(signed(trouble.flight_tsval), packet.tsval)
        trouble.flight_tsval = packet.tsval if is_later and trouble.flight_tsval else 0
