"""Data that the receiver acknowledges and the capture never saw."""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.serial import after, before, distance, not_after, signed
from processors.verdicts import confidence, sent
from processors.verdicts.rows import fill_blank, fill_ends, fill_times, next_row
from processors.verdicts.state import LARGEST_BLOCK, MOST_NOTES, SYN_SEEN, State
from processors.verdicts.troubles import overlaps
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Cause, Proof

_CAPTURE_LOSS = int(Cause.CAPTURE_LOSS)
_HOLE_SEEN = int(Proof.HOLE_SEEN)


@rare_kernel
def _write_loss(
    state: State,
    packet: Any,
    sender: Any,
    receiver: Any,
    start: int,
    end: int,
    behind: int,
    out: Any,
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
    verdict.proof = _HOLE_SEEN
    verdict.confidence = confidence.NEVER_SEEN


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
    most: int,
    out: Any,
) -> int:
    """Write a loss for each part of a gap that nothing filled later, ``most`` at most; return how many."""
    written = 0
    while before(start, end) and written < most:
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
            _write_loss(state, packet, sender, receiver, start, stop, behind, out)
            written += 1
            filled_to = stop
        start = filled_to
    return written


@rare_kernel
def _is_known(sender: Any) -> bool:
    """Whether what lies before the first piece either passed or is a gap: all that its sender sent was to be seen.

    Pieces are forgotten once they are acknowledged, and others only where the largest block is full.
    """
    return bool(sender.marks & SYN_SEEN) and sent.room_of(sender) < LARGEST_BLOCK


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
    position = signed(state.pieces[sent.place_of(sender, index)].start)
    if before(position, signed(sender.una)) or _is_known(sender):
        position = signed(sender.una)
    written = 0
    while index < signed(sender.count):
        place = sent.place_of(sender, index)
        piece = state.pieces[place]
        start = signed(piece.start)
        if after(start, position):
            if sender.holes and not_after(start, packet.ack):
                sender.holes -= 1
            end = start if not_after(start, packet.ack) else packet.ack
            most = MOST_NOTES - written
            written += _write_parts(state, packet, trouble, sender, receiver, position, end, place, most, out)
        if not before(start, packet.ack):
            return
        if after(signed(piece.end), position):
            position = signed(piece.end)
        index += 1
    if after(packet.ack, signed(sender.snd_max)):
        start = signed(sender.snd_max)
        _write_loss(state, packet, sender, receiver, start, packet.ack, signed(NOTHING), out)
