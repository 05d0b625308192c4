"""Repeats that the receiver had, by its answers: without selective acknowledgments it reports no copy.

It answers each one with the acknowledgment that it gave before (RFC 9293 section 3.10.7.4). A sender that goes back
sends all behind a loss again: the acknowledgment that fills the gap jumps over what had arrived behind it, and each
repeat of that is answered by one more of the same. And a repeat that fills a gap makes it jump over what had passed
behind the gap, if that arrived: if it goes on there at the next one, it was none of the repeat.
"""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.rules.packet import FIN, SYN
from processors.serial import MODULUS_MASK, after, not_after, signed
from processors.verdicts import confidence, sent
from processors.verdicts.capture_loss import write_omitted
from processors.verdicts.identifications import missing_answers
from processors.verdicts.options import both_acknowledge_selectively
from processors.verdicts.round_trips import least_answer, least_round_trip
from processors.verdicts.rows import amend, call_spurious
from processors.verdicts.state import State
from processors.verdicts.troubles import latest_copy
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Needed, Proof

_SPURIOUS = int(Needed.SPURIOUS)
_ANSWERED_AGAIN = int(Proof.ANSWERED_AGAIN)
_MOST = 0xFF

BY_COUNT = 1
"""So many answers are enough."""
BY_NEXT = 2
"""The same, or so many as come before that of what follows, which was sent, too."""
BY_GOING_ON = 3
"""What follows had passed before: the next answer says whether it had arrived."""


@rare_kernel
def _last_copy(state: State, trouble: Any, seq: int) -> int:
    """Return the newest note that has the byte ``seq``, or ``NOTHING``."""
    return latest_copy(state, trouble, seq, (seq + 1) & MODULUS_MASK)


@rare_kernel
def _since(state: State, trouble: Any, sender: Any) -> int:
    """Return when the segment passed that an acknowledgment of more is due to, nanoseconds; 0 if it did not."""
    filled_by = _last_copy(state, trouble, signed(sender.una))
    if filled_by == NOTHING or not state.notes[filled_by].is_repeat:
        return 0
    return signed(state.notes[filled_by].time)


@rare_kernel
def _count_doubted(state: State, trouble: Any, sender: Any, ack: int, since: int) -> int:
    """Mark the repeats that may have been answered, and return when the first of them passed, 0 if there is none.

    They begin behind the first unacknowledged byte, and passed after what filled the gap, at ``since``.
    """
    first = 0
    trouble.doubted = 0
    place = signed(trouble.first_note)
    while place != NOTHING:
        note = state.notes[place]
        open_repeat = note.is_repeat and not note.acked and not note.repeated and note.time >= since
        within = after(signed(note.start), signed(sender.una)) and not_after(signed(note.end), ack)
        note.doubted = 1 if open_repeat and within else 0
        if note.doubted:
            trouble.doubted = min(signed(trouble.doubted) + 1, _MOST)
            first = first or signed(note.time)
        place = signed(note.next)
    return first


@rare_kernel
def _note_beyond(state: State, trouble: Any, sender: Any, ack: int, since: int) -> None:
    """Count what was sent beyond ``ack`` from ``since`` on, and say whether what follows is among it."""
    beyond = 0
    trouble.told = BY_COUNT
    place = signed(trouble.first_note)
    while place != NOTHING:
        note = state.notes[place]
        if note.is_repeat and note.time >= since and after(signed(note.end), ack):
            beyond += 1
            if signed(note.start) == ack:
                trouble.told = BY_NEXT
        place = signed(note.next)
    index = signed(sender.count) - 1
    while index >= 0:
        piece = state.pieces[sent.place_of(sender, index)]
        if piece.time < since or not after(signed(piece.end), ack):
            break
        beyond += 1
        if signed(piece.start) == ack:
            trouble.told = BY_NEXT
        index -= 1
    trouble.beyond = min(beyond, _MOST)


@rare_kernel
def _doubt_filler(state: State, trouble: Any, sender: Any, receiver: Any, ack: int) -> None:
    """Doubt the repeat that an acknowledgment seems due to, if it ends where that does, and what follows had passed.

    That was half a round trip ago, so nothing overtook it, and nothing else was sent again since.
    """
    filled_by = _last_copy(state, trouble, signed(sender.una))
    if filled_by == NOTHING or filled_by != trouble.last_note or _last_copy(state, trouble, ack) != NOTHING:
        return
    note = state.notes[filled_by]
    index = sent.find(state, sender, ack)
    if not note.is_repeat or note.start != sender.una or signed(note.end) != ack or index < 0:
        return
    behind = state.pieces[sent.place_of(sender, index)]
    if signed(behind.start) == ack and 2 * (note.time - behind.time) >= least_round_trip(sender, receiver) > 0:
        note.doubted = 1
        trouble.told = BY_GOING_ON


@rare_kernel
def _answers_until(packet: Any, sender: Any, receiver: Any, since: int) -> int:
    """Return until when answers are those to what had passed before an acknowledgment, from ``since`` on.

    What that released is answered a round trip later; three quarters of it leave room for delays that vary. No round
    trip may have been as short yet as the answer that came now.
    """
    answer = min(least_answer(receiver), int(packet.now) - since)
    return int(packet.now) + (3 * (answer + least_answer(sender)) >> 2)


@rare_kernel
def doubt_repeats(state: State, trouble: Any, packet: Any, sender: Any, receiver: Any) -> None:
    """Begin to count answers to the repeats that an acknowledgment of more covers: to be asked before it is taken.

    If none is missing before it, it is that of what filled the gap, and one more is enough: an interface that puts
    segments together would have made one of all.
    """
    trouble.told = 0
    if both_acknowledge_selectively(sender, receiver) or not trouble.open_notes:
        return
    since = _since(state, trouble, sender)
    first = _count_doubted(state, trouble, sender, packet.ack, since)
    trouble.doubted_until = _answers_until(packet, sender, receiver, since or first)
    trouble.answers = 0
    if trouble.doubted:
        _note_beyond(state, trouble, sender, packet.ack, since or first)
        if since and missing_answers(state, packet, sender, receiver) == 0:
            trouble.doubted = 1
    elif since:
        _doubt_filler(state, trouble, sender, receiver, packet.ack)


@rare_kernel
def _tell(state: State, trouble: Any, packet: Any, sender: Any, receiver: Any, out: Any) -> None:
    """Amend the verdicts on the repeats that were answered, and find what the capture lacks of their originals."""
    trouble.told = 0
    place = signed(trouble.first_note)
    while place != NOTHING:
        note = state.notes[place]
        if note.doubted and state.rows[place].needed != _SPURIOUS:
            verdict = state.rows[place]
            verdict.proof |= _ANSWERED_AGAIN
            call_spurious(verdict)
            amend(state, place, packet.frame, confidence.CONSISTENT, out)
            write_omitted(state, packet, trouble, place, sender, receiver, out)
        place = signed(note.next)


@rare_kernel
def hear_answer(state: State, trouble: Any, packet: Any, sender: Any, receiver: Any, out: Any) -> None:
    """Count an acknowledgment of what had been acknowledged, or find at one of more that there were enough.

    To be asked before it is taken.
    """
    if packet.now > signed(trouble.doubted_until):
        trouble.told = 0
        return
    advances = after(packet.ack, signed(sender.una))
    if packet.ack == signed(sender.una):
        is_answer = not packet.length and not packet.flag_bits & (SYN | FIN)
        missing = max(missing_answers(state, packet, sender, receiver), 0)
        trouble.answers = min(signed(trouble.answers) + missing + (1 if is_answer else 0), _MOST)
    if trouble.told == BY_GOING_ON:
        is_told = advances and _last_copy(state, trouble, signed(sender.una)) == NOTHING
    elif advances:
        is_told = trouble.told == BY_NEXT and trouble.answers >= trouble.doubted
    else:
        is_told = signed(trouble.answers) >= signed(trouble.doubted) + signed(trouble.beyond)
    if is_told:
        _tell(state, trouble, packet, sender, receiver, out)
    elif trouble.told == BY_GOING_ON:
        trouble.told = 0
