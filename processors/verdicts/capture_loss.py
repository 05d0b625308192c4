"""Data that the receiver acknowledges and the capture never saw."""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.serial import MODULUS_MASK, after, before, distance, not_after, signed
from processors.verdicts import confidence, scoreboard, sent
from processors.verdicts.identifications import missing_answers
from processors.verdicts.options import both_acknowledge_selectively, reports_selectively
from processors.verdicts.phases import enter
from processors.verdicts.round_trips import least_answer, least_round_trip, longest_answer
from processors.verdicts.rows import fill_blank, fill_ends, fill_times, next_row
from processors.verdicts.state import (
    DUP_THRESH,
    HAS_TIMESTAMP,
    LARGEST_BLOCK,
    MOST_NOTES,
    OPEN,
    RECOVERY,
    SYN_SEEN,
    State,
)
from processors.verdicts.troubles import overlaps, repeat_passed
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Cause, Proof, Quality

_CAPTURE_LOSS = int(Cause.CAPTURE_LOSS)
_HOLE_SEEN = int(Proof.HOLE_SEEN)
_LOSS_REPORTED = int(Proof.LOSS_REPORTED)
_TIMESTAMPS = int(Quality.TIMESTAMPS)


@rare_kernel
def _was_asked_for(packet: Any, sender: Any, receiver: Any, start: int, since: int) -> bool:
    """Whether the receiver went on to ask for what begins at ``start``, though what came behind had reached it.

    ``since``: when that passed. Three duplicate ACKs say so (RFC 5681 section 3.2), or one acknowledgment that is
    later than any answer, if the next one, ``packet``, is a round trip later (RFC 6582: a partial acknowledgment, and
    that of the repeat).
    """
    if start != signed(sender.una):
        return False
    told = signed(sender.last_heard) - since
    if signed(sender.duplicate_acks) >= DUP_THRESH:
        return told >= least_answer(receiver)
    until_next = packet.now - signed(sender.last_heard)
    return told >= longest_answer(receiver) and 4 * until_next >= 3 * least_round_trip(sender, receiver)


@rare_kernel
def _was_reported(packet: Any, trouble: Any, sender: Any, receiver: Any, start: int, end: int) -> bool:
    """Whether the receiver had acknowledged selectively what lies behind a gap, and not the gap, before ``packet``.

    Duplicate ACKs had a block of what lies behind the first gap.
    """
    if scoreboard.holds(trouble, start, end):
        return False
    if start == signed(sender.una) and sender.duplicate_acks and reports_selectively(sender, receiver):
        return True
    for index in range(signed(trouble.ranges)):
        if not_after(end, signed(trouble.left[index])) and not_after(signed(trouble.right[index]), packet.ack):
            return True
    return False


@rare_kernel
def _echoes_unseen(state: State, packet: Any, trouble: Any, sender: Any, receiver: Any, start: int) -> bool:
    """Whether an acknowledgment of nothing but what passed, and gaps in it, echoes a later segment than all that did.

    That filled the first gap, which begins at ``start`` (RFC 7323 section 4.3), so it was a repeat. If the receiver
    asked for what lies before the gap, a repeat of that must have passed, and may have been answered: else the missing
    one may be of that. With selective acknowledgments others may have been sent beside it; without them one is in a
    round trip (RFC 6582).
    """
    una = signed(sender.una)
    if start != una and not (
        repeat_passed(state, trouble, una) and missing_answers(state, packet, sender, receiver) != 0
    ):
        return False
    stamped = bool(packet.quality & _TIMESTAMPS) and bool(receiver.heard_tsval)
    newer = stamped and before(signed(receiver.heard_tsval), packet.tsecr)
    return newer and not_after(packet.ack, signed(sender.snd_max))


@rare_kernel
def _was_repeated(
    state: State,
    packet: Any,
    trouble: Any,
    sender: Any,
    receiver: Any,
    start: int,
    end: int,
    since: int,
    is_first: bool,
) -> bool:
    """Whether the receiver got what the capture lacks by a repeat: it had lacked it, too.

    ``since``: when what lies behind passed. The loss is reported when that has reached the receiver, and what is sent
    then is acknowledged a round trip later; three quarters of that leave room for delays that vary. ``is_first``: there
    is no other gap before it.
    """
    answer = least_answer(receiver)
    if not answer or 4 * (packet.now - since) < 3 * (least_round_trip(sender, receiver) + answer):
        return False
    if both_acknowledge_selectively(sender, receiver):
        return _was_reported(packet, trouble, sender, receiver, start, end)
    if is_first and _echoes_unseen(state, packet, trouble, sender, receiver, start):
        return True
    return _was_asked_for(packet, sender, receiver, start, since)


@rare_kernel
def _write_loss(
    state: State, packet: Any, sender: Any, receiver: Any, start: int, end: int, behind: int, proof: int, out: Any
) -> None:
    """``behind``: the piece that showed the gap first, or ``NOTHING`` if the acknowledgment did."""
    verdict = next_row(state, out)
    fill_ends(verdict, packet, 1 - packet.from_client)
    if behind != NOTHING:
        verdict.time = state.pieces[behind].time
        verdict.frame = sent.frame_of(signed(state.pieces[behind].frame), packet.frame)
    fill_blank(verdict, start, distance(end, start))
    fill_times(verdict, sender, receiver)
    verdict.cause = _CAPTURE_LOSS
    verdict.proof = _HOLE_SEEN | proof
    verdict.confidence = confidence.NEVER_SEEN


@rare_kernel
def write_omitted(state: State, packet: Any, place: int, sender: Any, receiver: Any, out: Any) -> None:
    """Write a loss of the capture if it lacks the original of a repeat (its note's ``place``) that was spurious.

    That left a gap: what lay behind it shows it, if that is remembered. Of the repeat, the part that lies in the gap.
    ``packet`` acknowledges it, and echoes that original or what was sent later: never what was sent before the gap.
    """
    note = state.notes[place]
    verdict = state.rows[place]
    if not verdict.proof & _HOLE_SEEN or verdict.original_frame:
        return
    index = sent.find(state, sender, signed(note.start))
    if index < 0 or index + 1 >= signed(sender.count):
        return
    piece = state.pieces[sent.place_of(sender, index)]
    stamped = bool(packet.quality & _TIMESTAMPS and piece.marks & HAS_TIMESTAMP)
    if stamped and before(packet.tsecr, signed(piece.tsval)):
        return
    gap_start = signed(piece.end)
    behind = sent.place_of(sender, index + 1)
    gap_end = signed(state.pieces[behind].start)
    is_same_gap = signed(state.pieces[behind].time) == signed(note.time) - signed(verdict.since_original)
    if is_same_gap and not_after(gap_start, signed(note.start)):
        end = gap_end if before(gap_end, signed(note.end)) else signed(note.end)
        _write_loss(state, packet, sender, receiver, signed(note.start), end, behind, 0, out)


@rare_kernel
def _sent_by(state: State, sender: Any, now: int) -> int:
    """Return the end of what had passed ``now``, as far as it is remembered."""
    index = signed(sender.count) - 1
    while index > 0 and state.pieces[sent.place_of(sender, index)].time > now:
        index -= 1
    return signed(state.pieces[sent.place_of(sender, index)].end)


@rare_kernel
def _account_for_repeat(state: State, trouble: Any, packet: Any, sender: Any, receiver: Any) -> None:
    """Take a repeat that the capture lacks off what did not pass; or it is missing before what passes next.

    It began an episode, if there is none.
    """
    if trouble.phase == OPEN:
        enter(trouble, RECOVERY, _sent_by(state, sender, packet.now - least_answer(receiver)))
    if not trouble.unseen:
        trouble.omitted = 1
        return
    trouble.unseen -= 1
    trouble.surely_unseen = max(signed(trouble.surely_unseen) - 1, 0)


@rare_kernel
def _segment_around(state: State, sender: Any, seq: int, behind: int) -> int:
    """Return how long the segments are before a gap at ``seq`` and ``behind`` it, 0 if they differ."""
    index = sent.find(state, sender, seq)
    if index < 0:
        return 0
    piece = state.pieces[sent.place_of(sender, index)]
    length = distance(signed(piece.end), signed(piece.start))
    return length if length == distance(signed(state.pieces[behind].end), signed(state.pieces[behind].start)) else 0


@rare_kernel
def _end_of_repeat(state: State, packet: Any, sender: Any, receiver: Any, start: int, stop: int, behind: int) -> int:
    """Return where a repeat ends that the capture lacks, as it does the rest of its gap, which ``behind`` shows.

    Without selective acknowledgments it is one segment (RFC 6582), if all around are as long: the rest had arrived, if
    none of the acknowledgments is missing.
    """
    if both_acknowledge_selectively(sender, receiver) or missing_answers(state, packet, sender, receiver) != 0:
        return stop
    length = _segment_around(state, sender, start, behind)
    return (start + length) & MODULUS_MASK if length and distance(stop, start) % length == 0 else stop


@rare_kernel
def _write_parts(
    state: State,
    packet: Any,
    trouble: Any,
    sender: Any,
    receiver: Any,
    start: int,
    end: int,
    behind: int,
    before_it: int,
    out: Any,
) -> int:
    """Write a loss for each part of a gap that nothing filled later; return how many.

    ``before_it``: how many were written for gaps before it, which leave room for some. What lies behind a gap shows
    it; but where a repeat is missing, it is the acknowledgment of that.
    """
    written = 0
    while before(start, end) and before_it + written < MOST_NOTES:
        filled_to = start
        stop = end
        place = signed(trouble.first_note)
        while place != NOTHING:
            note = state.notes[place]
            if overlaps(note, start, stop):
                if after(signed(note.start), start):
                    stop = signed(note.start)
                elif after(signed(note.end), filled_to):
                    filled_to = signed(note.end)
            place = signed(note.next)
        if filled_to == start:
            stop = scoreboard.end_of_part(trouble, start, stop)
            since = signed(state.pieces[behind].time)
            is_first = before_it + written == 0
            if _was_repeated(state, packet, trouble, sender, receiver, start, stop, since, is_first):
                end_of_repeat = _end_of_repeat(state, packet, sender, receiver, start, stop, behind)
                _write_loss(state, packet, sender, receiver, start, end_of_repeat, signed(NOTHING), _LOSS_REPORTED, out)
                _account_for_repeat(state, trouble, packet, sender, receiver)
                start = end_of_repeat
                written += 1
            if before(start, stop):
                _write_loss(state, packet, sender, receiver, start, stop, behind, 0, out)
                written += 1
            filled_to = stop
        start = filled_to
    return written


@rare_kernel
def _looked_at_from(trouble: Any, sender: Any, first: int) -> int:
    """Return from where on all unacknowledged data either passed or is a gap; ``first``: where the first piece begins.

    That is so from its SYN on, or from a segment before its first gap. Pieces are forgotten once they are acknowledged,
    and others only where the largest block is full.
    """
    una = signed(sender.una)
    if before(first, una):
        return una
    if sent.room_of(sender) == LARGEST_BLOCK:
        return first
    if sender.marks & SYN_SEEN:
        return una
    if not trouble.gap_known:
        return first
    known = signed(trouble.known_from)
    return known if distance(known, una) <= distance(signed(sender.snd_max), una) else una


@rare_kernel
def find_losses(
    state: State,
    packet: Any,
    trouble: Any,
    sender: Any,
    receiver: Any,
    out: Any,
) -> None:
    """Say of every gap between ``sender.una`` and the acknowledgment that nothing filled it, or a part of it.

    Gaps that the acknowledgment has passed are done.
    """
    if not sender.count:
        return
    index = max(sent.find(state, sender, signed(sender.una)), 0)
    position = _looked_at_from(trouble, sender, signed(state.pieces[sent.place_of(sender, index)].start))
    written = 0
    while index < signed(sender.count):
        place = sent.place_of(sender, index)
        piece = state.pieces[place]
        start = signed(piece.start)
        if after(start, position):
            if sender.holes and not_after(start, packet.ack):
                sender.holes -= 1
            end = start if not_after(start, packet.ack) else packet.ack
            written += _write_parts(state, packet, trouble, sender, receiver, position, end, place, written, out)
        if not before(start, packet.ack):
            return
        if after(signed(piece.end), position):
            position = signed(piece.end)
        index += 1
    if after(packet.ack, signed(sender.snd_max)):
        start = signed(sender.snd_max)
        _write_loss(state, packet, sender, receiver, start, packet.ack, signed(NOTHING), 0, out)
