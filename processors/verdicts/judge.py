"""The order of the questions about a segment that is not new data in its order."""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.rules.packet import SYN
from processors.serial import MODULUS_MASK, before, not_after, signed
from processors.verdicts import confidence, order, sent
from processors.verdicts.claims import CLAIMED, REPEATED
from processors.verdicts.clocks import silence, waited
from processors.verdicts.copies import copy_cause, copy_confidence
from processors.verdicts.headers import Header, header_of
from processors.verdicts.identifications import (
    MOST_MISSING,
    missing_packets,
    numbers_alone,
    numbers_one_by_one,
    packets_between,
    was_overtaken,
)
from processors.verdicts.least_timeout import least_variation
from processors.verdicts.need import judge_need, note_stall, was_reset
from processors.verdicts.phases import prolong
from processors.verdicts.reordering import call_late, late_confidence, take_back
from processors.verdicts.repeats import repeat_cause
from processors.verdicts.round_trips import round_trip, timeout
from processors.verdicts.rows import begin, fill_reports, write
from processors.verdicts.state import DUP_THRESH, MOST_NOTES, NUMBERS_MOVE, OPEN, State
from processors.verdicts.troubles import drop_first, latest_copy, new_note, trouble_of
from processors.verdicts.unseen import earlier_repeats, surely_new
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Cause, Proof

_CAPTURE_DUPLICATE = int(Cause.CAPTURE_DUPLICATE)
_NETWORK_DUPLICATE = int(Cause.NETWORK_DUPLICATE)
_FAST_RETRANSMIT = int(Cause.FAST_RETRANSMIT)
_RTO = int(Cause.RTO)
_TAIL_LOSS_PROBE = int(Cause.TAIL_LOSS_PROBE)
_REORDERING = int(Cause.REORDERING)
_ORIGINAL_SEEN = int(Proof.ORIGINAL_SEEN)
_HOLE_SEEN = int(Proof.HOLE_SEEN)
_ID_MISSING = int(Proof.ID_MISSING)
_SAME_PACKET = int(Proof.SAME_PACKET)
_SILENCE = int(Proof.SILENCE)
_SENT_LATER = int(Proof.SENT_LATER)
_SENT_EARLIER = int(Proof.SENT_EARLIER)


@rare_kernel
def _fill_note(note: Any, packet: Any, end: int) -> None:
    note.start = packet.seq
    note.end = end
    note.time = packet.now
    note.frame = packet.frame
    note.tsval = packet.tsval
    note.tsecr = packet.tsecr
    note.ip_id = packet.ip_id
    note.ttl = packet.ttl
    note.marks = sent.marks_of(packet.quality)
    note.is_repeat = 0
    note.dsacked = 0
    note.repeated = 0
    note.waited = 0


@rare_kernel
def _compare(state: State, sender: Any, verdict: Any, note: Any, other: Header) -> None:
    """Say how a segment differs from an earlier one."""
    header = header_of(note)
    verdict.since_original = header.time - other.time
    note.waited = waited(state, sender, header, other)
    verdict.ip_id_step = order.id_step(header.ip_id, other.ip_id)
    verdict.tsval_step = order.tsval_step(header, other)


@rare_kernel
def _call_copy(state: State, sender: Any, note: Any, verdict: Any, other: Header, quality: int) -> None:
    """Say that the segment is another copy of the packet ``other``."""
    _compare(state, sender, verdict, note, other)
    verdict.original_frame = sent.frame_of(other.frame, signed(note.frame))
    verdict.proof |= _SAME_PACKET
    verdict.cause = copy_cause(header_of(note), other, sender, quality)
    if verdict.cause == _CAPTURE_DUPLICATE:
        verdict.bytes_again = 0


@rare_kernel
def _copy_surely(
    state: State, trouble: Any, sender: Any, receiver: Any, note: Any, verdict: Any, copy: int, piece: int, quality: int
) -> float:
    """Say that the segment is a copy of a packet, if it is: return how sure that is, else 0."""
    sure = 0.0
    since = signed(note.time) - signed(trouble.repeated_at)
    asked = signed(sender.duplicate_acks) + signed(trouble.reports) >= DUP_THRESH
    repeated = copy != NOTHING and bool(state.notes[copy].is_repeat)
    quiet = trouble.phase == OPEN and not repeated and not asked and since >= round_trip(sender, receiver)
    if copy != NOTHING:
        other = header_of(state.notes[copy])
        sure = copy_confidence(header_of(note), other, sender, receiver, quiet)
        if sure > 0.0:
            state.notes[copy].repeated = 1
            _call_copy(state, sender, note, verdict, other, quality)
    if sure == 0.0 and piece != NOTHING:
        other = header_of(state.pieces[piece])
        sure = copy_confidence(header_of(note), other, sender, receiver, quiet)
        if sure > 0.0:
            _call_copy(state, sender, note, verdict, other, quality)
    if sure > 0.0 and verdict.cause == _CAPTURE_DUPLICATE:
        sure = confidence.CAPTURED_AT_ONCE
    return sure


@rare_kernel
def _was_sent_before(state: State, sender: Any, header: Header, ascending: bool) -> bool:
    """Whether a segment was sent before all that is remembered of its sender.

    If that is nothing, before its last packet, or as that: no two have the same identification.
    """
    if sender.count:
        oldest = header_of(state.pieces[sent.place_of(sender, 0)])
        return before(header.start, oldest.start) and order.sent_after(header, oldest, ascending) == order.EARLIER
    quiet = header.time - signed(sender.last_sent)
    step = order.id_step(header.ip_id, signed(sender.last_id)) if header.ip_id else 0
    if step == 0:
        return bool(header.ip_id and sender.marks & NUMBERS_MOVE)
    return step < 0 and numbers_one_by_one(sender, header.time, quiet)


@rare_kernel
def _forgotten_surely(state: State, sender: Any, note: Any, verdict: Any, ascending: bool) -> float:
    """Say that the segment is a copy of one that is no longer remembered; return how sure that is, else 0.

    It was acknowledged, and sent before the oldest that is remembered; or nothing is, and its identification comes
    before others that have passed.
    """
    if not sender.last_heard or not not_after(signed(note.end), signed(sender.una)):
        return 0.0
    if _was_sent_before(state, sender, header_of(note), ascending):
        verdict.proof |= _SENT_EARLIER
        verdict.cause = _NETWORK_DUPLICATE
        return confidence.ORDER_TOLD
    return 0.0


@rare_kernel
def _late_surely(
    state: State,
    trouble: Any,
    sender: Any,
    receiver: Any,
    note: Any,
    verdict: Any,
    copy: int,
    piece: int,
    behind: int,
    out: Any,
) -> float:
    """Say that the segment came late, if it did: after its repeat, or after what was sent later. Return how sure it is.

    ``piece``: what came first with the same bytes: it looked new, and may have been the repeat. ``behind``: the piece
    that came first, though it carries what follows. Either is ``NOTHING`` where there is none. The counter of a
    busy host goes round in a wait: so identifications tell only where few are missing between.
    """
    ascending = order.ids_ascend(state, sender) > 0
    if piece != NOTHING or copy != NOTHING:
        other = header_of(state.pieces[piece]) if piece != NOTHING else header_of(state.notes[copy])
        if piece != NOTHING:
            ascending = ascending and 0 < order.id_step(other.ip_id, signed(note.ip_id)) <= MOST_MISSING
        if order.sent_after(header_of(note), other, ascending) != order.EARLIER:
            return 0.0
        verdict.proof |= _SENT_EARLIER
        verdict.cause = _REORDERING
        verdict.bytes_again = 0
        if piece == NOTHING and state.notes[copy].is_repeat:
            take_back(state, copy, signed(note.frame), out)
        return confidence.ORDER_TOLD
    if behind == NOTHING:
        return _forgotten_surely(state, sender, note, verdict, ascending)
    sure = late_confidence(trouble, sender, receiver, note, verdict, state.pieces[behind], ascending)
    if sure > 0.0:
        call_late(trouble, note, verdict, signed(state.pieces[behind].time))
    return sure


@rare_kernel
def _held_up(original: Any, note: Any, verdict: Any) -> int:
    """Return how much earlier than it passed an original was sent at least, if only the times of passing are known.

    One that was overtaken was sent before what came behind it.
    """
    by_passing = note.waited == verdict.since_original
    overtaken = original.cause == _REORDERING and original.proof & _HOLE_SEEN
    return signed(original.since_original) if by_passing and overtaken else 0


@rare_kernel
def _look_back(state: State, sender: Any, note: Any, verdict: Any, copy: int) -> tuple[int, int, int]:
    """Find what was seen before: write it into ``verdict``; return the pieces of the original and of what came behind.

    Either is ``NOTHING`` where there is none. The third is the time that delivery waits from.
    """
    seq = signed(note.start)
    index = sent.find(state, sender, seq)
    if sent.covers(state, sender, index, seq):
        piece = sent.place_of(sender, index)
        verdict.proof |= _ORIGINAL_SEEN
        verdict.original_frame = sent.frame_of(signed(state.pieces[piece].frame), signed(note.frame))
        _compare(state, sender, verdict, note, header_of(state.pieces[piece]))
        return piece, NOTHING, signed(state.pieces[piece].time)
    behind = NOTHING
    since = signed(note.time)
    in_flight = index >= 0 or (sender.last_heard and not before(seq, signed(sender.una)))
    if in_flight and index + 1 < signed(sender.count):
        behind = sent.place_of(sender, index + 1)
        verdict.proof |= _HOLE_SEEN
        _compare(state, sender, verdict, note, header_of(state.pieces[behind]))
        since = signed(state.pieces[behind].time)
    if copy != NOTHING:
        verdict.original_frame = state.notes[copy].frame
        _compare(state, sender, verdict, note, header_of(state.notes[copy]))
        note.waited += _held_up(state.rows[copy], note, verdict)
    return NOTHING, behind, since


@rare_kernel
def _judge(
    state: State,
    trouble: Any,
    sender: Any,
    receiver: Any,
    note: Any,
    verdict: Any,
    copy: int,
    is_syn: bool,
    quality: int,
    out: Any,
) -> float:
    """Write cause, need and place of a segment; return how sure need and place are."""
    piece, behind, since = _look_back(state, sender, note, verdict, copy)
    sure = _copy_surely(state, trouble, sender, receiver, note, verdict, copy, piece, quality)
    if sure == 0.0 and not is_syn:
        sure = _late_surely(state, trouble, sender, receiver, note, verdict, copy, piece, behind, out)
    if sure > 0.0:
        note.confidence = sure
        return 1.0
    if verdict.tsval_step > 0 or (verdict.ip_id_step > 0 and order.ids_ascend(state, sender) > 0):
        verdict.proof |= _SENT_LATER
    note.confidence = repeat_cause(state, trouble, sender, receiver, note, verdict, copy, is_syn, out)
    return judge_need(state, trouble, sender, receiver, note, verdict, since, piece != NOTHING or copy != NOTHING)


@rare_kernel
def _new_verdict(
    state: State,
    packet: Any,
    end: int,
    trouble: Any,
    sender: Any,
    receiver: Any,
) -> tuple[int, int]:
    """Begin the note and the row of a verdict; return their place, and that of the newest note of the same bytes.

    The oldest note goes first where there are too many: it may be the one that is found.
    """
    if trouble.notes == MOST_NOTES:
        drop_first(state, trouble)
    copy = latest_copy(state, trouble, packet.seq, end)
    quiet = silence(state, packet, sender, receiver)  # before its own note is the last one
    place = new_note(state, trouble)
    note = state.notes[place]
    verdict = state.rows[place]
    _fill_note(note, packet, end)
    note.is_head = 1 if packet.seq == signed(sender.una) else 0
    begin(verdict, packet, sender, receiver)
    verdict.silence = quiet
    verdict.timeout = timeout(sender, receiver, least_variation(trouble))
    fill_reports(verdict, trouble, sender, packet)
    return place, copy


@rare_kernel
def _conclude(state: State, packet: Any, sender: Any, note: Any, verdict: Any, need: float, out: Any) -> None:
    """Write a verdict; ``need``: how sure need and place are."""
    verdict.confidence = note.confidence * need
    if was_reset(packet):
        verdict.stalled = 0
    write(state, verdict, out)
    sender.busy = 1


@rare_kernel
def judge_old(
    state: State,
    packet: Any,
    end: int,
    sender: Any,
    receiver: Any,
    out: Any,
) -> bool:
    """Write the verdict on a segment that begins below ``snd_max``; return whether the sender sent it just now."""
    trouble = trouble_of(state, sender)
    place, copy = _new_verdict(state, packet, end, trouble, sender, receiver)
    note = state.notes[place]
    verdict = state.rows[place]
    is_syn = bool(packet.flag_bits & SYN)
    quality = packet.quality
    begun = signed(trouble.episode)
    need = _judge(state, trouble, sender, receiver, note, verdict, copy, is_syn, quality, out)
    if note.is_repeat and verdict.cause in (_RTO, _FAST_RETRANSMIT, _TAIL_LOSS_PROBE):
        missing = missing_packets(state, packet, sender)
        is_first = signed(verdict.episode) > begun
        is_timeout = is_first and verdict.cause == _RTO
        others = earlier_repeats(trouble, sender, receiver, verdict) if is_timeout else 0
        trouble.unseen = max(signed(trouble.unseen), missing - others)
        if is_first:
            trouble.surely_unseen = surely_new(state, trouble, sender, receiver, note, verdict, missing)
    elif trouble.unseen and was_overtaken(packet, sender):
        trouble.unseen -= 1
    _conclude(state, packet, sender, note, verdict, need, out)
    return bool(note.is_repeat)


@rare_kernel
def judge_unseen(
    state: State,
    packet: Any,
    end: int,
    sender: Any,
    receiver: Any,
    since: int,
    out: Any,
) -> None:
    """Write the verdict on a repeat of what never passed the sensor, though it was sent just after ``since``.

    ``snd_max`` becomes the end of all that was lost; the caller sets it to that of this segment.
    """
    trouble = trouble_of(state, sender)
    place, copy = _new_verdict(state, packet, end, trouble, sender, receiver)
    note = state.notes[place]
    verdict = state.rows[place]
    is_syn = bool(packet.flag_bits & SYN)
    claimed = trouble.claimed == REPEATED
    if is_syn:
        verdict.proof |= _SILENCE
    else:
        verdict.proof |= _HOLE_SEEN | (_SENT_LATER if claimed else _ID_MISSING)
    verdict.bytes_again = packet.length
    verdict.since_original = packet.now - since
    if is_syn:
        verdict.silence = packet.now - since
    note.waited = verdict.silence
    behind = missing_packets(state, packet, sender) - packets_between(state, packet, sender) - 1
    behind -= earlier_repeats(trouble, sender, receiver, verdict)
    if behind > 0 and packet.length:
        trouble.unseen = behind
    sender.snd_max = (end + signed(trouble.unseen) * packet.length) & MODULUS_MASK
    if claimed and before(signed(sender.snd_max), signed(trouble.claimed_to)):
        sender.snd_max = trouble.claimed_to
    begun = signed(trouble.episode)
    sure = repeat_cause(state, trouble, sender, receiver, note, verdict, copy, is_syn, out)
    if signed(verdict.episode) > begun:
        trouble.surely_unseen = surely_new(state, trouble, sender, receiver, note, verdict, behind)
    if numbers_alone(state, sender):
        prolong(trouble, end)
        sender.last_id = packet.ip_id  # what is missing is told
    note.confidence = sure if claimed else sure * confidence.NUMBER_MISSING
    if claimed:
        trouble.claimed = CLAIMED
    if is_syn:
        note.confidence = confidence.SYN_ANSWERED_LATE
        note_stall(trouble, verdict, since, packet.now)
        need = 1.0
    else:
        need = judge_need(state, trouble, sender, receiver, note, verdict, since, copy != NOTHING)
    _conclude(state, packet, sender, note, verdict, need, out)
