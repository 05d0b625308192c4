"""What later acknowledgments say of verdicts: reported duplicates, echoed timestamps, answers that come too soon."""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.serial import before, distance, not_after, signed
from processors.verdicts import confidence, scoreboard
from processors.verdicts.capture_loss import write_omitted
from processors.verdicts.identifications import missing_answers
from processors.verdicts.options import both_acknowledge_selectively
from processors.verdicts.phases import undo
from processors.verdicts.round_trips import HOST_DELAY, least_answer, round_trip
from processors.verdicts.rows import amend, call_spurious
from processors.verdicts.state import HAS_TIMESTAMP, OPEN, State
from processors.verdicts.troubles import drop_first, overlaps
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Cause, Needed, Place, Proof

_NOT_KNOWN = int(Needed.UNKNOWN)
_NEEDED = int(Needed.NEEDED)
_SPURIOUS = int(Needed.SPURIOUS)
_NOWHERE = int(Place.UNKNOWN)
_AFTER_SENSOR = int(Place.AFTER_SENSOR)
_NETWORK_DUPLICATE = int(Cause.NETWORK_DUPLICATE)
_CAPTURE_DUPLICATE = int(Cause.CAPTURE_DUPLICATE)
_RTO = int(Cause.RTO)
_SYN_RETRY = int(Cause.SYN_RETRY)
_TAIL_LOSS_PROBE = int(Cause.TAIL_LOSS_PROBE)
_ACKED_EARLY = int(Proof.ACKED_EARLY)
_EIFEL = int(Proof.EIFEL)
_ECHOED = int(Proof.ECHOED)
_BEYOND = int(Proof.ACKED_BEYOND)
_LOSS_REPORTED = int(Proof.LOSS_REPORTED)
_HOLE_SEEN = int(Proof.HOLE_SEEN)
_ID_MISSING = int(Proof.ID_MISSING)
_ORIGINAL_SEEN = int(Proof.ORIGINAL_SEEN)
_DSACK = int(Proof.DSACK)
_ENOUGH = 3
"""Segments behind a lost one that make duplicate ACKs for certain."""
_LINUX_ACK_DELAY = 40_000_000
"""Nanoseconds that Linux delays an acknowledgment by, at first (TCP_DELACK_MIN)."""
_UNKNOWN_LINGER = 1_000_000_000
_LEAST_LINGER = 100_000_000


@rare_kernel
def _covered(note: Any, trouble: Any, ack: int) -> bool:
    start = signed(note.start)
    end = signed(note.end)
    return not_after(end, ack) or scoreboard.holds(trouble, start, end)


@rare_kernel
def _fills(note: Any, sender: Any, packet: Any) -> bool:
    """Whether a repeat begins at the first unacknowledged byte, and the acknowledgment is the first to go beyond it."""
    return bool(note.start == sender.una and not_after(signed(note.end), packet.ack))


@rare_kernel
def _is_all_that_lacks(note: Any, verdict: Any, packet: Any) -> bool:
    """Whether a probe of the last segment is all that the acknowledgment can be due to, if that had been lost.

    What was sent before it had been acknowledged by then, seen or not: the probe waited longer than an acknowledgment
    does (Linux: a round trip or 40 ms).
    """
    waited = verdict.silence > max(signed(verdict.round_trip), _LINUX_ACK_DELAY)
    return bool(verdict.cause == _TAIL_LOSS_PROBE and waited and not_after(signed(note.end), packet.ack))


@rare_kernel
def _contradiction(note: Any, verdict: Any, sender: Any, receiver: Any, packet: Any, tsecr: int, echoes: bool) -> int:
    """Return the proof that the first acknowledgment of a repeat was none of the repeat, or 0.

    RFC 3522 section 3.2 asks for the first acknowledgment that advances over the repeat, which echoes the segment that
    filled the gap: that is the repeat only if it began there.
    """
    stamped = echoes and bool(note.marks & HAS_TIMESTAMP)
    is_older = stamped and before(tsecr, signed(note.tsval))
    if is_older and (_fills(note, sender, packet) or _is_all_that_lacks(note, verdict, packet)):
        return _EIFEL
    if stamped and not is_older:
        return 0
    if packet.now - signed(note.time) < (least_answer(receiver) >> 1) - HOST_DELAY:
        return _ACKED_EARLY
    return 0


@rare_kernel
def _goes_beyond(note: Any, verdict: Any, sender: Any, receiver: Any, packet: Any) -> bool:
    """Whether the first answer to a timeout acknowledges more than what was sent again, though no loss was reported.

    Then nothing was missing behind it, nor was it: the acknowledgments were late or lost (the idea of RFC 5682).
    """
    if both_acknowledge_selectively(sender, receiver):
        return False  # it would have reported the duplicate
    if verdict.cause != _RTO or verdict.proof & (_LOSS_REPORTED | _HOLE_SEEN | _ID_MISSING) or note.repeated:
        return False
    beyond = distance(packet.ack, signed(note.end))
    return _fills(note, sender, packet) and beyond >= _ENOUGH * distance(signed(note.end), signed(note.start))


@rare_kernel
def _echoes(note: Any, verdict: Any, sender: Any, packet: Any, tsecr: int, echoes: bool) -> bool:
    """Whether the acknowledgment that fills a gap with a repeat echoes its own timestamp, or a later one of a SYN.

    Where no earlier copy passed, it echoes the only one that did, whether or not there was another.
    """
    if not verdict.original_frame or not echoes or not note.marks & HAS_TIMESTAMP or before(tsecr, signed(note.tsval)):
        return False
    own = tsecr == signed(note.tsval) or verdict.cause == _SYN_RETRY
    return bool(own) and _fills(note, sender, packet)


@rare_kernel
def _may_have_answered(state: State, note: Any, verdict: Any, sender: Any, receiver: Any, packet: Any) -> bool:
    """Whether the receiver sent something, before it acknowledged a repeat, that did not pass the sensor.

    A timer sent the repeat, all before it had been acknowledged or it was the last one, no loss was reported, and the
    original had passed: so that may be what the receiver said when it got it.
    """
    by_timer = verdict.cause in (_RTO, _TAIL_LOSS_PROBE) and not verdict.proof & _LOSS_REPORTED
    if not by_timer or not verdict.proof & _ORIGINAL_SEEN:
        return False
    is_last = verdict.cause == _TAIL_LOSS_PROBE and not_after(signed(note.end), packet.ack)
    if not is_last and not _fills(note, sender, packet):
        return False
    return missing_answers(state, packet, sender, receiver) > 0


@rare_kernel
def _leave_open(state: State, place: int, frame: int, out: Any) -> None:
    """Say of a repeat that was called needed that nothing tells whether it was."""
    state.rows[place].needed = _NOT_KNOWN
    state.rows[place].place = _NOWHERE
    amend(state, place, frame, confidence.CONSISTENT, out)


@rare_kernel
def _open_probes(state: State, trouble: Any, verdict: Any, frame: int, out: Any) -> None:
    """Say of probes of a timeout's episode that nothing tells whether they were needed: acknowledgments were late."""
    place = signed(trouble.first_note)
    while place != NOTHING:
        other = state.rows[place]
        same = other.cause == _TAIL_LOSS_PROBE and other.episode == verdict.episode
        if same and other.needed == _NEEDED and not state.notes[place].acked:
            _leave_open(state, place, frame, out)
        place = signed(state.notes[place].next)


@rare_kernel
def _weigh(
    state: State,
    trouble: Any,
    place: int,
    note: Any,
    sender: Any,
    receiver: Any,
    packet: Any,
    tsecr: int,
    echoes: bool,
    out: Any,
) -> None:
    """Amend the verdict on a repeat that is acknowledged now, if that says more than was known."""
    verdict = state.rows[place]
    proof = _contradiction(note, verdict, sender, receiver, packet, tsecr, echoes)
    if proof:
        verdict.proof |= proof
        call_spurious(verdict)
        if proof == _EIFEL or verdict.cause == _RTO:
            undo(trouble, packet.now, packet.tsval)
        amend(state, place, packet.frame, confidence.CONSISTENT, out)
        if proof == _EIFEL:
            write_omitted(state, packet, place, sender, receiver, out)
            if verdict.cause == _RTO:
                _open_probes(state, trouble, verdict, packet.frame, out)
    elif _goes_beyond(note, verdict, sender, receiver, packet):
        verdict.proof |= _BEYOND
        call_spurious(verdict)
        undo(trouble, packet.now, packet.tsval)
        amend(state, place, packet.frame, confidence.LIKELY, out)
    elif verdict.needed == _NOT_KNOWN and _echoes(note, verdict, sender, packet, tsecr, echoes):
        verdict.needed = _NEEDED
        verdict.place = _AFTER_SENSOR if verdict.proof & _ORIGINAL_SEEN else _NOWHERE
        verdict.proof |= _ECHOED
        amend(state, place, packet.frame, confidence.PROVED, out)
    elif verdict.needed == _NEEDED and _may_have_answered(state, note, verdict, sender, receiver, packet):
        _leave_open(state, place, packet.frame, out)


@rare_kernel
def review_acknowledged(
    state: State, trouble: Any, sender: Any, receiver: Any, packet: Any, tsecr: int, echoes: bool, out: Any
) -> None:
    """Look at all repeats that this acknowledgment is the first to cover; ``sender.una`` is as it was before."""
    place = signed(trouble.first_note)
    while place != NOTHING:
        note = state.notes[place]
        if not note.acked and _covered(note, trouble, packet.ack):
            note.acked = 1
            trouble.open_notes -= 1
            if note.is_repeat and state.rows[place].needed != _SPURIOUS:
                _weigh(state, trouble, place, note, sender, receiver, packet, tsecr, echoes, out)
        place = signed(note.next)


@rare_kernel
def _call_of_network(state: State, place: int, frame: int, sure: float, out: Any) -> None:
    """Say of what was taken for a copy of the capture that the network made it."""
    verdict = state.rows[place]
    verdict.cause = _NETWORK_DUPLICATE
    verdict.bytes_again = verdict.length
    state.notes[place].confidence = confidence.SAME_ID
    amend(state, place, frame, sure, out)


@rare_kernel
def review_answered(state: State, trouble: Any, sender: Any, receiver: Any, frame: int, out: Any) -> None:
    """Find a copy that the receiver has answered as well: to be asked before it acknowledges more.

    Without selective acknowledgments it says of a second copy only what it has said before (RFC 9293 section
    3.10.7.4). So it does of what comes behind a loss, but then something is sent again before it acknowledges more. And
    of a new window: so nothing is said where it has answered another copy once, which the capture made, then.
    """
    selective = both_acknowledge_selectively(sender, receiver)
    if sender.duplicate_acks != 1 or trouble.phase != OPEN or sender.holes or selective:
        return
    answered = NOTHING
    place = signed(trouble.first_note)
    while place != NOTHING:
        note = state.notes[place]
        if state.rows[place].cause == _CAPTURE_DUPLICATE and note.end == sender.una:
            answered = place
        elif state.rows[place].cause == _CAPTURE_DUPLICATE and note.acked:
            return
        place = signed(note.next)
    if answered != NOTHING:
        _call_of_network(state, answered, frame, confidence.LIKELY, out)


@rare_kernel
def _take_report(state: State, place: int, frame: int, out: Any) -> None:
    """The receiver had this segment twice (RFC 2883): a repeat was not needed, a copy was really there."""
    verdict = state.rows[place]
    state.notes[place].dsacked = 1
    verdict.proof |= _DSACK
    if verdict.cause == _CAPTURE_DUPLICATE:
        _call_of_network(state, place, frame, confidence.PROVED, out)
    elif state.notes[place].is_repeat and verdict.needed != _SPURIOUS:
        call_spurious(verdict)
        amend(state, place, frame, confidence.PROVED, out)


@rare_kernel
def _can_be_meant(note: Any, verdict: Any) -> bool:
    """Whether a report of a duplicate can be about a note: a late original is no duplicate."""
    if note.dsacked:
        return False
    return bool(note.is_repeat or verdict.cause in (_NETWORK_DUPLICATE, _CAPTURE_DUPLICATE))


@rare_kernel
def review_reported(
    state: State, trouble: Any, left: int, right: int, frame: int, tsecr: int, echoes: bool, out: Any
) -> None:
    """Find out which repeats the receiver reports as duplicates: the last one of each segment, else an earlier one.

    A report says how many copies arrived, not which (RFC 3708 section 3). But Linux echoes the timestamp of the copy
    that it reports, if that ``echoes``, so later ones are not meant.
    """
    earlier = NOTHING
    taken = False
    place = signed(trouble.first_note)
    while place != NOTHING:
        note = state.notes[place]
        later = echoes and bool(note.marks & HAS_TIMESTAMP) and before(tsecr, signed(note.tsval))
        if overlaps(note, left, right) and _can_be_meant(note, state.rows[place]) and not later:
            if note.repeated and not (echoes and note.marks & HAS_TIMESTAMP and tsecr == signed(note.tsval)):
                earlier = place
            else:
                _take_report(state, place, frame, out)
                taken = True
        place = signed(note.next)
    if not taken and earlier != NOTHING:
        _take_report(state, earlier, frame, out)


@rare_kernel
def drop_settled(state: State, trouble: Any, sender: Any, receiver: Any, now: int) -> None:
    """Forget the oldest notes, once nothing that is still to come can speak of them."""
    smoothed = round_trip(sender, receiver)
    linger = 4 * smoothed + _LEAST_LINGER if smoothed else _UNKNOWN_LINGER
    while trouble.first_note != NOTHING:
        note = state.notes[trouble.first_note]
        if now - signed(note.time) <= linger or (note.is_repeat and not note.acked):
            return
        drop_first(state, trouble)
