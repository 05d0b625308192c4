"""How long answers take: the two halves of the path, seen from the sensor, and what a sender makes of their sum."""

from typing import Any

from processors.serial import signed
from segwatch.compilation import inner_kernel, rare_kernel

LEAST_VARIATION = 200_000_000
"""Nanoseconds that Linux's timeout is above the smoothed round trip at least (``TCP_RTO_MIN``)."""
INITIAL_TIMEOUT = 1_000_000_000
"""RFC 6298 section 2.1, for a sender that has measured nothing."""
UNKNOWN_CLOCK = 50_000_000
"""Nanoseconds of silence that tell a timer from an acknowledgment where no round trip is known."""
LEAST_CLOCK = 3_000_000
_MICROSECOND = 1000
SYN_TIMER = 900_000_000
"""Nanoseconds after which a timer sent a SYN or a SYN/ACK: it is 1 s at first (RFC 6298 section 2.1)."""
HOST_DELAY = 1_000_000
"""Nanoseconds that hosts differ by in how fast they answer."""
_LONGEST = 60_000_000
"""Microseconds that an answer counts as at most (RFC 6298 section 2.5)."""


@inner_kernel
def _counted(measured: int) -> int:
    """Return what a time to answer counts as, microseconds."""
    return min(max(measured // _MICROSECOND, 1), _LONGEST)


@inner_kernel
def _begin(answerer: Any, microseconds: int) -> None:
    answerer.answer_time = microseconds << 3
    answerer.answer_variation = microseconds << 1


@inner_kernel
def note_answer(answerer: Any, measured: int) -> None:
    """Take in a time from the sensor to a side and back (RFC 6298 section 2, in the fixed point of Jacobson)."""
    microseconds = _counted(measured)
    if not answerer.answer_time:
        _begin(answerer, microseconds)
        answerer.answer_least = microseconds
        return
    error = microseconds - (signed(answerer.answer_time) >> 3)
    answerer.answer_time = signed(answerer.answer_time) + error
    answerer.answer_variation = (
        signed(answerer.answer_variation) + abs(error) - (signed(answerer.answer_variation) >> 2)
    )
    if not 0 < answerer.answer_least <= microseconds:
        answerer.answer_least = microseconds


@inner_kernel
def forget_doubtful(answerer: Any, measured: int) -> None:
    """Forget the only time to answer so far if it was as long as a SYN's timer, and the next is far shorter.

    Without timestamps: the SYN had been sent again, seen or not, so its sender measured nothing (RFC 6298 section 3,
    Karn).
    """
    first = _MICROSECOND * (signed(answerer.answer_time) >> 3)
    is_only = signed(answerer.answer_variation) << 2 == signed(answerer.answer_time)
    if is_only and first >= SYN_TIMER and 4 * measured < first:
        answerer.answer_time = 0


@rare_kernel
def note_long_answer(answerer: Any, measured: int) -> None:
    """Begin with a time to answer that a sender measures, though the way takes less; the least stays unknown."""
    _begin(answerer, _counted(measured))


@rare_kernel
def note_least_answer(answerer: Any, measured: int) -> None:
    """Take in that a time from the sensor to a side and back was not longer than ``measured`` nanoseconds."""
    microseconds = max(measured // _MICROSECOND, 1)
    if microseconds < answerer.answer_least:
        answerer.answer_least = microseconds


@rare_kernel
def least_answer(side: Any) -> int:
    """Return the least time from the sensor to a side and back, nanoseconds; 0 unknown."""
    return _MICROSECOND * signed(side.answer_least)


@rare_kernel
def longest_answer(side: Any) -> int:
    """Return the time from the sensor to a side and back at most, smoothed and four variations, nanoseconds."""
    return _MICROSECOND * ((signed(side.answer_time) >> 3) + signed(side.answer_variation))


@rare_kernel
def round_trip(sender: Any, receiver: Any) -> int:
    """Return the sender's smoothed round trip, 0 if the receiver's half is unknown."""
    if not receiver.answer_time:
        return 0
    return _MICROSECOND * (signed(receiver.answer_time) >> 3) + least_answer(sender)


@rare_kernel
def least_round_trip(sender: Any, receiver: Any) -> int:
    """Return the least round trip, as far as its halves are known; 0 if none is."""
    return least_answer(receiver) + least_answer(sender)


@rare_kernel
def timeout(sender: Any, receiver: Any, least: int) -> int:
    """Return the sender's retransmission timeout without backoff (RFC 6298 section 2).

    ``least``: nanoseconds that it is above the smoothed round trip at least.
    """
    smoothed = round_trip(sender, receiver)
    if not smoothed:
        return INITIAL_TIMEOUT
    return smoothed + max(_MICROSECOND * signed(receiver.answer_variation), least)


@rare_kernel
def clock(sender: Any, receiver: Any) -> int:
    """Return the silence from which on a repeat was not an acknowledgment's doing but a timer's.

    Half a round trip leaves room for delays that vary, and is less than any timer but RACK's. Where one measure was far
    too long, as its variation shows, half of the least timeout counts, or the least round trip, or what was steady.
    """
    smoothed = round_trip(sender, receiver)
    if not smoothed:
        return UNKNOWN_CLOCK
    steady = smoothed - _MICROSECOND * signed(receiver.answer_variation)
    longest = max(LEAST_VARIATION >> 1, least_round_trip(sender, receiver), steady >> 1)
    return max(min(smoothed >> 1, longest), LEAST_CLOCK)
