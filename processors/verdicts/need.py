"""Whether a repeat was needed, where its original was lost, and how long delivery waited for it."""

from typing import Any, Final

from processors.flow_table.state import NOTHING
from processors.serial import not_after, signed
from processors.verdicts import confidence, scoreboard
from processors.verdicts.going_back import goes_back
from processors.verdicts.options import both_acknowledge_selectively
from processors.verdicts.phases import undo
from processors.verdicts.rows import call_spurious
from processors.verdicts.state import HAS_TIMESTAMP, LOSS, State
from processors.verdicts.troubles import latest_with
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Cause, Completeness, Needed, Place, Proof

_NEEDED = int(Needed.NEEDED)
_BEFORE_SENSOR = int(Place.BEFORE_SENSOR)
_AFTER_SENSOR = int(Place.AFTER_SENSOR)
_HOLE_SEEN = int(Proof.HOLE_SEEN)
_ACKED_BEFORE = int(Proof.ACKED_BEFORE)
_LOSS_REPORTED = int(Proof.LOSS_REPORTED)
_FAST_RETRANSMIT = int(Cause.FAST_RETRANSMIT)
_TAIL_LOSS_PROBE = int(Cause.TAIL_LOSS_PROBE)
_RECOVERY = int(Cause.RECOVERY)
_SYN_RETRY = int(Cause.SYN_RETRY)
_RTO = int(Cause.RTO)
_RST = int(Completeness.RST)
LONGEST_STALL: Final = 86_400_000_000_000
"""Nanoseconds that delivery stands still at most, a day: no sender repeats for as long (RFC 9293 section 3.8.3: 5
minutes; Linux: some 15), so the clock was set meanwhile, or the capture is one of several."""


@rare_kernel
def note_stall(trouble: Any, verdict: Any, since: int, now: int) -> None:
    """Count the time that delivery stood still, from ``since`` on, less what was counted before."""
    begun = max(since, signed(trouble.stalled_until))
    if begun < now <= begun + LONGEST_STALL:
        verdict.stalled = now - begun
        trouble.stalled_until = now


@rare_kernel
def was_reset(packet: Any) -> bool:
    """Whether a reset of its conversation passed before a segment: nothing waits for it then."""
    return bool(packet.completeness & _RST)


@rare_kernel
def _follows_first(state: State, trouble: Any, sender: Any) -> bool:
    """Whether nothing has been acknowledged since a fast retransmit began the episode."""
    head = latest_with(state, trouble, signed(sender.una))
    return head != NOTHING and bool(state.rows[head].cause == _FAST_RETRANSMIT)


@rare_kernel
def _is_guessed(state: State, trouble: Any, sender: Any, receiver: Any, note: Any, verdict: Any) -> bool:
    """Whether the sender cannot have known that it was lost: it went back, and sends all behind a loss again.

    What passed less than a round trip ago was not acknowledged yet, nor was anything behind it. Without selective
    acknowledgments a sender knows of the first loss alone. With them, it knows of losses behind it by what is reported
    behind them, or after it has heard that the first repeat arrived.
    """
    if verdict.cause != _RECOVERY or note.is_head or verdict.sacked_above:
        return False
    if not both_acknowledge_selectively(sender, receiver) or _follows_first(state, trouble, sender):
        return True
    return bool(note.waited < verdict.round_trip or (trouble.phase == LOSS and goes_back(trouble)))


@rare_kernel
def _can_be_told(state: State, trouble: Any, sender: Any, receiver: Any, note: Any, verdict: Any) -> bool:
    """Whether the receiver would say that it had the original: by selective acknowledgments, or by timestamps.

    Without both, only a loss that duplicate ACKs reported, or one before the sensor, tells that it had not.
    """
    if _is_guessed(state, trouble, sender, receiver, note, verdict):
        return False
    if note.marks & HAS_TIMESTAMP or both_acknowledge_selectively(sender, receiver):
        return True
    return bool(verdict.cause == _FAST_RETRANSMIT and verdict.proof & _LOSS_REPORTED)


@rare_kernel
def judge_need(
    state: State, trouble: Any, sender: Any, receiver: Any, note: Any, verdict: Any, since: int, passed: bool
) -> float:
    """Write what is known just after a repeat passed; return how sure it is.

    ``since``: when its original passed, or what came behind it. ``passed``: a copy passed the sensor before: it was
    lost after the sensor, if it was lost at all. If none did, it was lost before. What the receiver had acknowledged
    was not lost.
    """
    start = signed(note.start)
    end = signed(note.end)
    if sender.last_heard and (not_after(end, signed(sender.una)) or scoreboard.holds(trouble, start, end)):
        verdict.proof |= _ACKED_BEFORE
        call_spurious(verdict)
        note.acked = 1
        trouble.open_notes -= 1
        if note.marks & HAS_TIMESTAMP and verdict.cause in (_RTO, _FAST_RETRANSMIT):
            # The acknowledgment on its way echoes the original. Without selective ones nothing is repeated before.
            if both_acknowledge_selectively(sender, receiver):
                undo(trouble, signed(note.time), signed(sender.heard_tsval))
            else:
                undo(trouble, signed(note.time), signed(note.tsecr) + 1)
                trouble.high_seq = start  # all that goes beyond it ends the phase
        return confidence.PROVED
    if not sender.last_heard and passed:
        return confidence.NO_ANSWERS
    if passed and not _can_be_told(state, trouble, sender, receiver, note, verdict):
        note_stall(trouble, verdict, since, signed(note.time))
        return confidence.CONSISTENT
    verdict.needed = _NEEDED
    if passed:
        verdict.place = _AFTER_SENSOR
    elif verdict.proof & _HOLE_SEEN or verdict.cause == _SYN_RETRY:
        verdict.place = _BEFORE_SENSOR
    note_stall(trouble, verdict, since, signed(note.time))
    return confidence.LIKELY if verdict.cause in (_TAIL_LOSS_PROBE, _RTO) else confidence.CONSISTENT
