"""Segments that come late: the network passed others by them."""

from typing import Any

from processors.serial import signed
from processors.verdicts import confidence, order
from processors.verdicts.headers import header_of
from processors.verdicts.need import note_stall
from processors.verdicts.round_trips import least_round_trip
from processors.verdicts.rows import amend, call_spurious
from processors.verdicts.state import LOSS, RECOVERY, State
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Cause, Needed, Proof

_UNKNOWN_LIMIT = 3_000_000
"""Nanoseconds after what came behind it, where no round trip is known (as in Wireshark)."""
_REORDERING = int(Cause.REORDERING)
_SPURIOUS = int(Needed.SPURIOUS)
_SENT_EARLIER = int(Proof.SENT_EARLIER)
_SENT_LATER = int(Proof.SENT_LATER)
_LATE_ORIGINAL = int(Proof.LATE_ORIGINAL)


@rare_kernel
def _goes_on(trouble: Any, sender: Any, note: Any) -> bool:
    """Whether a segment begins where a repeat has ended that its sender sent last, in a loss episode."""
    recovers = trouble.phase in (RECOVERY, LOSS) and sender.last_sent == trouble.repeated_at
    return bool(recovers and note.start == trouble.repeated_to)


@rare_kernel
def late_confidence(
    trouble: Any, sender: Any, receiver: Any, note: Any, verdict: Any, behind: Any, ascending: bool
) -> float:
    """Return how sure it is that a segment that fills a hole was overtaken; 0: it was sent again.

    ``behind``: the piece that came first, though it carries what follows. A repeat can come a round trip after it at
    the earliest: its acknowledgment has to reach the sender. But one that goes back sends all again in a row.
    """
    told = order.sent_after(header_of(note), header_of(behind), ascending)
    if told == order.EARLIER:
        verdict.proof |= _SENT_EARLIER
        return confidence.ORDER_TOLD
    if told == order.LATER:
        verdict.proof |= _SENT_LATER
        return 0.0
    least = least_round_trip(sender, receiver)
    limit = least * 4 // 5 if least else _UNKNOWN_LIMIT
    if _goes_on(trouble, sender, note):
        return 0.0
    return confidence.ORDER_BY_TIME if signed(note.time) - signed(behind.time) < limit else 0.0


@rare_kernel
def call_late(trouble: Any, note: Any, verdict: Any, since: int) -> None:
    """Say that a segment came late; delivery waited for it since what came behind it."""
    verdict.cause = _REORDERING
    verdict.bytes_again = 0
    note_stall(trouble, verdict, since, signed(note.time))


@rare_kernel
def take_back(state: State, place: int, frame: int, out: Any) -> None:
    """The original came after its repeat: nothing was lost."""
    verdict = state.rows[place]
    if verdict.needed == _SPURIOUS:
        return
    verdict.proof |= _LATE_ORIGINAL
    call_spurious(verdict)
    amend(state, place, frame, confidence.PROVED, out)
