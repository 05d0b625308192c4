"""Repeated and late data: spurious, fast, out of order, plain (step 13)."""

from typing import Any

from processors.flow_table import unacked
from processors.flow_table.state import NOTHING, State
from processors.rules.packet import FIN, SYN, Packet
from processors.rules.rule_sets import FAST, SPURIOUS, RuleSet
from processors.serial import MODULUS_MASK, before, not_after, shorter_than, signed
from segwatch.compilation import kernel
from segwatch.records.findings import FindingColumns
from segwatch.vocabulary import Label

_RETRANSMISSION = int(Label.RETRANSMISSION)
ENOUGH_DUPLICATES = 2
"""Duplicate ACKs that make a repeat a fast retransmission; "already reported" (2^32-1) counts as many."""


@kernel
def _is_old(packet: Packet, sender: Any) -> bool:
    """Step 13 b: the segment starts below the highest end seen (a keep-alive's byte with more behind is not old)."""
    nextseq = signed(sender.nextseq)
    if nextseq == 0 or not before(packet.seq, nextseq):
        return False
    return not (packet.length > 1 and packet.seq == (nextseq - 1) & MODULUS_MASK)


@kernel
def _is_spurious(packet: Packet, receiver: Any) -> bool:
    """Step 13 c: all data was acknowledged already; SYN and FIN are not counted."""
    lastack = signed(receiver.lastack)
    end = (packet.seq + packet.length) & MODULUS_MASK
    return packet.length > 0 and lastack != 0 and not_after(end, lastack)


@kernel
def _is_fast(packet: Packet, receiver: Any, rules: RuleSet) -> bool:
    """Step 13 d: the segment that duplicate ACKs ask for, soon after the peer's last segment."""
    return bool(
        receiver.dupnum >= ENOUGH_DUPLICATES
        and signed(receiver.lastack) == packet.seq
        and shorter_than(packet.now - receiver.lastacktime, rules.fast_retransmission_limit)
    )


@kernel
def _is_out_of_order(packet: Packet, conversation: Any, sender: Any, rules: RuleSet) -> bool:
    """Step 13 e: soon after the segment that was seen too early, and not the last one repeated."""
    limit = rules.out_of_order_limit
    if conversation.initial_rtt != 0:
        limit = signed(conversation.initial_rtt)
    end = packet.seq + packet.length + (1 if packet.flags & (SYN | FIN) else 0)
    return shorter_than(packet.now - sender.nexttime, limit) and signed(sender.nextseq) != end & MODULUS_MASK


@kernel
def retransmission_label(packet: Packet, conversation: Any, sender: Any, receiver: Any, rules: RuleSet) -> int:
    """Step 13 b to f: return the first label of the rule set's order that holds, or 0 for new data."""
    old = _is_old(packet, sender)
    for check in rules.retransmission_checks:
        if check == SPURIOUS:
            if _is_spurious(packet, receiver):
                return check
        elif check == FAST:
            if old and _is_fast(packet, receiver, rules):
                return check
        elif old and _is_out_of_order(packet, conversation, sender, rules):
            return check
    return _RETRANSMISSION if old else 0


@kernel
def note_timeout(state: State, packet: Packet, sender: Any, findings: FindingColumns, row: int) -> None:
    """Section 3.5: the time since the oldest unacknowledged segment, else since the highest end was seen."""
    since = sender.nexttime
    frame = sender.nextframe
    if sender.unacked_first != NOTHING:
        oldest = unacked.oldest(state, sender)
        since = oldest.time
        frame = oldest.frame
    findings.rto[row] = packet.now - since
    findings.rto_frame[row] = frame
