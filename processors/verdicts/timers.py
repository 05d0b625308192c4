"""Repeats after silence: retransmission timeouts (RFC 6298), tail loss probes and RACK's timer (RFC 8985)."""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.serial import before, not_after, signed
from processors.verdicts import confidence, scoreboard
from processors.verdicts.claims import REPEATED
from processors.verdicts.clocks import waited
from processors.verdicts.flights import await_flight
from processors.verdicts.habits import learn, leave_undecided
from processors.verdicts.headers import header_of
from processors.verdicts.identifications import numbers_alone, numbers_from
from processors.verdicts.least_timeout import (
    learn_least_timeout,
    least_variation,
    probed_before,
    shortest_timeout,
    was_sent_last,
)
from processors.verdicts.options import both_acknowledge_selectively
from processors.verdicts.phases import enter
from processors.verdicts.probe_episode import may_not_probe
from processors.verdicts.reports import echoes_report, forget_heard
from processors.verdicts.round_trips import LEAST_CLOCK, clock, least_answer, least_round_trip, timeout
from processors.verdicts.rows import amend
from processors.verdicts.sent import find, place_of
from processors.verdicts.state import (
    DUP_THRESH,
    HAS_IP_ID,
    HAS_TIMESTAMP,
    LOSS,
    NUMBERS_MOVE,
    OPEN,
    PROBED,
    RECOVERY,
    TICKS_KNOWN,
    State,
)
from processors.verdicts.unseen import owes_nothing
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Cause, Proof

_RTO = int(Cause.RTO)
_FAST_RETRANSMIT = int(Cause.FAST_RETRANSMIT)
_RECOVERY = int(Cause.RECOVERY)
_TAIL_LOSS_PROBE = int(Cause.TAIL_LOSS_PROBE)
_UNKNOWN = int(Cause.UNKNOWN)
_NEXT_INTERVAL = int(Proof.NEXT_INTERVAL)
_HABIT = int(Proof.HABIT)
_SILENCE = int(Proof.SILENCE)
_LOSS_REPORTED = int(Proof.LOSS_REPORTED)
_ORIGINAL_SEEN = int(Proof.ORIGINAL_SEEN)
_HOLE_SEEN = int(Proof.HOLE_SEEN)
_ID_MISSING = int(Proof.ID_MISSING)
_TOLD_APART = 8_000_000
"""Nanoseconds that timers are late by at most: a step of Linux's timer wheel."""
_LATE_REORDERING = 100_000_000
"""Nanoseconds of silence that RACK's timer may end at most, where the round trip is short."""


@rare_kernel
def is_forgotten(verdict: Any) -> bool:
    """Whether nothing is remembered of what a repeat replaces, nor of what came behind it."""
    return not verdict.original_frame and not verdict.proof & (_HOLE_SEEN | _ID_MISSING)


@rare_kernel
def _is_far_too_soon(trouble: Any, sender: Any, note: Any, verdict: Any) -> bool:
    """Whether the wait was far from a timeout's (half of its least), though no acknowledgment released the repeat.

    An ICMP message may have, which the capture may lack (RFC 1191). Without the sender's own clock, a repeat that
    follows without silence may have been held up on its way with what was sent before it: that tells nothing. Nor does
    it where the original is forgotten.
    """
    if is_forgotten(verdict):
        return False
    has_clock = sender.marks & TICKS_KNOWN and note.marks & HAS_TIMESTAMP
    if not has_clock and not verdict.proof & _SILENCE:
        return False
    longest = max(signed(note.waited), signed(verdict.silence))
    return 2 * longest < least_variation(trouble) and 2 * longest < signed(verdict.timeout)


@rare_kernel
def _since_sent_at_most(state: State, sender: Any, note: Any, verdict: Any) -> int:
    """Return how long ago the original of a repeat was sent at most, nanoseconds; -1 unknown.

    One that left a hole was sent after what lies before that; what lies behind it may be a repeat itself.
    """
    if verdict.proof & _ORIGINAL_SEEN:
        return signed(note.waited)
    index = find(state, sender, signed(note.start))
    if index < 0:
        return -1
    return waited(state, sender, header_of(note), header_of(state.pieces[place_of(sender, index)]))


@rare_kernel
def _outlasts_reordering(
    state: State, trouble: Any, sender: Any, receiver: Any, note: Any, verdict: Any, phase: int
) -> bool:
    """Whether a silence is longer than RACK's timer, though shorter than the timeout that was estimated.

    That timer waits a round trip and a window for reordering, which is another one at most (RFC 8985 section 6.2). And
    Linux's timeout runs from the sending of the first segment, whatever has been reported since (``tcp_rearm_rto``): so
    that has to be as long ago as its least. In recovery it runs anew from each acknowledgment of more.
    """
    if phase in (RECOVERY, LOSS) and not verdict.duplicate_acks:
        return False
    if not verdict.round_trip > 0 or verdict.silence <= max(2 * verdict.round_trip, _LATE_REORDERING):
        return False
    since = _since_sent_at_most(state, sender, note, verdict)
    return since < 0 or since >= shortest_timeout(trouble) + least_round_trip(sender, receiver)


@rare_kernel
def _reported_cause(trouble: Any, phase: int, snd_max: int) -> tuple[int, float]:
    """A loss that acknowledgments reported, repeated when RACK's time for reordering had passed, or late."""
    if phase in (RECOVERY, LOSS):
        return _RECOVERY, confidence.REORDERING_TIMER
    enter(trouble, RECOVERY, snd_max)
    return _FAST_RETRANSMIT, confidence.REORDERING_TIMER


@rare_kernel
def _timer_before(between: int, silence: int, waited_first: int, estimate: int, measured: int) -> int:
    """Return 1 if the timer before a repeat was a probe's, -1 if it was a timeout's, 0 if the times do not tell.

    After a timeout it runs twice as long (RFC 6298 section 5.5). After a probe it runs as long as a timeout does: that
    is the probe's own time or longer, as the timeout may be (RFC 8985 section 7.2 caps a probe by it). The first timer
    ran for ``silence`` at least, and since the original at most. Linux's timer wheel makes each an eighth late at most.
    Where either fits into that, the timeout as it was estimated (``estimate``) tells whether it was doubled. What is
    far sooner than the timeout that its round trips make (``measured``) was a probe. Both are 0 where none is known.
    """
    longest = max(silence, waited_first)
    if 2 * between <= 3 * silence:
        return 1
    if 4 * between < 7 * silence or 4 * between > 9 * longest:
        return 0
    if 2 * between <= 3 * min(longest, estimate):
        return 1
    return 1 if 4 * longest < 3 * measured and 2 * between <= 3 * measured else -1


@rare_kernel
def _tell_probe_from_timeout(
    state: State, trouble: Any, sender: Any, receiver: Any, note: Any, copy: int, out: Any
) -> None:
    """Judge anew what was taken for a tail loss probe, now that the next repeat came.

    See ``_timer_before``.
    """
    if copy == NOTHING or state.rows[copy].cause != _TAIL_LOSS_PROBE or not state.notes[copy].is_head:
        return
    verdict = state.rows[copy]
    between = waited(state, sender, header_of(note), header_of(state.notes[copy]))
    is_measured = verdict.round_trip > 0
    estimate = signed(verdict.timeout) if is_measured else 0
    measured = timeout(sender, receiver, 0) if is_measured else 0
    probes = _timer_before(between, signed(verdict.silence), signed(state.notes[copy].waited), estimate, measured)
    if not probes:
        return
    verdict.proof |= _NEXT_INTERVAL
    state.notes[copy].confidence = confidence.TIMER_TOLD
    trouble.undecided -= state.notes[copy].undecided
    state.notes[copy].undecided = 0
    if probes < 0:
        verdict.cause = _RTO
        amend(state, copy, signed(note.frame), confidence.LIKELY, out)
    learn(state, trouble, probes, signed(note.frame), out)


@rare_kernel
def _ran_since_repeat(state: State, sender: Any, receiver: Any, note: Any, copy: int, least: int) -> bool:
    """Whether a timer has run since the first unacknowledged segment was sent again.

    Duplicate ACKs do not restart it (RFC 6298 section 5.3); but selective ones show a sender that a repeat is lost.
    """
    if copy == NOTHING or not state.notes[copy].is_repeat or both_acknowledge_selectively(sender, receiver):
        return False
    return waited(state, sender, header_of(note), header_of(state.notes[copy])) >= least


@rare_kernel
def numbers_since(sender: Any, note: Any) -> int:
    """Return how much further a repeat's IP identification is than its sender's highest; 0 where they tell nothing."""
    if not (sender.marks & NUMBERS_MOVE and note.marks & HAS_IP_ID):
        return 0
    return numbers_from(sender, signed(note.ip_id))


@rare_kernel
def _is_first(sender: Any, note: Any, verdict: Any) -> bool:
    """Whether IP identifications show that nothing but the original was sent before a repeat, seen or not."""
    if not verdict.proof & (_ORIGINAL_SEEN | _ID_MISSING):
        return False
    return numbers_since(sender, note) == (1 if verdict.proof & _ORIGINAL_SEEN else 2)


@rare_kernel
def _follows_what_passed(state: State, sender: Any, note: Any, verdict: Any) -> bool:
    """Whether a repeat was seen before, or follows what passed last: the capture lacks nothing between."""
    if verdict.proof & _ORIGINAL_SEEN:
        return True
    return bool(sender.count) and state.pieces[place_of(sender, signed(sender.count) - 1)].end == note.start


@rare_kernel
def _lacks_data(state: State, sender: Any, receiver: Any, note: Any, verdict: Any) -> int:
    """Return how many packets of data did not pass since what was seen last, the original not counted; 0 unknown."""
    if not verdict.proof & (_ORIGINAL_SEEN | _ID_MISSING) or not both_acknowledge_selectively(sender, receiver):
        return 0
    if not numbers_alone(state, sender) or not _follows_what_passed(state, sender, note, verdict):
        return 0
    if not owes_nothing(sender, receiver):
        return 0
    return max(numbers_since(sender, note) - (1 if verdict.proof & _ORIGINAL_SEEN else 2), 0)


@rare_kernel
def _tell_by_missing_repeat(state: State, trouble: Any, note: Any, verdict: Any, out: Any) -> None:
    """One repeat went before this, and did not pass: a probe, or a timeout.

    After a probe the timer runs as long again, so this is the second time; after a timeout it runs twice as long
    (RFC 6298 section 5.5), so it is the third. The estimate may be wrong by a twelfth, or too short by a sixth.
    """
    silence = 4 * signed(verdict.silence)
    estimate = signed(verdict.timeout)
    if 7 * estimate < silence < 9 * estimate:
        learn(state, trouble, 1, signed(note.frame), out)
    elif 11 * estimate < silence <= 14 * estimate and trouble.probes <= 0:
        learn(state, trouble, -1, signed(note.frame), out)


@rare_kernel
def _timers_ran(trouble: Any, sender: Any, note: Any, verdict: Any) -> int:
    """Return for how long timers have run before the repeat of the only segment in flight, nanoseconds.

    What its sender claimed to have sent, it may have sent when the data passed that it answers. What passed, it sent
    then: what it has heard since restarted the timer only within the first round trip.
    """
    if verdict.proof & _ORIGINAL_SEEN:
        return max(signed(verdict.silence), signed(note.waited) - signed(verdict.round_trip))
    if trouble.claimed != REPEATED or not trouble.claimed_since:
        return signed(verdict.silence)
    return max(signed(verdict.silence), signed(note.time) - signed(trouble.claimed_since) - least_answer(sender))


@rare_kernel
def _last_in_flight(
    state: State, trouble: Any, sender: Any, receiver: Any, note: Any, verdict: Any, snd_max: int, out: Any
) -> tuple[int, float]:
    """The only segment in flight, after silence: a probe, or the timeout.

    What comes later than a probe does is a timeout: another timer went off before it, if it is not the first repeat. So
    is what comes while an earlier probe is open: if that was none, its sender sends no probes, so this is none, too.
    What comes sooner, though a packet of data is missing since the original, was not the last in flight: so it is a
    timeout, and its sender sends no probes.
    """
    since_sent = max(signed(verdict.silence), signed(note.waited))  # alone in flight: nothing heard restarts its timer
    least = shortest_timeout(trouble)
    claimed = trouble.claimed == REPEATED  # when it was sent is unseen
    is_blocked = (claimed or since_sent >= least) and may_not_probe(trouble, sender)
    lacking = 0 if is_blocked else _lacks_data(state, sender, receiver, note, verdict)
    once = 2 * verdict.silence < 3 * (least_variation(trouble) + signed(verdict.round_trip))
    habit = signed(trouble.probes)
    if lacking == 1 and verdict.proof & _ORIGINAL_SEEN and once and verdict.silence >= least and habit <= 0:
        learn(state, trouble, -1, signed(note.frame), out)
        enter(trouble, LOSS, snd_max)
        return _RTO, confidence.TIMER_AT_HEAD
    ran = _timers_ran(trouble, sender, note, verdict)
    too_late = 2 * ran > 3 * (2 * verdict.round_trip + least_variation(trouble))
    if habit:
        verdict.proof |= _HABIT
    too_late = verdict.round_trip > 0 and too_late and not _is_first(sender, note, verdict)
    if too_late and lacking == 1:
        _tell_by_missing_repeat(state, trouble, note, verdict, out)
    may_probe = both_acknowledge_selectively(sender, receiver) and not too_late
    if not may_probe and not claimed and _is_far_too_soon(trouble, sender, note, verdict):
        enter(trouble, LOSS, snd_max)
        return _UNKNOWN, confidence.UNTOLD
    may_be_timeout = claimed or since_sent >= verdict.round_trip
    if not may_probe or ((habit < 0 or is_blocked) and may_be_timeout):
        enter(trouble, LOSS, snd_max)
        return _RTO, confidence.TIMER_TOLD
    enter(trouble, PROBED, snd_max)
    if habit > 0 or not may_be_timeout:
        return _TAIL_LOSS_PROBE, confidence.TIMER_TOLD
    leave_undecided(trouble, note)
    await_flight(state, trouble, sender, receiver, signed(note.end))
    return _TAIL_LOSS_PROBE, confidence.TIMER_OR_PROBE


@rare_kernel
def _may_have_probed_with_new_data(state: State, sender: Any, receiver: Any) -> bool:
    """Whether what was sent first of all last went alone, after a silence in which its sender had heard nothing.

    A probe sends new data where there is some (RFC 8985 section 7.3).
    """
    newest = signed(sender.count) - 1
    if newest < 1:
        return False
    last = state.pieces[place_of(sender, newest)]
    other = state.pieces[place_of(sender, newest - 1)]
    stamped = last.marks & other.marks & HAS_TIMESTAMP
    if stamped and last.tsecr != other.tsecr:
        return False
    least = LEAST_CLOCK if stamped else clock(sender, receiver)
    return waited(state, sender, header_of(last), header_of(other)) > least


@rare_kernel
def _note_missing_probe(
    state: State, trouble: Any, sender: Any, receiver: Any, note: Any, verdict: Any, out: Any
) -> None:
    """A timeout with several segments in flight, and nothing sent before it: this sender sends no probes.

    After a probe that did not pass the sensor the timeout runs anew: then the silence is two round trips longer, and
    the probe's IP identification is missing. Where the original did not pass, the identification tells; or the silence,
    if more data is missing than that: so it was in flight. What is shorter than a timeout since what was heard ran from
    the probe.
    """
    if may_not_probe(trouble, sender) or _may_have_probed_with_new_data(state, sender, receiver):
        return
    numbers = numbers_since(sender, note)
    sent_between = signed(note.waited) - signed(verdict.silence) > signed(verdict.round_trip) + _TOLD_APART
    probe_unseen = verdict.silence >= signed(verdict.timeout) + signed(verdict.round_trip)
    told = bool(verdict.original_frame) and not sent_between and not probe_unseen and numbers <= 1
    told = told or (bool(verdict.proof & _HOLE_SEEN) and numbers == 1)
    lacking = _lacks_data(state, sender, receiver, note, verdict)
    least = least_variation(trouble)
    if verdict.proof & _ID_MISSING and verdict.silence < least + 2 * signed(verdict.round_trip):
        told = told or (lacking > 0 and verdict.silence >= least)
    elif verdict.proof & _ID_MISSING and lacking == 1:
        _tell_by_missing_repeat(state, trouble, note, verdict, out)
    if told and both_acknowledge_selectively(sender, receiver) and trouble.probes <= 0:
        learn(state, trouble, -1, signed(note.frame), out)


@rare_kernel
def _has_unheard_report(trouble: Any, sender: Any, note: Any) -> bool:
    """Whether a repeat of the last segment tells that its sender has not heard of losses, though they were reported.

    Once it has, it sends no probes (Linux: ``tcp_schedule_loss_probe``), and repeats only what was not reported to have
    arrived, the first such segment first (RFC 6675 section 5). Identifications tell that no other repeat was missed.
    """
    return bool(scoreboard.holds(trouble, signed(note.start), signed(note.end))) or numbers_since(sender, note) == 1


@rare_kernel
def _released_late(trouble: Any, sender: Any, receiver: Any, note: Any, verdict: Any, phase: int, copy: int) -> bool:
    """Whether a repeat after silence is the first of its segment, and its sender had heard of the loss.

    It has no need of a timeout for that, where it had to do with that loss: the report came late to it. So it is in a
    loss episode, and after as many reports as make any sender repeat (RFC 6675 section 5); and where it had not heard
    what passed the sensor after the report, as its echo tells. Identifications tell that no repeat was missed.
    """
    if not both_acknowledge_selectively(sender, receiver) or not echoes_report(trouble, sender, note):
        return False
    if numbers_since(sender, note) != 1 or copy != NOTHING:
        return False
    many = verdict.duplicate_acks >= DUP_THRESH or verdict.sacked_above >= DUP_THRESH * verdict.length
    return bool(phase in (RECOVERY, LOSS) or many or before(signed(note.tsecr), signed(sender.heard_tsval)))


@rare_kernel
def timer_cause(
    state: State,
    trouble: Any,
    sender: Any,
    receiver: Any,
    note: Any,
    verdict: Any,
    phase: int,
    reported: bool,
    copy: int,
    out: Any,
) -> tuple[int, float]:
    """Return the cause of a repeat that a timer sent, and how sure it is.

    ``reported``: the sender had heard of losses. ``copy``: the note of an earlier copy.
    """
    snd_max = signed(sender.snd_max)
    is_head = not sender.last_heard or not_after(signed(note.start), signed(sender.una))
    is_tail = not_after(snd_max, signed(note.end))
    if is_tail and not is_head and phase == OPEN and (not reported or _has_unheard_report(trouble, sender, note)):
        if reported:
            verdict.proof ^= _LOSS_REPORTED
            forget_heard(trouble, note)
        learn(state, trouble, 1, signed(note.frame), out)
        enter(trouble, PROBED, snd_max)
        return _TAIL_LOSS_PROBE, confidence.PROBE_AT_TAIL
    if not is_head:
        if reported or phase in (RECOVERY, LOSS):
            return _reported_cause(trouble, phase, snd_max)
        return _UNKNOWN, confidence.UNTOLD
    learn_least_timeout(state, trouble, sender, receiver, note, verdict, phase, reported, copy)
    verdict.timeout = timeout(sender, receiver, least_variation(trouble))
    again = was_sent_last(state, sender, receiver, note, copy)
    least = max(shortest_timeout(trouble), signed(verdict.timeout) * 3 // 4)
    too_soon = (
        not again and verdict.silence < least and not _ran_since_repeat(state, sender, receiver, note, copy, least)
    )
    selective = both_acknowledge_selectively(sender, receiver)
    is_asked = reported and not selective and verdict.duplicate_acks >= DUP_THRESH and note.waited < least
    if too_soon and is_asked and phase == OPEN:
        return _reported_cause(trouble, phase, snd_max)
    too_soon = too_soon and not _outlasts_reordering(state, trouble, sender, receiver, note, verdict, phase)
    late = reported and _released_late(trouble, sender, receiver, note, verdict, phase, copy)
    if late or (too_soon and (phase in (RECOVERY, LOSS) or (reported and selective))):
        return _reported_cause(trouble, phase, snd_max)
    is_next = verdict.silence < shortest_timeout(trouble) and not probed_before(state, trouble, copy)
    probes = phase == OPEN or (phase == PROBED and is_next)
    if is_tail and probes and not again and not reported:
        return _last_in_flight(state, trouble, sender, receiver, note, verdict, snd_max, out)
    if not again and _is_far_too_soon(trouble, sender, note, verdict):
        enter(trouble, LOSS, snd_max)
        return _UNKNOWN, confidence.UNTOLD
    if phase == PROBED:
        _tell_probe_from_timeout(state, trouble, sender, receiver, note, copy, out)
    if phase == OPEN and not again and not is_tail and not reported:
        _note_missing_probe(state, trouble, sender, receiver, note, verdict, out)
    enter(trouble, LOSS, snd_max)
    return _RTO, confidence.TIMER_AT_HEAD
