"""One segment after the other: the pipeline of a TCP header (section 2.1), and the loop over a batch."""

from typing import Any

from processors import intervals, resets
from processors.flow_table import counter, unacked
from processors.flow_table.lookup import source_is_greater
from processors.flow_table.state import NOTHING, State
from processors.rules.checks import analyze_packet
from processors.rules.completeness import first_completeness, next_completeness
from processors.rules.conversation import (
    EXPIRED,
    MOVED_BASE,
    NEW,
    REPEATED_SYN,
    REPLACED,
    RESTARTED,
    begin,
    client_side,
    has_expired,
    learn_bases,
    move_base,
    opening,
)
from processors.rules.events import fast_open_answer, fast_open_request, flag_events
from processors.rules.packet import ACK, FIN, RST, SYN, Packet
from processors.rules.round_trip import note_handshake_time
from processors.rules.rule_sets import RuleSet
from processors.rules.window import agree_on_scale, learn_scale, scale_factor, scaled_window
from processors.serial import MODULUS_MASK, distance, signed
from segwatch.compilation import kernel
from segwatch.records.findings import FindingColumns, Shown
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Completeness, Label, Quality

_REUSED_PORTS = int(Label.REUSED_PORTS)
_ZERO_WINDOW = int(Label.ZERO_WINDOW)
_COMPLETENESS_SYN = int(Completeness.SYN)
_NOT_ANALYSABLE = int(Quality.FRAGMENT | Quality.QUOTED_IN_ICMP | Quality.SHORT_SEGMENT)
_OFFSET_TOO_SMALL = int(Quality.OFFSET_TOO_SMALL)
_HEADER_CUT = int(Quality.HEADER_CUT)
_OPTIONS_CUT = int(Quality.OPTIONS_CUT)
_ANNOUNCED = int(Quality.ANNOUNCED)
_PROXIED = int(Quality.PROXIED)
_RESTARTED = int(Quality.RESTARTED)
_SHOW_STREAM = int(Shown.STREAM)
_SHOW_LENGTH = int(Shown.LENGTH)
_SHOW_WINDOW = int(Shown.WINDOW)
_SHOW_SCALE = int(Shown.SCALE)
_SHOW_TIMES = int(Shown.TIMES)
_SHOW_ACK = int(Shown.ACK)
_SHOW_NEXT_SEQUENCE = int(Shown.NEXT_SEQUENCE)
_SACK_BLOCKS_USED = 3


@kernel
def _clear_findings(findings: FindingColumns, first: int, end: int) -> None:
    """Give findings the values of segments that say nothing, one column after the other."""
    findings.stream[first:end] = NOTHING
    findings.labels[first:end] = 0
    findings.events[first:end] = 0
    findings.reset[first:end] = 0
    findings.dup_ack_num[first:end] = 0
    findings.dup_ack_frame[first:end] = 0
    findings.bytes_in_flight[first:end] = 0
    findings.push_bytes[first:end] = 0
    findings.rto[first:end] = 0
    findings.rto_frame[first:end] = 0
    findings.ack_rtt[first:end] = 0
    findings.acks_frame[first:end] = 0
    findings.initial_rtt[first:end] = 0
    findings.window[first:end] = 0
    findings.window_scale[first:end] = 0
    findings.seq[first:end] = 0
    findings.ack[first:end] = 0
    findings.nxtseq[first:end] = 0
    findings.time_relative[first:end] = 0
    findings.time_delta[first:end] = 0
    findings.completeness[first:end] = 0
    findings.from_client[first:end] = 0
    findings.shown[first:end] = 0


@kernel
def _hide_numbers(findings: FindingColumns, row: int) -> None:
    """Take back what the analysis noted: Wireshark keeps the state, but shows none of it."""
    findings.dup_ack_num[row] = 0
    findings.dup_ack_frame[row] = 0
    findings.bytes_in_flight[row] = 0
    findings.push_bytes[row] = 0
    findings.rto[row] = 0
    findings.rto_frame[row] = 0
    findings.ack_rtt[row] = 0
    findings.acks_frame[row] = 0


@kernel
def _join(state: State, segments: SegmentColumns, row: int, flow: int, side: int, closed: Any) -> tuple[bool, int]:
    """Steps 2 and 4 of the pipeline: the conversation that the header belongs to.

    Returns whether it is a new one, and the label that comes of joining (a record is kept for a repeated SYN, too:
    then the label is ``NOTHING``).
    """
    conversation = state.conversations[flow]
    sender = state.directions[2 * flow + side]
    receiver = state.directions[2 * flow + 1 - side]
    flags = signed(segments.flags[row])
    now = signed(segments.ts[row])
    quality = signed(segments.quality[row])
    what = opening(conversation, sender, flags, signed(segments.seq[row]))
    if what != NEW and quality & _RESTARTED:
        what = RESTARTED
    if has_expired(state, conversation, now):
        what = EXPIRED
    if what in (NEW, REPLACED, RESTARTED, EXPIRED):
        if what != NEW:
            unacked.clear(state, sender)
            unacked.clear(state, receiver)
            if conversation.interval != NOTHING:
                intervals.close(state, signed(conversation.interval), closed)
        begin(conversation, sender, receiver, signed(state.counters[counter.STREAMS]), now)
        state.counters[counter.STREAMS] += 1
        conversation.client_side = client_side(flags, side, signed(segments.sport[row]), signed(segments.dport[row]))
        if what != REPLACED:
            return what in (NEW, EXPIRED) and not quality & _ANNOUNCED, 0
        conversation.completeness = _COMPLETENESS_SYN
        return False, _REUSED_PORTS
    if what == REPEATED_SYN:
        sender.nextseq = sender.maxack
        return False, NOTHING
    if what == MOVED_BASE:
        move_base(state, sender, signed(segments.seq[row]))
        return False, _REUSED_PORTS
    return False, 0


@kernel
def _show_numbers(
    conversation: Any, sender: Any, receiver: Any, packet: Packet, analysable: bool, findings: FindingColumns, row: int
) -> int:
    """Step 5's display: relative numbers and the window, by the scale that was valid before this header's options."""
    shown = _SHOW_STREAM | _SHOW_WINDOW | _SHOW_ACK | _SHOW_TIMES
    findings.seq[row] = packet.seq
    findings.ack[row] = packet.ack
    findings.window[row] = packet.window
    if not packet.flags & SYN:
        shown |= _SHOW_SCALE
        findings.window_scale[row] = scale_factor(sender)
    if analysable:
        relative = distance(packet.seq, signed(sender.base_seq))
        occupies = 1 if packet.flags & (SYN | FIN) else 0
        findings.seq[row] = relative
        findings.nxtseq[row] = (relative + packet.length + occupies) & MODULUS_MASK
        if packet.flags & ACK:
            findings.ack[row] = distance(packet.ack, signed(receiver.base_seq))
        findings.window[row] = scaled_window(sender, packet.flags, packet.window) & MODULUS_MASK
        shown |= _SHOW_LENGTH | _SHOW_NEXT_SEQUENCE
    findings.completeness[row] = conversation.completeness
    return shown


@kernel
def _read_options(conversation: Any, sender: Any, segments: SegmentColumns, row: int) -> None:
    """Step 12: window scale, selective acknowledgments and multipath options count from the next header on."""
    learn_scale(sender, signed(segments.wscale[row]))
    blocks = min(signed(segments.sack_count[row]), _SACK_BLOCKS_USED)
    if blocks:
        sacked = 0
        for block in range(blocks):
            left = signed(segments.sack[row, 2 * block])
            sacked += distance(signed(segments.sack[row, 2 * block + 1]), left)
        sender.sacked = sacked & MODULUS_MASK
    conversation.mptcp |= segments.mptcp[row]


@kernel
def _after_flags(
    conversation: Any, sender: Any, receiver: Any, packet: Packet, is_new: bool, findings: FindingColumns, row: int
) -> None:
    """Steps 7 to 10: completeness, handshake time, closing roles."""
    if is_new:
        conversation.completeness = first_completeness(packet.flags, packet.length)
    else:
        conversation.completeness = next_completeness(signed(conversation.completeness), packet.flags, packet.length)
    note_handshake_time(conversation, sender, packet.flags, packet.now)
    findings.events[row] = flag_events(sender, receiver, packet.flags)
    findings.events[row] |= fast_open_answer(conversation, packet.flags, signed(findings.ack[row]))


@kernel
def _display(
    conversation: Any,
    sender: Any,
    receiver: Any,
    packet: Packet,
    segments: SegmentColumns,
    labels: int,
    record: bool,
    quality: int,
    findings: FindingColumns,
    row: int,
) -> int:
    """Steps 11 to 14: options, and the labels and numbers where Wireshark gets as far as showing them."""
    if quality & _HEADER_CUT:
        _hide_numbers(findings, row)
        return _SHOW_TIMES
    _read_options(conversation, sender, segments, row)
    if quality & _OPTIONS_CUT:
        _hide_numbers(findings, row)
        return 0
    findings.labels[row] = labels
    if record:
        findings.initial_rtt[row] = conversation.initial_rtt
    findings.events[row] |= fast_open_request(conversation, packet.flags, packet.length, quality)
    if packet.flags & SYN:
        agree_on_scale(sender, receiver, packet.flags)
    return 0


@kernel
def _packet(segments: SegmentColumns, row: int, analysable: bool) -> Packet:
    """Return the fields of a header that rules look at; what is not analysable counts as without payload."""
    return Packet(
        signed(segments.seq[row]),
        signed(segments.ack[row]),
        signed(segments.window[row]),
        signed(segments.flags[row]),
        signed(segments.payload_len[row]) if analysable else 0,
        signed(segments.ts[row]),
        signed(segments.frame[row]),
    )


@kernel
def analyze_segment(
    state: State,
    rules: RuleSet,
    segments: SegmentColumns,
    findings: FindingColumns,
    row: int,
    flow: int,
    closed: Any,
) -> None:
    """Run one TCP header through the whole pipeline and count it in its interval."""
    side = 1 if source_is_greater(segments, row) else 0
    is_new, joined = _join(state, segments, row, flow, side, closed)
    conversation = state.conversations[flow]
    sender = state.directions[2 * flow + side]
    receiver = state.directions[2 * flow + 1 - side]
    quality = signed(segments.quality[row])
    analysable = not quality & _NOT_ANALYSABLE
    packet = _packet(segments, row, analysable)
    sender.sacked = 0
    idle = packet.now - conversation.previous
    findings.stream[row] = conversation.stream
    findings.time_relative[row] = packet.now - conversation.first
    findings.time_delta[row] = idle
    conversation.previous = packet.now
    by_client = side == conversation.client_side
    findings.from_client[row] = 1 if by_client else 0
    if packet.flags & RST and analysable:
        findings.reset[row] = resets.classify_reset(packet, conversation, sender, receiver, by_client, idle)
    closed_since = signed(sender.lastacktime) if sender.lastlabels & _ZERO_WINDOW else packet.now
    labels = max(0, joined)
    record = joined != 0
    if analysable:
        learn_bases(sender, receiver, packet.flags, packet.seq, packet.ack)
        found, kept = analyze_packet(state, rules, packet, conversation, sender, receiver, findings, row)
        labels |= found
        record = record or kept
        resets.note_seen(conversation, sender, receiver, packet.flags, found, by_client, idle)
    shown = _show_numbers(conversation, sender, receiver, packet, analysable, findings, row)
    if quality & _OFFSET_TOO_SMALL:
        _hide_numbers(findings, row)
        shown &= _SHOW_STREAM | _SHOW_LENGTH
    else:
        _after_flags(conversation, sender, receiver, packet, is_new, findings, row)
        shown &= ~_display(conversation, sender, receiver, packet, segments, labels, record, quality, findings, row)
    findings.shown[row] = shown
    if quality & _PROXIED:
        state.counters[counter.STREAMS] += 1
    if analysable:
        if packet.flags & (FIN | RST) and not conversation.closer:
            conversation.closer = 1 if by_client else 2
        waited = max(packet.now - closed_since, 0)
        direction = 0 if by_client else 1
        intervals.count(state, flow, direction, packet, waited, segments, findings, row, closed)
        if packet.flags & (FIN | RST | ACK) != ACK or conversation.closer:
            intervals.close_if_ended(state, flow, packet.flags, closed)


@kernel
def analyze_rows(
    state: State,
    rules: RuleSet,
    segments: SegmentColumns,
    findings: FindingColumns,
    conversation_of_row: Any,
    first: int,
    end: int,
    closed: Any,
) -> int:
    """Analyse rows ``first`` to ``end``; stop where a pool or the output is full. Return the next row to analyse."""
    _clear_findings(findings, first, end)
    for row in range(first, end):
        now = signed(segments.ts[row])
        if intervals.sweep_is_due(state, now) and not intervals.sweep(state, intervals.minute_of(now), closed):
            return row
        if not unacked.has_room(state) or not intervals.has_room(state, closed):
            return row
        state.counters[counter.ROWS_SINCE_SWEEP] += 1
        flow = signed(conversation_of_row[row])
        if flow != NOTHING:
            analyze_segment(state, rules, segments, findings, row, flow, closed)
    return end
