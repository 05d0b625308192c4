"""Repeats that the receiver had, by its answers: without selective acknowledgments it reports no copy.

It answers each one with the acknowledgment that it gave before (RFC 9293 section 3.10.7.4). A sender that goes back
sends all behind a loss again: the acknowledgment that fills the gap jumps over what had arrived behind it, and further
repeats of that are answered by more of the same. These come in the order of the repeats, each for one of them or, where
an interface puts segments together, for several: so as many as come, as many of the last ones had been there before.

And a repeat that fills a gap makes it jump over what had passed behind the gap, if that arrived: if it goes on there at
the next one, it was none of the repeat.
"""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.rules.packet import FIN, SYN
from processors.serial import MODULUS_MASK, after, signed
from processors.verdicts import confidence, sent
from processors.verdicts.capture_loss import write_omitted
from processors.verdicts.identifications import MOST_MISSING, missing_answers
from processors.verdicts.large_sends import packets_of
from processors.verdicts.options import both_acknowledge_selectively
from processors.verdicts.order import id_step
from processors.verdicts.round_trips import HOST_DELAY, least_answer, least_round_trip
from processors.verdicts.rows import amend, call_spurious
from processors.verdicts.state import State
from processors.verdicts.troubles import latest_with, overlaps
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Cause, Label, Needed, Proof

_SPURIOUS = int(Needed.SPURIOUS)
_CAPTURE_DUPLICATE = int(Cause.CAPTURE_DUPLICATE)
_ID_MASK = 0xFFFF
_ANSWERED_AGAIN = int(Proof.ANSWERED_AGAIN)
_WINDOW_UPDATE = int(Label.WINDOW_UPDATE)
_MOST = 0xFF

BY_COUNT = 1
"""Answers beyond those that what was sent beyond may get."""
BY_NEXT = 2
"""The same, or those that come before that of what follows, which was sent, too."""
BY_GOING_ON = 3
"""What follows had passed before: the next answer says whether it had arrived."""


@rare_kernel
def _filler(state: State, trouble: Any, una: int) -> int:
    """Return the newest repeat that has the first unacknowledged byte, or ``NOTHING``."""
    found = NOTHING
    place = signed(trouble.first_note)
    while place != NOTHING:
        note = state.notes[place]
        if note.is_repeat and overlaps(note, una, (una + 1) & MODULUS_MASK):
            found = place
        place = signed(note.next)
    return found


@rare_kernel
def _missing_before(note: Any, last_id: int) -> int:
    """Return how many packets are missing before a repeat by its identification; ``last_id``: before it, 0 none."""
    missing = id_step(signed(note.ip_id), last_id) - 1 if last_id else 0
    return missing if 0 < missing <= MOST_MISSING else 0


@rare_kernel
def _look_at_repeats(state: State, trouble: Any, sender: Any, ack: int, filled_by: int) -> int:
    """Mark the repeats that may be answered again, and return when the first of them passed, 0 if there is none.

    They begin behind the first unacknowledged byte, end at ``ack`` or before, and passed after what filled the gap
    (the note ``filled_by``). What was sent beyond ``ack`` is counted, and what else is answered: copies, repeats of
    what had been acknowledged, and what is missing between repeats by their identifications.
    """
    first = 0
    beyond = 0
    others = 0
    last_id = 0
    has_begun = filled_by == NOTHING
    place = signed(trouble.first_note)
    while place != NOTHING:
        note = state.notes[place]
        note.doubted = 0
        counts = filled_by != NOTHING or first > 0
        if has_begun and not note.is_repeat:
            others += packets_of(note) if counts and state.rows[place].cause != _CAPTURE_DUPLICATE else 0
        elif has_begun:
            others += _missing_before(note, last_id) if counts else 0
            if after(signed(note.end), ack):
                beyond += packets_of(note)
                trouble.told = BY_NEXT if counts and signed(note.start) == ack else trouble.told
            elif not (note.acked or note.repeated) and after(signed(note.start), signed(sender.una)):
                note.doubted = 1
                first = first or signed(note.time)
            else:
                others += packets_of(note) if counts else 0
        has_begun = has_begun or place == filled_by
        if has_begun and note.is_repeat:
            last_id = (signed(note.ip_id) + packets_of(note) - 1) & _ID_MASK if note.ip_id else 0
        place = signed(note.next)
    trouble.beyond = min(beyond, _MOST)
    trouble.others = min(others, _MOST)
    return first


@rare_kernel
def _look_at_new(state: State, trouble: Any, sender: Any, ack: int, since: int) -> None:
    """Count what was sent for the first time beyond ``ack`` from ``since`` on, too."""
    beyond = signed(trouble.beyond)
    index = signed(sender.count) - 1
    while index >= 0 and beyond < _MOST:
        piece = state.pieces[sent.place_of(sender, index)]
        if piece.time < since or not after(signed(piece.end), ack):
            break
        beyond += packets_of(piece)
        if signed(piece.start) == ack:
            trouble.told = BY_NEXT
        index -= 1
    trouble.beyond = min(beyond, _MOST)


@rare_kernel
def _doubt_filler(state: State, trouble: Any, sender: Any, receiver: Any, filled_by: int, ack: int) -> None:
    """Doubt the repeat that an acknowledgment seems due to, if it ends where that does, and what follows had passed.

    That was half a round trip ago, so nothing overtook it, and nothing else was sent again since.
    """
    if filled_by != trouble.last_note or latest_with(state, trouble, ack) != NOTHING:
        return
    note = state.notes[filled_by]
    index = sent.find(state, sender, ack)
    if note.start != sender.una or signed(note.end) != ack or index < 0:
        return
    behind = state.pieces[sent.place_of(sender, index)]
    if signed(behind.start) == ack and 2 * (note.time - behind.time) >= least_round_trip(sender, receiver) > 0:
        note.doubted = 1
        trouble.told = BY_GOING_ON


@rare_kernel
def doubt_repeats(state: State, trouble: Any, packet: Any, sender: Any, receiver: Any) -> None:
    """Begin to count answers to the repeats that an acknowledgment of more covers: to be asked before it is taken.

    What passes from now on is answered about as late as what filled the gap was: for three quarters of that, answers
    are of what had passed. Where it did not pass, the first of the repeats takes its place.
    """
    trouble.told = 0
    if both_acknowledge_selectively(sender, receiver) or not trouble.open_notes:
        return
    filled_by = _filler(state, trouble, signed(sender.una))
    trouble.told = BY_COUNT
    first = _look_at_repeats(state, trouble, sender, packet.ack, filled_by)
    since = signed(state.notes[filled_by].time) if filled_by != NOTHING else first
    trouble.answers = 0
    answer = min(packet.now - since, least_answer(receiver) + HOST_DELAY)
    trouble.doubted_until = packet.now + (3 * answer >> 2)
    if first:
        _look_at_new(state, trouble, sender, packet.ack, since)
        return
    trouble.told = 0
    if filled_by != NOTHING:
        trouble.doubted_until = packet.now + (answer >> 1)
        _doubt_filler(state, trouble, sender, receiver, filled_by, packet.ack)


@rare_kernel
def _call_answered(state: State, place: int, packet: Any, sender: Any, receiver: Any, out: Any) -> None:
    """Amend the verdict on a repeat that was answered again, and find what the capture lacks of its original."""
    verdict = state.rows[place]
    if verdict.needed == _SPURIOUS:
        return
    verdict.proof |= _ANSWERED_AGAIN
    call_spurious(verdict)
    amend(state, place, packet.frame, confidence.CONSISTENT, out)
    write_omitted(state, packet, place, sender, receiver, out)


@rare_kernel
def _tell(state: State, trouble: Any, packet: Any, sender: Any, receiver: Any, answers: int, out: Any) -> None:
    """Amend the verdicts on the last of the doubted repeats, as many as there are ``answers``."""
    open_packets = 0
    place = signed(trouble.first_note)
    while place != NOTHING:
        if state.notes[place].doubted:
            open_packets += packets_of(state.notes[place])
        place = signed(state.notes[place].next)
    place = signed(trouble.first_note)
    while place != NOTHING:
        if state.notes[place].doubted:
            if open_packets <= answers:
                _call_answered(state, place, packet, sender, receiver, out)
            open_packets -= packets_of(state.notes[place])
        place = signed(state.notes[place].next)


@rare_kernel
def _answers(state: State, packet: Any, sender: Any, receiver: Any) -> int:
    """Return how many answers an acknowledgment of what had been acknowledged is, with those that are missing before.

    A new window is none, and what is missing may have been data of the receiver, if that lacks some.
    """
    if packet.length or packet.flag_bits & (SYN | FIN) or packet.labels & _WINDOW_UPDATE:
        return 0
    if packet.seq != signed(receiver.snd_max):
        return 1
    return 1 + max(missing_answers(state, packet, sender, receiver), 0)


@rare_kernel
def hear_answer(state: State, trouble: Any, packet: Any, sender: Any, receiver: Any, out: Any) -> None:
    """Count an acknowledgment of what had been acknowledged, or find at one of more what those before it tell.

    To be asked before it is taken.
    """
    una = signed(sender.una)
    if packet.now > signed(trouble.doubted_until):
        trouble.told = 0
    elif trouble.told == BY_GOING_ON:
        trouble.told = 0
        if after(packet.ack, una) and latest_with(state, trouble, una) == NOTHING:
            _tell(state, trouble, packet, sender, receiver, _MOST, out)
    elif packet.ack == una:
        trouble.answers = min(signed(trouble.answers) + _answers(state, packet, sender, receiver), _MOST)
        answers = signed(trouble.answers) - signed(trouble.others) - signed(trouble.beyond)
        if answers > 0:
            _tell(state, trouble, packet, sender, receiver, answers, out)
    elif after(packet.ack, una) and trouble.told == BY_NEXT and trouble.answers > trouble.others:
        _tell(state, trouble, packet, sender, receiver, signed(trouble.answers) - signed(trouble.others), out)
