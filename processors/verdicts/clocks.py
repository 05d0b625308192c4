"""Time as a sender's own clock has it: by its timestamps (RFC 7323), which delays before the sensor do not change."""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.serial import signed, signed_distance
from processors.verdicts.headers import Header
from processors.verdicts.round_trips import LEAST_CLOCK, least_answer, round_trip
from processors.verdicts.sent import place_of
from processors.verdicts.state import HAS_TIMESTAMP, TICKS_KNOWN, State
from processors.verdicts.troubles import last_repeat
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Quality

MILLISECOND = 1_000_000
"""A tick of Linux's, Windows' and FreeBSD's clocks."""
_LEAST_SPAN = 20_000_000
_PARTS = 8
_LOOKED_AT = 16
_FARTHEST = 1 << 20
"""Ticks between two timestamps at most: others are none of one clock."""
_STEADY = 10_000_000_000
"""Nanoseconds for which two clocks agree within 5 ms: they are set right by 500 ppm at most (RFC 5905)."""
_TIMESTAMPS = int(Quality.TIMESTAMPS)


@rare_kernel
def _ticks_agree(later: Any, earlier: Any) -> bool:
    """Whether two pieces are as many milliseconds apart by their timestamps as by their times, about."""
    if not later.marks & earlier.marks & HAS_TIMESTAMP:
        return False
    span = signed(later.time) - signed(earlier.time)
    ticked = MILLISECOND * signed_distance(signed(later.tsval), signed(earlier.tsval))
    return bool(span >= _LEAST_SPAN and ticked * 3 > span and ticked < 3 * span)


@rare_kernel
def ticks_are_milliseconds(state: State, sender: Any) -> bool:
    """Whether the sender's timestamps count milliseconds, as far as its pieces show or have shown.

    What comes late makes a span longer than it is by the sender's clock; it is enough if one part of the pieces agrees.
    """
    if sender.marks & TICKS_KNOWN:
        return True
    last = signed(sender.count) - 1
    if last < 0:
        return False
    first = state.pieces[place_of(sender, 0)]
    newest = state.pieces[place_of(sender, last)]
    if not first.marks & newest.marks & HAS_TIMESTAMP:
        return False
    if signed(newest.time) - signed(first.time) < _LEAST_SPAN:
        return True
    agree = _ticks_agree(newest, first)
    for part in range(_PARTS):
        one = state.pieces[place_of(sender, last * part // _PARTS)]
        agree = agree or _ticks_agree(state.pieces[place_of(sender, last * (part + 1) // _PARTS)], one)
    if agree:
        sender.marks |= TICKS_KNOWN
    return agree


@rare_kernel
def _paces_by_round_trips(state: State, sender: Any, smoothed: int) -> bool:
    """Whether the sender went on a round trip later by its clock, in milliseconds, when it heard something new.

    So it does while it fills its window. It tells the clock where all that was sent since was held up on its way.
    """
    last = signed(sender.count) - 1
    first = state.pieces[place_of(sender, 0)]
    newest = state.pieces[place_of(sender, last)]
    ticked = MILLISECOND * signed_distance(signed(newest.tsval), signed(first.tsval))
    if smoothed < _LEAST_SPAN or ticked > 3 * (signed(newest.time) - signed(first.time)):
        return False
    for index in range(max(1, last - _LOOKED_AT), last + 1):
        one = state.pieces[place_of(sender, index - 1)]
        other = state.pieces[place_of(sender, index)]
        step = MILLISECOND * signed_distance(signed(other.tsval), signed(one.tsval))
        stamped = one.marks & other.marks & HAS_TIMESTAMP and one.tsecr != other.tsecr
        if stamped and 3 * step > 2 * smoothed and 2 * step < 3 * smoothed:
            return True
    return False


@rare_kernel
def learn_clock(state: State, sender: Any, receiver: Any) -> bool:
    """Return whether the sender's timestamps count milliseconds; remember it where that shows."""
    if ticks_are_milliseconds(state, sender):
        return True
    if not sender.count or not _paces_by_round_trips(state, sender, round_trip(sender, receiver)):
        return False
    sender.marks |= TICKS_KNOWN
    return True


@rare_kernel
def _newest(state: State, sender: Any) -> tuple[int, int]:
    """Return timestamp and echo of what the sender sent last, repeats counted; it must have pieces (``count``)."""
    piece = state.pieces[place_of(sender, signed(sender.count) - 1)]
    repeat = last_repeat(state, sender)
    repeated = repeat != NOTHING and state.notes[repeat].marks & HAS_TIMESTAMP
    if repeated and signed_distance(signed(state.notes[repeat].tsval), signed(piece.tsval)) > 0:
        return signed(state.notes[repeat].tsval), signed(state.notes[repeat].tsecr)
    return signed(piece.tsval), signed(piece.tsecr)


@rare_kernel
def since_sent(state: State, packet: Any, sender: Any, receiver: Any) -> int:
    """Return how long ago the sender sent what it sent last, repeats counted, by its own clock if that shows.

    Of a sender that was not seen to send: how long ago it heard anything.
    """
    quiet: int = packet.now - signed(sender.last_sent or sender.last_heard)
    if packet.quality & _TIMESTAMPS and sender.count and learn_clock(state, sender, receiver):
        ticks = signed_distance(packet.tsval, _newest(state, sender)[0])
        if -_FARTHEST < ticks < _FARTHEST:
            return MILLISECOND * ticks
    return quiet


@rare_kernel
def since_spoken(state: State, packet: Any, sender: Any, receiver: Any) -> int:
    """Return how long ago the sender sent what passed of it last, empty segments counted.

    By its own clock, a tick more, where it has timestamps: by those that are no clock nothing is told, and the time is
    as long as any.
    """
    if not packet.quality & _TIMESTAMPS:
        return int(packet.now - packet.spoke)
    ticks = signed_distance(packet.tsval, packet.spoke_tsval)
    if packet.spoke_tsval and 0 <= ticks < _FARTHEST and learn_clock(state, sender, receiver):
        return MILLISECOND * (ticks + 1)
    return MILLISECOND * _FARTHEST


@rare_kernel
def _passed_at(state: State, side: Any, tsval: int) -> int:
    """Return when a side's last segment with that timestamp passed, nanoseconds; -1 if none is remembered."""
    repeat = last_repeat(state, side)
    if repeat != NOTHING and state.notes[repeat].tsval == tsval:
        return signed(state.notes[repeat].time)
    count = signed(side.count)
    for back in range(1, min(count, _LOOKED_AT) + 1):
        piece = state.pieces[place_of(side, count - back)]
        if piece.marks & HAS_TIMESTAMP and piece.tsval == tsval:
            return signed(piece.time)
    return -1


@rare_kernel
def _passes_at_most(state: State, packet: Any, sender: Any, receiver: Any) -> int:
    """Return when a segment would have passed had it not been held up more than what passed of its sender last.

    Its sender's clock tells how long after that it was sent.
    """
    now: int = packet.now
    if now - packet.spoke > _STEADY:
        return now
    return min(now, int(packet.spoke) + since_spoken(state, packet, sender, receiver))


@rare_kernel
def silence(state: State, packet: Any, sender: Any, receiver: Any) -> int:
    """Return how long the sender had been silent, at its place: since it sent, or had heard, anything.

    What it sent last, and when, its timestamps tell; else the times of passing. What it heard last its echo tells, and
    when that passed, or else its peer's clock: of what passed towards it since, nothing had reached it. Two segments
    with the same echo had nothing heard between them. That was heard half a round trip after it had passed, and what
    the sender did then came back after another half: both are in its least time to answer, wherever the sensor stands.
    Of a sender that was not seen to send, only what it heard tells.
    """
    quiet = since_sent(state, packet, sender, receiver)
    stamped = bool(packet.quality & _TIMESTAMPS) and learn_clock(state, sender, receiver)
    if stamped and sender.count and packet.tsecr and packet.tsecr == _newest(state, sender)[1]:
        return quiet
    if sender.last_heard:
        now = _passes_at_most(state, packet, sender, receiver)
        heard = now - signed(sender.last_heard) - least_answer(sender)
        if stamped and packet.tsecr and sender.heard_tsval:
            ticks = signed_distance(signed(sender.heard_tsval), packet.tsecr)
            if 0 < ticks < _FARTHEST:
                passed = _passed_at(state, receiver, packet.tsecr)
                heard = heard + MILLISECOND * ticks if passed < 0 else now - passed - least_answer(sender)
            if ticks == 0:
                heard = max(heard, 0)  # it has heard that, if sooner than any answer before
        if heard > -LEAST_CLOCK:  # else it is still on its way to the sender
            quiet = min(quiet, heard)
    return quiet


@rare_kernel
def waited(state: State, sender: Any, segment: Header, other: Header) -> int:
    """Return how long after ``other`` a segment was sent, by the sender's clock if it shows."""
    if segment.marks & other.marks & HAS_TIMESTAMP and ticks_are_milliseconds(state, sender):
        ticks = signed_distance(segment.tsval, other.tsval)
        if -_FARTHEST < ticks < _FARTHEST:
            return MILLISECOND * ticks
    return segment.time - other.time
