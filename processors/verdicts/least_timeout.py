"""How short a sender's timeout may be: Linux's 200 ms above the round trip, or less, where its timers have shown so.

Routes and hosts may be set to less (Linux: ``rto_min``, ``tcp_rto_min_us``), and other systems have less.
"""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.serial import signed
from processors.verdicts.clocks import MILLISECOND, waited
from processors.verdicts.headers import header_of
from processors.verdicts.options import both_acknowledge_selectively
from processors.verdicts.order import id_step
from processors.verdicts.round_trips import LEAST_VARIATION, least_round_trip
from processors.verdicts.sent import place_of
from processors.verdicts.state import HAS_IP_ID, HAS_TIMESTAMP, NUMBERS_MOVE, OPEN, PROBED, TICKS_KNOWN, State
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Cause, Proof

_TAIL_LOSS_PROBE = int(Cause.TAIL_LOSS_PROBE)
_ORIGINAL_SEEN = int(Proof.ORIGINAL_SEEN)
_ID_MISSING = int(Proof.ID_MISSING)
_SILENCE = int(Proof.SILENCE)


@rare_kernel
def least_variation(trouble: Any) -> int:
    """Return the nanoseconds that a timeout is above the smoothed round trip at least, as far as the sender shows."""
    return MILLISECOND * signed(trouble.rto_min) if trouble.rto_min > 0 else LEAST_VARIATION


@rare_kernel
def least_variation_of(state: State, sender: Any) -> int:
    """Return the same of a sender that may never have had trouble."""
    return least_variation(state.troubles[sender.trouble - 1]) if sender.trouble else LEAST_VARIATION


@rare_kernel
def shortest_timeout(trouble: Any) -> int:
    """Return the nanoseconds of silence below which no timeout of the sender comes, a tenth less than its least."""
    return least_variation(trouble) * 9 // 10


@rare_kernel
def probed_before(state: State, trouble: Any, copy: int) -> bool:
    """Whether an earlier copy (``copy``: its note) was this episode's probe: the next repeat of it is a timeout.

    A sender has one probe in flight at most (RFC 8985 section 7.3).
    """
    if copy == NOTHING:
        return False
    verdict = state.rows[copy]
    return bool(verdict.cause == _TAIL_LOSS_PROBE and verdict.episode == trouble.episode)


@rare_kernel
def was_sent_last(state: State, sender: Any, receiver: Any, note: Any, copy: int) -> bool:
    """Whether the sender sent nothing between an earlier repeat (``copy``: its note) and this one of the same segment.

    Then nothing can have told it that the earlier one was lost, as what is sent later does (RFC 8985 section 6.2): its
    timeout sent this one, whatever was reported in the meantime. Identifications tell what did not pass; where
    there are none, nothing is told. Without selective acknowledgments senders repeat after each third duplicate ACK,
    and some go back.
    """
    if copy == NOTHING or not both_acknowledge_selectively(sender, receiver):
        return False
    if not state.notes[copy].is_repeat or state.notes[copy].start != note.start:
        return False
    numbered = sender.marks & NUMBERS_MOVE and note.marks & HAS_IP_ID
    return bool(numbered) and id_step(signed(note.ip_id), signed(state.notes[copy].ip_id)) == 1


@rare_kernel
def _ran_at_most(
    state: State, trouble: Any, sender: Any, receiver: Any, note: Any, verdict: Any, phase: int, copy: int
) -> int:
    """Return the nanoseconds that the timer which sent a repeat ran at most, -1 unknown.

    An original that did not pass, but by its missing identification, was sent after what passed last.
    """
    if was_sent_last(state, sender, receiver, note, copy) or (phase == PROBED and probed_before(state, trouble, copy)):
        return waited(state, sender, header_of(note), header_of(state.notes[copy]))
    if phase != OPEN or not note.tsecr or note.tsecr != sender.heard_tsval:
        return -1
    if verdict.proof & _ORIGINAL_SEEN:
        return signed(note.waited)
    if verdict.proof & _ID_MISSING and sender.count:
        last = state.pieces[place_of(sender, signed(sender.count) - 1)]
        if last.end == note.start:
            return waited(state, sender, header_of(note), header_of(last))
    return -1


@rare_kernel
def learn_least_timeout(
    state: State,
    trouble: Any,
    sender: Any,
    receiver: Any,
    note: Any,
    verdict: Any,
    phase: int,
    reported: bool,
    copy: int,
) -> None:
    """Learn from a repeat of the first unacknowledged segment how short a timeout of its sender may be.

    Where no loss is reported, and the sender has heard all that passed the sensor, by its echo, it was a timeout; or,
    of the only segment in flight, a probe, which waits as long for a delayed acknowledgment (Linux). Either ran since
    that was sent, or later; after an earlier repeat, a timeout ran since that. What comes within two round trips an
    ICMP message may have released, so that has to come twice.
    """
    if not (sender.marks & TICKS_KNOWN and note.marks & HAS_TIMESTAMP and verdict.proof & _SILENCE):
        return
    ran = _ran_at_most(state, trouble, sender, receiver, note, verdict, phase, copy)
    if not 0 < ran < shortest_timeout(trouble) or (phase == OPEN and reported):
        return
    learnt = max((ran - least_round_trip(sender, receiver)) // MILLISECOND, 1)
    is_doubtful = phase == OPEN and 2 * ran < least_variation(trouble) and ran <= 2 * verdict.round_trip
    trouble.rto_min = -learnt if is_doubtful and not trouble.rto_min else max(learnt, -signed(trouble.rto_min))
