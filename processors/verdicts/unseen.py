"""Repeats of what never passed the sensor, and left no hole: they look like new data in its order.

An IP identification that is missing tells of a packet that was lost before the sensor (``identifications``); if its
sender was then silent for as long as a timer takes, what comes next is the repeat. Where its identifications tell
less, its silence has to be that of a timer just so.
"""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.serial import signed
from processors.verdicts.clocks import silence, since_sent, since_spoken
from processors.verdicts.identifications import (
    LARGEST_STEP,
    answered_without,
    counts_here,
    missing_packets,
    missing_since_syn,
    numbers_alone,
    numbers_from,
    packets_between,
    sends_in_rows,
    was_overtaken,
)
from processors.verdicts.least_timeout import least_variation_of
from processors.verdicts.options import both_acknowledge_selectively
from processors.verdicts.phases import end_if_acknowledged
from processors.verdicts.round_trips import (
    LEAST_CLOCK,
    LEAST_VARIATION,
    clock,
    least_answer,
    least_round_trip,
    longest_answer,
    round_trip,
    timeout,
)
from processors.verdicts.state import LOSS, OPEN, RECOVERY, State
from processors.verdicts.troubles import asked_first, last_repeat
from segwatch.compilation import inner_kernel, rare_kernel
from segwatch.vocabulary import Cause, Quality

_RTO = int(Cause.RTO)
_FAST_RETRANSMIT = int(Cause.FAST_RETRANSMIT)
_TIMESTAMPS = int(Quality.TIMESTAMPS)
_SHORTEST = LEAST_VARIATION // 2
"""Nanoseconds since its last segment passed before which no timeout sent the next: that one may have been held up."""
_TIMER_LATE = 25_000_000
_TIMER_EARLY = 5_000_000
"""Nanoseconds by which a timer differs from the estimate at most."""
_TWICE_DOUBLED = 4
_MOST_TIMERS = 3
"""Timers that run out one after the other at most, before anything passes."""


@rare_kernel
def answers_repeat(state: State, packet: Any, receiver: Any) -> bool:
    """Whether the peer has sent something again since the sender spoke last: its acknowledgments may be missing."""
    repeat = last_repeat(state, receiver)
    return repeat != NOTHING and bool(state.notes[repeat].time > packet.spoke)


@inner_kernel
def may_repeat_unseen(packet: Any, sender: Any, receiver: Any) -> bool:
    """Whether identification and time let a segment be a repeat of what never passed: most of them do not."""
    least = LEAST_CLOCK if signed(receiver.last_sent) <= signed(sender.last_sent) else _SHORTEST
    if packet.now - signed(sender.last_sent) < least:
        return False
    return bool(1 < numbers_from(sender, packet.ip_id) <= LARGEST_STEP)


@rare_kernel
def repeats_first_data(state: State, packet: Any, sender: Any, receiver: Any) -> bool:
    """Whether the first data to pass had been sent before: other data had, and all of it begins there or later.

    The peer has answered the SYN once: it asks for one acknowledgment.
    """
    return packet.seq == sender.snd_max and not receiver.trouble and missing_since_syn(state, packet, sender) > 0


@rare_kernel
def _least_timer(state: State, sender: Any, receiver: Any, surely: bool) -> int:
    """Return the least silence of a timeout.

    ``surely``: what is missing was surely data, as the sender numbers its packets for itself, and had nothing to
    acknowledge. Then its round trip may be shorter than any that was measured, by half: it counts twice, as it is in
    the silence, too.
    """
    least = least_round_trip(sender, receiver)
    return (least >> 1 if surely else least) + least_variation_of(state, sender) - _TIMER_EARLY


@rare_kernel
def _least_probe(sender: Any, receiver: Any, surely: bool) -> int:
    """Return the least silence of a probe (RFC 8985 section 7.2).

    ``surely``: see ``_least_timer``; then its round trip may be shorter than any that was measured, by an eighth: it
    counts three times, as it is in the silence, too.
    """
    least = least_round_trip(sender, receiver)
    return 2 * least - max(_TIMER_EARLY, (3 * least >> 3) if surely else 0)


@rare_kernel
def _delays(sender: Any, receiver: Any) -> int:
    """Return how much longer than its least the way from the sensor to the sender and back takes at most.

    As RFC 6298 estimates it. Its answers may have waited for its application, too: so a round trip counts at most.
    """
    return min(longest_answer(sender) - least_answer(sender), least_round_trip(sender, receiver))


@rare_kernel
def _longest_timer(state: State, sender: Any, receiver: Any) -> int:
    """Return the longest silence of a timeout.

    After a timeout the timer runs twice as long, until something is acknowledged that was sent once (RFC 6298 section
    5, Karn).
    """
    longest = timeout(sender, receiver, least_variation_of(state, sender)) + _delays(sender, receiver)
    if not sender.trouble:
        return longest
    trouble = state.troubles[sender.trouble - 1]
    if trouble.phase != LOSS:
        return longest
    place = signed(trouble.first_note)
    while place != NOTHING:
        verdict = state.rows[place]
        if verdict.cause == _RTO and verdict.episode == trouble.episode:
            longest = max(longest, signed(verdict.silence))
        place = signed(state.notes[place].next)
    return 2 * longest


@rare_kernel
def _timers_fit(state: State, quiet: int, packets: int, sender: Any, receiver: Any, surely: bool) -> bool:
    """Whether a silence is that of a timer, or of as many, one after the other, as packets are missing.

    Each missing packet is the original or a repeat of it. After a probe the timer runs as long again, after a timeout
    twice as long (RFC 6298 section 5.5). With selective acknowledgments, a probe may go before the timeout.
    """
    least = _least_timer(state, sender, receiver, surely)
    longest = _longest_timer(state, sender, receiver)
    for timers in range(1, min(packets, _MOST_TIMERS) + 1):
        if timers * least <= quiet <= ((1 << timers) - 1) * longest + timers * _TIMER_LATE:
            return True
    probed = packets > 1 and both_acknowledge_selectively(sender, receiver)
    return probed and _probe_fits(quiet, sender, receiver, least, longest)


@rare_kernel
def _probe_fits(quiet: int, sender: Any, receiver: Any, least_after: int, longest_after: int) -> bool:
    """Whether a silence is that of a probe with several segments in flight, and of what came after it.

    The probe comes after two round trips (RFC 8985 section 7.2). ``longest_after`` has the delays on the way.
    """
    least = 2 * least_round_trip(sender, receiver) - _TIMER_EARLY
    longest = 2 * round_trip(sender, receiver) + _TIMER_LATE
    return least + least_after <= quiet <= longest + longest_after


@rare_kernel
def owes_nothing(sender: Any, receiver: Any) -> bool:
    """Whether the peer has sent nothing since what the sender sent last, and all before is acknowledged.

    Then what did not pass of a sender that numbers its packets for itself was data.
    """
    return bool(signed(receiver.last_sent) <= signed(sender.last_sent) and receiver.una == receiver.snd_max)


@rare_kernel
def is_unasked(sender: Any, receiver: Any) -> bool:
    """Whether the sender has answered all that it has heard, by what passed: then nothing asks for an empty segment.

    To be asked before the segment at hand is heard.
    """
    answered = signed(sender.last_heard) + least_answer(sender)
    has_all = bool(sender.last_heard) and receiver.una == receiver.snd_max
    return has_all and answered <= signed(receiver.last_heard) + LEAST_CLOCK


@rare_kernel
def _ran_meanwhile(state: State, packet: Any, sender: Any, receiver: Any) -> int:
    """Return for how long a timer may have run though the sender heard a repeat of its peer, nanoseconds; 0 unknown.

    A repeat of what it had is no news: it was asked by the copy before that, and has acknowledged it once more.
    """
    repeat = last_repeat(state, receiver)
    if repeat == NOTHING or not packet.quality & _TIMESTAMPS or state.notes[repeat].tsval != packet.tsecr:
        return 0
    return int(packet.now) - asked_first(state, repeat) - least_answer(sender)


@rare_kernel
def _is_timed(state: State, packet: Any, sender: Any, receiver: Any, packets: int, unasked: bool) -> bool:
    """Whether the silence before a segment at or above ``snd_max`` is one that a timer ends.

    Where nothing reports a loss, a probe comes first, after two round trips (RFC 8985 section 7.2). It is one packet,
    and of a sender with selective acknowledgments: else it is a timeout. With selective acknowledgments, that of Linux
    runs from the sending, whatever was acknowledged in the meantime (``tcp_rearm_rto``). Where what is missing was
    surely data, nothing but a timer can have sent it again: a round trip tells that it was sent before then.

    Where the sender had something to acknowledge in the meantime, what is missing may have been an empty segment: then
    the silence has to be that of a timeout. But it may be longer where all of it was acknowledged by what passed. What
    is missing was sent after its last acknowledgment: without timestamps the silence is no longer than since that.
    Where other acknowledgments of it were missing before, so they may be now. A probe of one segment waits two round
    trips and a delayed acknowledgment at most, unless its timeout is shorter.
    """
    quiet = min(silence(state, packet, sender, receiver), since_spoken(state, packet, sender, receiver))
    unheard = signed(receiver.last_sent) <= signed(sender.last_sent)
    surely = unheard and numbers_alone(state, sender)
    selective = both_acknowledge_selectively(sender, receiver)
    timeout_at_least = _least_timer(state, sender, receiver, surely)
    latest_probe = 2 * round_trip(sender, receiver) + least_variation_of(state, sender) + _TIMER_LATE
    fits = _timers_fit(state, quiet, packets, sender, receiver, surely)
    fits = fits or (packets == 1 and selective and timeout_at_least <= quiet <= latest_probe)
    if unheard:
        has_all = sender.una == sender.snd_max
        probe = _least_probe(sender, receiver, surely)
        least = (probe if packets == 1 and selective else max(probe, timeout_at_least)) if has_all else 0
        if packets == 1 and selective and surely:
            least = min(least, least_round_trip(sender, receiver))
        if selective and surely and since_sent(state, packet, sender, receiver) >= timeout_at_least:
            least = 0
        if quiet < max(least, clock(sender, receiver)):
            return False
        fits = fits or (has_all and quiet <= timeout(sender, receiver, least_variation_of(state, sender)) + _TIMER_LATE)
        if selective and packets == 1 and not has_all:
            fits = fits or _probe_fits(quiet, sender, receiver, 0, 2 * _delays(sender, receiver))
    if counts_here(state, sender, packet.now, quiet):
        fits = fits and (unasked or sender.steady_since > 0 or not answered_without(sender))
        if not fits and packets > 1 and numbers_alone(state, sender):
            fits = timeout_at_least <= _ran_meanwhile(state, packet, sender, receiver) <= latest_probe
        return fits or unheard or (unasked and quiet >= timeout_at_least)
    return fits and sends_in_rows(state, sender)


@rare_kernel
def repeats_unseen(state: State, packet: Any, sender: Any, receiver: Any, unasked: bool) -> bool:
    """Whether a segment at or above ``snd_max`` that ``may_repeat_unseen`` is a repeat that follows silence."""
    if not sender.count:
        return False
    if repeats_first_data(state, packet, sender, receiver):
        return True
    packets = missing_packets(state, packet, sender) - packets_between(state, packet, sender)
    return packets > 0 and _is_timed(state, packet, sender, receiver, packets, unasked)


@rare_kernel
def _forget_unseen(trouble: Any, sender: Any, receiver: Any) -> None:
    """What was missing were other repeats: the episode ended when all that passed was acknowledged."""
    trouble.unseen = 0
    una = signed(sender.una)
    selective = both_acknowledge_selectively(sender, receiver)
    end_if_acknowledged(trouble, una, selective, signed(sender.last_heard), signed(sender.heard_tsval))


@rare_kernel
def _may_have_probed(trouble: Any, sender: Any, receiver: Any) -> bool:
    """Whether a sender may send tail loss probes."""
    return trouble.probes >= 0 and both_acknowledge_selectively(sender, receiver)


@rare_kernel
def earlier_repeats(trouble: Any, sender: Any, receiver: Any, verdict: Any) -> int:
    """Return how many timers ran out before the one that sent a repeat, by its silence: that many did not pass, either.

    After a probe the timer runs about as long again, after a timeout twice as long (RFC 6298 section 5.5).
    """
    if 2 * verdict.silence <= 3 * verdict.timeout:
        return 0
    probes = 1 if _may_have_probed(trouble, sender, receiver) else 0
    return probes if 2 * verdict.silence <= 5 * verdict.timeout else 1 + probes


@rare_kernel
def surely_new(state: State, trouble: Any, sender: Any, receiver: Any, note: Any, verdict: Any, missing: int) -> int:
    """Return how many of the packets that did not pass before the first repeat of an episode were surely new data.

    Its sender numbers its packets for itself, and had nothing to acknowledge. One may have been a probe, before a fast
    retransmit only if that comes twice as late; and a timeout that comes later than the first does follows on others,
    as does one of a loss that had been reported.
    """
    if missing <= 0 or not numbers_alone(state, sender) or not owes_nothing(sender, receiver):
        return 0
    probes = 1 if _may_have_probed(trouble, sender, receiver) else 0
    if verdict.cause == _FAST_RETRANSMIT:
        return missing - (probes if note.waited >= 4 * verdict.round_trip else 0)
    reported = verdict.duplicate_acks > 0 or verdict.sacked_above > 0
    others = reported or earlier_repeats(trouble, sender, receiver, verdict) > 0
    return missing - probes if verdict.cause == _RTO and not others else 0


@rare_kernel
def _was_in_flight(state: State, trouble: Any, sender: Any, receiver: Any, quiet: int) -> bool:
    """Whether nothing new can begin at ``snd_max``, as what did not pass before the first repeat did.

    However its phase ended; but a timeout has not doubled more than twice (RFC 6298 section 5.5).
    """
    phase = signed(trouble.last_phase if trouble.phase == OPEN else trouble.phase)
    if phase not in (RECOVERY, LOSS) or not trouble.surely_unseen:
        return False
    return quiet <= _TWICE_DOUBLED * _longest_timer(state, sender, receiver)


@rare_kernel
def goes_on_unseen(state: State, packet: Any, sender: Any, receiver: Any) -> bool:
    """Whether a segment at ``snd_max`` is a further repeat of a loss episode whose segments never passed.

    What the peer sends after the last repeat is an answer: it had all. And only a timer ends a silence of a round trip
    with a repeat, where it may be new data. One that leaves a hole is a repeat, too, if more are missing than lie in
    the hole: all of them lie just above what was seen.
    """
    if not sender.trouble or not packet.length or not state.troubles[sender.trouble - 1].unseen:
        return False
    trouble = state.troubles[sender.trouble - 1]
    quiet = silence(state, packet, sender, receiver)
    in_flight = _was_in_flight(state, trouble, sender, receiver, quiet)
    if was_overtaken(packet, sender):
        trouble.unseen -= 1
        return False
    if trouble.phase == OPEN and not in_flight:
        trouble.unseen = 0
        return False
    skipped = packets_between(state, packet, sender)
    if skipped >= trouble.unseen:
        trouble.unseen = 0  # that left a hole
        return False
    answered = signed(receiver.last_sent) > signed(sender.last_sent)
    is_silent = quiet >= max(clock(sender, receiver), round_trip(sender, receiver))
    surely = numbers_alone(state, sender)
    is_timed = is_silent and _timers_fit(state, quiet, 1 + skipped, sender, receiver, surely)
    if answered or (is_silent and not is_timed and not in_flight):
        _forget_unseen(trouble, sender, receiver)
        return False
    trouble.unseen -= skipped + 1
    trouble.surely_unseen = max(signed(trouble.surely_unseen) - skipped - 1, 0)
    return True
