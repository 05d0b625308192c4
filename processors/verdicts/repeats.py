"""What a sender sent again: which of its mechanisms did it."""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.serial import not_after, signed
from processors.verdicts import confidence
from processors.verdicts.claims import REPEATED
from processors.verdicts.going_back import goes_back_again
from processors.verdicts.least_timeout import was_sent_last
from processors.verdicts.options import both_acknowledge_selectively
from processors.verdicts.phases import enter, phase_at_sender
from processors.verdicts.reports import were_heard
from processors.verdicts.round_trips import clock, least_round_trip
from processors.verdicts.state import LOSS, OPEN, PROBED, RECOVERY, State
from processors.verdicts.timers import is_forgotten, numbers_since, timer_cause
from processors.verdicts.troubles import repeat_passed
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Cause, Proof

_RTO = int(Cause.RTO)
_FAST_RETRANSMIT = int(Cause.FAST_RETRANSMIT)
_RECOVERY = int(Cause.RECOVERY)
_SYN_RETRY = int(Cause.SYN_RETRY)
_SILENCE = int(Proof.SILENCE)
_ACK_CLOCKED = int(Proof.ACK_CLOCKED)
_LOSS_REPORTED = int(Proof.LOSS_REPORTED)


@rare_kernel
def _clocked_cause(
    state: State, trouble: Any, sender: Any, note: Any, verdict: Any, phase: int, reported: bool
) -> tuple[int, float]:
    """Return the cause of a repeat that an acknowledgment released, and how sure it is.

    What was lost first is repeated first (RFC 6675 section 5): if that did not pass, it was lost before the sensor, and
    its IP identification is missing.
    """
    if phase in (RECOVERY, LOSS):
        return _RECOVERY, confidence.IN_EPISODE
    is_head = not sender.last_heard or not_after(signed(note.start), signed(sender.una))
    if not reported and is_head and note.waited >= verdict.timeout:
        enter(trouble, LOSS, signed(sender.snd_max))
        return _RTO, confidence.CLOCKED_ONLY
    enter(trouble, RECOVERY, signed(sender.snd_max))
    if (
        reported
        and not is_head
        and numbers_since(sender, note) > 1
        and not repeat_passed(state, trouble, signed(sender.una))
    ):
        return _RECOVERY, confidence.IN_EPISODE
    return _FAST_RETRANSMIT, confidence.REPORTED_LOSS if reported else confidence.CLOCKED_ONLY


@rare_kernel
def _timer_ran_out(
    state: State,
    trouble: Any,
    sender: Any,
    receiver: Any,
    note: Any,
    verdict: Any,
    phase: int,
    reported: bool,
    copy: int,
) -> bool:
    """Whether a timer sent the repeat: after silence, or because no acknowledgment can have done it.

    What makes a sender send again has passed the sensor before; so if no loss was reported in time, its timer did it,
    and what it had sent before it was late itself. The repeat comes a round trip after its original at the earliest
    where an acknowledgment released it; where that lies longer back, acknowledgments may be missing in the capture,
    unless it is the last segment: nothing was sent after that which could report its loss. An original that is
    forgotten was acknowledged: its sender has not heard so. Without selective acknowledgments, duplicate ACKs that had
    been settled by then may still have released that.
    """
    if verdict.silence >= clock(sender, receiver):
        verdict.proof |= _SILENCE
        return True
    if was_sent_last(state, sender, receiver, note, copy):
        return True
    if phase not in (OPEN, PROBED) or reported or not sender.last_heard:
        return False
    if phase == OPEN and trouble.claimed == REPEATED:
        return True
    if phase == OPEN and is_forgotten(verdict):
        acknowledged = not_after(signed(note.end), signed(sender.una))
        return acknowledged and both_acknowledge_selectively(sender, receiver)
    if not verdict.original_frame:
        return False
    if 4 * note.waited < 3 * least_round_trip(sender, receiver):
        return True
    if phase != OPEN:
        return False
    if note.waited >= 2 * verdict.round_trip > 0:
        return True
    is_tail = not_after(signed(sender.snd_max), signed(note.end))
    return is_tail and both_acknowledge_selectively(sender, receiver)


@rare_kernel
def repeat_cause(
    state: State,
    trouble: Any,
    sender: Any,
    receiver: Any,
    note: Any,
    verdict: Any,
    copy: int,
    is_syn: bool,
    out: Any,
) -> float:
    """Write the cause of a repeat and its episode into ``verdict``; return how sure it is.

    ``copy``: the note of an earlier copy, or ``NOTHING``.
    """
    note.is_repeat = 1
    trouble.flight = 0
    if copy != NOTHING:
        state.notes[copy].repeated = 1
    if is_syn:
        trouble.repeated_at = note.time
        if not trouble.episode:
            trouble.episode = 1
        verdict.cause = _SYN_RETRY
        verdict.episode = trouble.episode
        return confidence.SYN_AGAIN
    phase = phase_at_sender(trouble, sender, receiver, note)
    reported = were_heard(trouble, sender, receiver, verdict, note)
    if reported:
        verdict.proof |= _LOSS_REPORTED
    anew = goes_back_again(trouble, sender, note, reported)
    if _timer_ran_out(state, trouble, sender, receiver, note, verdict, phase, reported or anew, copy):
        cause, sure = timer_cause(state, trouble, sender, receiver, note, verdict, phase, reported, copy, out)
        if not verdict.proof & _SILENCE:
            sure = min(sure, confidence.TIMER_INFERRED)
    else:
        verdict.proof |= _ACK_CLOCKED
        cause, sure = _clocked_cause(state, trouble, sender, note, verdict, OPEN if anew else phase, reported or anew)
    verdict.cause = cause
    verdict.episode = trouble.episode
    return sure
