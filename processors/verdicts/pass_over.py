"""One segment after the other: most are plain, the others are looked at closely."""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.rules.packet import ACK, FIN, RST, SYN
from processors.serial import MODULUS_MASK, after, as_index, before, distance, signed
from processors.verdicts import counter, rows, sent, troubles
from processors.verdicts.acks_twice import is_ack_again, write_ack_again
from processors.verdicts.claims import note_claim, repeats_claimed
from processors.verdicts.flights import take_flight
from processors.verdicts.handshakes import answered_again, has_sent_syn, is_stray_answer, may_answer
from processors.verdicts.hearing import hear
from processors.verdicts.identifications import note_id, skip_omitted
from processors.verdicts.judge import judge_old, judge_unseen
from processors.verdicts.options import note_options
from processors.verdicts.plain import LONGEST, is_plain, pass_plainly
from processors.verdicts.probes import may_probe, probe_cause, write_probe
from processors.verdicts.resets import is_judged, write_reset
from processors.verdicts.segment import fill, read
from processors.verdicts.state import FIN_SENT, State
from processors.verdicts.unseen import (
    answers_repeat,
    goes_on_unseen,
    is_unasked,
    may_repeat_unseen,
    repeats_first_data,
    repeats_unseen,
)
from processors.verdicts.waits import may_have_waited, write_wait
from segwatch.compilation import inner_kernel, kernel, rare_kernel
from segwatch.records.findings import FindingColumns
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Quality

_NOT_JUDGED = int(
    Quality.FRAGMENT
    | Quality.QUOTED_IN_ICMP
    | Quality.SHORT_SEGMENT
    | Quality.OFFSET_TOO_SMALL
    | Quality.HEADER_CUT
    | Quality.HEADER_UNREADABLE
)
_WIDEST = 1 << 28
"""Numbers that a gap spans at most: beyond it, a sender begins anew."""


@inner_kernel
def _forget(state: State, sender: Any) -> None:
    """Forget what a sender has sent and heard; how long its answers take stays."""
    sent.clear(state, sender)
    if sender.trouble:
        troubles.clear(state, sender)
    sender.una = 0
    sender.snd_max = 0
    sender.busy = 0
    sender.closed = 0
    sender.holes = 0
    sender.duplicate_acks = 0
    sender.last_sent = 0
    sender.last_heard = 0
    sender.heard_tsval = 0


@rare_kernel
def _begin(state: State, sender: Any, stream: int) -> None:
    """Give a sender the values of one that has not been seen, in a new conversation."""
    if sender.stream:
        _forget(state, sender)
        sender.marks = 0
        sender.answer_time = 0
        sender.answer_variation = 0
        sender.answer_least = 0
    sender.stream = stream


@inner_kernel
def _take_syn(state: State, packet: Any, sender: Any) -> None:
    """Begin anew where a SYN has another number than before; no time is counted twice all the same."""
    if not sent.has_begun(sender):
        return
    if not has_sent_syn(state, packet, sender):
        heard = sender.last_heard
        stalled_until = signed(state.troubles[sender.trouble - 1].stalled_until) if sender.trouble else 0
        _forget(state, sender)
        if stalled_until:
            troubles.trouble_of(state, sender).stalled_until = stalled_until
        sender.last_heard = heard
        sender.una = packet.seq
        sender.snd_max = packet.seq


@inner_kernel
def _is_mostly_new(packet: Any, end: int, sender: Any) -> bool:
    """Whether a segment only begins with the byte that probed a closed window (so in Wireshark's rules, too)."""
    snd_max = signed(sender.snd_max)
    return packet.length > 1 and packet.seq == (snd_max - 1) & MODULUS_MASK and after(end, snd_max)


@inner_kernel
def _awaits_unseen(state: State, sender: Any) -> bool:
    """Whether something is known to have been sent that never passed."""
    if not sender.trouble:
        return False
    trouble = state.troubles[sender.trouble - 1]
    return bool(trouble.claimed or trouble.unseen)


@inner_kernel
def _is_repeat(state: State, packet: Any, sender: Any, receiver: Any, unasked: bool) -> bool:
    """Whether a segment that looks like new data is a repeat of what never passed the sensor."""
    may_repeat = may_repeat_unseen(packet, sender, receiver)
    awaited = (sender.busy or may_repeat) and _awaits_unseen(state, sender)
    if awaited and (repeats_claimed(state, packet, sender, unasked) or goes_on_unseen(state, packet, sender, receiver)):
        return True
    return may_repeat and repeats_unseen(state, packet, sender, receiver, unasked)


@inner_kernel
def _judge_new(state: State, packet: Any, end: int, sender: Any, receiver: Any, unasked: bool, out: Any) -> None:
    """Write the verdict on a segment that looks like new data, if there is one: it is a repeat, or it had to wait."""
    if _is_repeat(state, packet, sender, receiver, unasked):
        since = signed(sender.last_sent)
        judge_unseen(state, packet, end, sender, receiver, since, out)
    elif may_have_waited(packet, sender) and packet.seq == signed(sender.snd_max):
        write_wait(state, packet, sender, receiver, out)


@rare_kernel
def _note_gap(state: State, sender: Any) -> None:
    """Remember that there is a gap behind something that passed: else what lies in it may be older than the capture."""
    if sender.count:
        sender.holes = min(signed(sender.holes) + 1, 0xFF)
        sender.busy = 1
        trouble = troubles.trouble_of(state, sender)
        if not trouble.gap_known:
            trouble.gap_known = 1
            trouble.known_from = state.pieces[sent.place_of(sender, 0)].start
    elif sender.trouble:
        state.troubles[sender.trouble - 1].gap_known = 0


@inner_kernel
def _take_data(
    state: State,
    packet: Any,
    end: int,
    sender: Any,
    receiver: Any,
    probes: bool,
    unasked: bool,
    asked: int,
    out: Any,
) -> None:
    """Take a segment that occupies sequence numbers up to ``end``.

    ``probes``: a verdict calls it a probe already. ``unasked``: see ``is_unasked``; ``asked``: see ``answered_again``.
    """
    if not sent.has_begun(sender):
        sender.una = packet.seq
        sender.snd_max = packet.seq
    snd_max = signed(sender.snd_max)
    if may_answer(packet, sender):
        if asked:
            judge_unseen(state, packet, end, sender, receiver, asked, out)
    elif not probes and not before(packet.seq, snd_max):
        if sender.trouble and state.troubles[sender.trouble - 1].flight:
            take_flight(state, state.troubles[sender.trouble - 1], sender, receiver, packet, out)
        _judge_new(state, packet, end, sender, receiver, unasked, out)
    if packet.seq == snd_max or _is_mostly_new(packet, end, sender):
        sent.take_new(state, sender, packet, snd_max, end)
    elif after(packet.seq, snd_max):
        if distance(packet.seq, snd_max) >= _WIDEST:
            sent.clear(state, sender)
        _note_gap(state, sender)
        sent.take_new(state, sender, packet, packet.seq, end)
    else:
        if judge_old(state, packet, end, sender, receiver, out):
            sender.last_sent = packet.now
        if after(end, signed(sender.snd_max)):
            sent.take_new(state, sender, packet, signed(sender.snd_max), end)


@rare_kernel
def _pass_closely(
    state: State,
    packet: Any,
    sender: Any,
    receiver: Any,
    out: Any,
) -> None:
    """Take one segment: first what it says to the receiver of its data, then what it carries."""
    if packet.flag_bits & RST:
        if is_judged(packet.reset):
            write_reset(state, packet, sender, receiver, out)
        return
    if packet.length >= LONGEST:
        return
    if is_ack_again(packet, sender, receiver):
        write_ack_again(state, packet, sender, receiver, out)
        return
    if packet.flag_bits & SYN and is_stray_answer(state, packet, sender, receiver):
        return
    skip_omitted(state, packet, sender)
    unasked = is_unasked(sender, receiver)
    asked = answered_again(state, packet, receiver) if packet.flag_bits & SYN else 0
    if repeats_first_data(state, packet, sender, receiver):
        packet.ack_rtt = 0  # its first acknowledgment did not pass
    goes_on = packet.seq == sender.snd_max and not answers_repeat(state, packet, receiver)
    if packet.flag_bits & ACK:
        hear(state, packet, receiver, sender, out)
    probes = False
    if may_probe(packet, sender):
        cause = probe_cause(state, packet, sender, receiver, packet.labels)
        if cause:
            probes = True
            write_probe(state, packet, sender, receiver, cause, out)
            if packet.seq != signed(sender.snd_max):
                note_id(packet, sender, False)
                return
    if packet.flag_bits & SYN:
        note_options(packet, sender)
        _take_syn(state, packet, sender)
    occupied = packet.length + (1 if packet.flag_bits & (SYN | FIN) else 0)
    if occupied:
        if packet.flag_bits & FIN:
            sender.marks |= FIN_SENT
        end = (packet.seq + occupied) & MODULUS_MASK
        _take_data(state, packet, end, sender, receiver, probes, unasked, asked, out)
    elif after(packet.seq, signed(sender.snd_max)):
        note_claim(state, packet, sender, receiver)
    note_id(packet, sender, goes_on)


@kernel
def judge_rows(
    state: State,
    segments: SegmentColumns,
    findings: FindingColumns,
    conversation_of_row: Any,
    first: int,
    judged: Any,
    out: Any,
    sources: Any,
) -> int:
    """Judge the rows from ``first`` on; stop where memory is used up. Return the next row to judge.

    ``judged``: (1,) of ``SEGMENT``, for what is looked at closely. ``sources`` gets the row that gave each of the
    verdicts in ``out``.
    """
    end = len(segments.ts)
    checked = -1
    written = signed(state.counters[counter.WRITTEN])
    for row in range(first, end):
        place = as_index(row)
        flow = signed(conversation_of_row[place])
        if flow == NOTHING or signed(segments.quality[place]) & _NOT_JUDGED:
            continue
        if state.counters[counter.USES] != checked:
            if not (rows.has_room(state, out) and sent.has_room(state) and troubles.has_room(state)):
                return row
            checked = signed(state.counters[counter.USES])
        from_client = signed(findings.from_client[place])
        sender = state.senders[as_index(2 * flow + 1 - from_client)]
        receiver = state.senders[as_index(2 * flow + from_client)]
        stream = signed(findings.stream[place]) + 1
        if sender.stream != stream:
            _begin(state, sender, stream)
            _begin(state, receiver, stream)
        segment = read(segments, findings, place)
        if is_plain(segment, sender, receiver):
            pass_plainly(state, segment, segments, place, sender, receiver)
        else:
            fill(judged[0], segment, segments, findings, place)
            judged[0].spoke = receiver.last_heard
            judged[0].spoke_tsval = receiver.heard_tsval
            _pass_closely(state, judged[0], sender, receiver, out)
            while written < signed(state.counters[counter.WRITTEN]):
                rows.fill_addresses(out[written], segments, place, from_client)
                sources[written] = row
                written += 1
    return end
