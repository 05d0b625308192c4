"""Interval counters: what each conversation did in each minute, additive, both directions.

An interval record is open from the first segment of its conversation in a minute until the conversation sends in
another minute, until it ends (a reset, or the answer to the second FIN: then its memory is free at once), or until a
sweep: when the capture's time has moved on, all records of other minutes are closed. All of these depend on the
segments alone, never on how they are cut into batches.
"""

from typing import Any

from processors.flow_table import counter
from processors.flow_table.state import NOTHING, State
from processors.resets import Seen
from processors.rules.packet import FIN, RST, SYN, Packet
from processors.serial import signed
from segwatch.compilation import kernel
from segwatch.records.findings import FindingColumns
from segwatch.records.intervals import INTERVAL_NANOSECONDS
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import LABEL_NAMES, RETRANSMISSIONS, SHARE_MASK, Quality

MOST_CLOSED = 3
"""Records that one segment can close: of the conversation it replaces, of another minute, at its end."""
_SEEN_FIN = int(Seen.FIN)
_IPV6 = int(Quality.IPV6)
_LABELS = len(LABEL_NAMES)
_REPEATS = int(RETRANSMISSIONS)


@kernel
def minute_of(now: int) -> int:
    """Return the start of the minute that a time lies in."""
    return now - now % INTERVAL_NANOSECONDS


@kernel
def is_in_minute(now: int, minute: int) -> bool:
    """Whether a time lies in the minute that starts at ``minute``; cheaper than ``minute_of``, which divides."""
    return minute <= now and now - minute < INTERVAL_NANOSECONDS


@kernel
def has_room(state: State, closed: Any) -> bool:
    """Whether a segment can be counted: a record to open, and a place for one that is closed."""
    free = state.counters[counter.INTERVALS_FREE] != NOTHING
    unused = state.counters[counter.INTERVALS_USED] < len(state.intervals)
    return bool((free or unused) and state.counters[counter.CLOSED] + MOST_CLOSED <= len(closed))


@kernel
def close(state: State, slot: int, closed: Any) -> None:
    """Copy an open record to the output and free it."""
    place = state.counters[counter.CLOSED]
    closed[place] = state.intervals[slot]
    state.counters[counter.CLOSED] = place + 1
    record = state.intervals[slot]
    state.conversations[record.flow].interval = NOTHING
    record.flow = NOTHING
    record.stream = state.counters[counter.INTERVALS_FREE]
    state.counters[counter.INTERVALS_FREE] = slot


@kernel
def _open(state: State, flow: int, minute: int, segments: SegmentColumns, row: int, direction: int) -> int:
    """Start a record for a conversation and minute, with a segment that was sent in ``direction``."""
    slot = state.counters[counter.INTERVALS_FREE]
    if slot != NOTHING:
        state.counters[counter.INTERVALS_FREE] = state.intervals[slot].stream
    else:
        slot = state.counters[counter.INTERVALS_USED]
        state.counters[counter.INTERVALS_USED] = slot + 1
    conversation = state.conversations[flow]
    record = state.intervals[slot]
    record.start = minute
    for word in range(2):
        record.client[word] = segments.dst[row, word] if direction else segments.src[row, word]
        record.server[word] = segments.src[row, word] if direction else segments.dst[row, word]
    record.client_port = segments.dport[row] if direction else segments.sport[row]
    record.server_port = segments.sport[row] if direction else segments.dport[row]
    record.ip_version = 6 if segments.quality[row] & _IPV6 else 4
    record.stream = conversation.stream
    record.flow = flow
    record.reset = 0
    record.first = segments.ts[row]
    record.last = segments.ts[row]
    record.opened = conversation.first
    for side in range(2):
        _clear(record.sent[side])
    conversation.interval = slot
    return signed(slot)


@kernel
def _clear(sent: Any) -> None:
    sent.segments = 0
    sent.data_segments = 0
    sent.quality = 0
    sent.payload_bytes = 0
    sent.retransmitted_bytes = 0
    sent.rtt_sum = 0
    sent.rtt_min = 0
    sent.rtt_max = 0
    sent.rtt_count = 0
    sent.resets = 0
    sent.syns = 0
    sent.fins = 0
    sent.zero_window_time = 0
    for label in range(_LABELS):
        sent.labels[label] = 0


@kernel
def sweep_is_due(state: State, now: int) -> bool:
    """Whether time has moved to another minute, and enough was done since the last sweep to pay for one."""
    counters = state.counters
    return bool(
        not is_in_minute(now, signed(counters[counter.MINUTE]))
        and counters[counter.ROWS_SINCE_SWEEP] >= counters[counter.INTERVALS_USED]
    )


@kernel
def sweep(state: State, minute: int, closed: Any) -> bool:
    """Close all records of other minutes than ``minute``; return False where the output is full (call it again)."""
    for slot in range(state.counters[counter.INTERVALS_USED]):
        record = state.intervals[slot]
        if record.flow != NOTHING and record.start != minute:
            if state.counters[counter.CLOSED] >= len(closed):
                return False
            close(state, slot, closed)
    state.counters[counter.MINUTE] = minute
    state.counters[counter.ROWS_SINCE_SWEEP] = 0
    return True


@kernel
def close_if_ended(state: State, flow: int, flags: int, closed: Any) -> None:
    """Close the record of a conversation that just ended, once; what comes later opens another."""
    conversation = state.conversations[flow]
    if conversation.ended or conversation.interval == NOTHING:
        return
    both_finished = state.directions[2 * flow].seen & state.directions[2 * flow + 1].seen & _SEEN_FIN
    if flags & RST or (both_finished and not flags & FIN):
        conversation.ended = 1
        close(state, signed(conversation.interval), closed)


@kernel
def close_all(state: State, closed: Any) -> bool:
    """Close all open records; return False where the output is full (call it again)."""
    for slot in range(state.counters[counter.INTERVALS_USED]):
        if state.intervals[slot].flow != NOTHING:
            if state.counters[counter.CLOSED] >= len(closed):
                return False
            close(state, slot, closed)
    return True


@kernel
def _add_quality(sent: Any, quality: int) -> None:
    known = signed(sent.quality)
    share = max(known & SHARE_MASK, quality & SHARE_MASK)
    sent.quality = (known | quality) & ~SHARE_MASK | share


@kernel
def _count_rtt(sent: Any, rtt: int) -> None:
    if sent.rtt_count == 0 or rtt < sent.rtt_min:
        sent.rtt_min = rtt
    if rtt > sent.rtt_max:
        sent.rtt_max = rtt
    sent.rtt_sum += rtt
    sent.rtt_count += 1


@kernel
def count(
    state: State,
    flow: int,
    direction: int,
    packet: Packet,
    window_closed_for: int,
    segments: SegmentColumns,
    findings: FindingColumns,
    row: int,
    closed: Any,
) -> None:
    """Add one segment to its conversation's record; ``direction`` 0: sent by the client, 1: by the server."""
    conversation = state.conversations[flow]
    flags = packet.flags
    slot = signed(conversation.interval)
    if slot != NOTHING and not is_in_minute(packet.now, signed(state.intervals[slot].start)):
        close(state, slot, closed)
        slot = NOTHING
    if slot == NOTHING:
        slot = _open(state, flow, minute_of(packet.now), segments, row, direction)
    record = state.intervals[slot]
    record.first = min(packet.now, record.first)
    record.last = max(packet.now, record.last)
    record.completeness = conversation.completeness
    record.closer = conversation.closer
    record.initial_rtt = conversation.initial_rtt
    sent = record.sent[direction]
    sent.segments += 1
    _add_quality(sent, signed(segments.quality[row]))
    if packet.length > 0:
        sent.data_segments += 1
        sent.payload_bytes += packet.length
    if flags & (SYN | FIN | RST):
        sent.syns += 1 if flags & SYN else 0
        sent.fins += 1 if flags & FIN else 0
        if flags & RST:
            sent.resets += 1
            record.reset = findings.reset[row]
    sent.zero_window_time += window_closed_for
    if findings.ack_rtt[row] > 0:
        _count_rtt(sent, signed(findings.ack_rtt[row]))
    labels = signed(findings.labels[row])
    if labels:
        if labels & _REPEATS:
            sent.retransmitted_bytes += packet.length
        for label in range(_LABELS):
            if labels >> label & 1:
                sent.labels[label] += 1
