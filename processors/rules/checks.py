"""The checks in their order: labels and numbers of one analysable header (sections 2.4 to 2.6)."""

from typing import Any

from processors.flow_table.state import State
from processors.rules.duplicate_ack import count_duplicate, is_duplicate_ack, note_acknowledgment
from processors.rules.in_flight import note_in_flight
from processors.rules.keep_alive import is_keep_alive, is_keep_alive_ack
from processors.rules.loss import ack_lost_segment, acks_unseen, is_lost_segment
from processors.rules.packet import ACK, FIN, SYN, SYN_FIN_RST, Packet
from processors.rules.retransmission import note_timeout, retransmission_label
from processors.rules.round_trip import match_acknowledgment
from processors.rules.rule_sets import RuleSet
from processors.rules.sequence import advance, remember_last, remember_segment
from processors.rules.window import is_window_full, is_window_update
from processors.rules.zero_window import is_zero_window, is_zero_window_probe, is_zero_window_probe_ack
from processors.serial import signed
from segwatch.compilation import kernel
from segwatch.records.findings import FindingColumns
from segwatch.vocabulary import Label

_DUPLICATE_ACK = int(Label.DUPLICATE_ACK)
_KEEP_ALIVE = int(Label.KEEP_ALIVE)
_KEEP_ALIVE_ACK = int(Label.KEEP_ALIVE_ACK)
_LOST_SEGMENT = int(Label.LOST_SEGMENT)
_RETRANSMISSION = int(Label.RETRANSMISSION)
_WINDOW_FULL = int(Label.WINDOW_FULL)
_WINDOW_UPDATE = int(Label.WINDOW_UPDATE)
_ZERO_WINDOW = int(Label.ZERO_WINDOW)
_ZERO_WINDOW_PROBE = int(Label.ZERO_WINDOW_PROBE)
_ZERO_WINDOW_PROBE_ACK = int(Label.ZERO_WINDOW_PROBE_ACK)


@kernel
def _changes_nothing(packet: Packet, sender: Any) -> bool:
    """Whether an empty segment repeats both numbers of its sender's last one (steps 5, 7, 8, 9)."""
    return (
        packet.length == 0
        and packet.seq == signed(sender.nextseq)
        and packet.ack == signed(sender.lastack)
        and not packet.flags & SYN_FIN_RST
    )


@kernel
def _repetition_label(packet: Packet, conversation: Any, sender: Any, receiver: Any) -> int:
    """Steps 5, 7, 8 and 9: the label of a segment that ``_changes_nothing``."""
    if is_window_update(packet, sender):
        return _WINDOW_UPDATE
    if is_keep_alive_ack(packet, sender, receiver):
        return _KEEP_ALIVE_ACK
    if is_zero_window_probe_ack(packet, sender, receiver):
        return _ZERO_WINDOW_PROBE_ACK
    if is_duplicate_ack(packet, conversation, sender):
        count_duplicate(sender)
        return _DUPLICATE_ACK
    return 0


@kernel
def _window_and_number_labels(packet: Packet, conversation: Any, sender: Any, receiver: Any) -> int:
    """Steps 1 to 9."""
    if is_zero_window_probe(packet, sender, receiver):
        return _ZERO_WINDOW_PROBE
    labels = 0
    if is_zero_window(packet):
        labels |= _ZERO_WINDOW
    if is_lost_segment(packet, sender):
        labels |= _LOST_SEGMENT
        sender.bytes_in_flight_ok = 0
    if is_keep_alive(packet, sender):
        labels |= _KEEP_ALIVE
    if is_window_full(packet, receiver):
        labels |= _WINDOW_FULL
    if _changes_nothing(packet, sender):
        labels |= _repetition_label(packet, conversation, sender, receiver)
    return labels


@kernel
def analyze_packet(
    state: State,
    rules: RuleSet,
    packet: Packet,
    conversation: Any,
    sender: Any,
    receiver: Any,
    findings: FindingColumns,
    row: int,
) -> tuple[int, bool]:
    """Run all checks and updates; return the labels and whether Wireshark keeps a record of the segment."""
    if packet.flags & ACK:
        receiver.bytes_in_flight_ok = 1
    labels = _window_and_number_labels(packet, conversation, sender, receiver)
    if labels & _DUPLICATE_ACK:
        findings.dup_ack_num[row] = sender.dupnum
        findings.dup_ack_frame[row] = sender.lastnondup
    note_acknowledgment(packet, sender)
    record = False
    if acks_unseen(packet, receiver):
        labels |= ack_lost_segment(receiver)
        record = True
    if (packet.length > 0 or packet.flags & (SYN | FIN)) and not labels & _KEEP_ALIVE:
        repeat = retransmission_label(packet, conversation, sender, receiver, rules)
        if repeat == _RETRANSMISSION:
            note_timeout(state, packet, sender, findings, row)
        labels |= repeat
    end = remember_segment(state, packet, sender)
    advance(packet, sender, end, labels)
    remember_last(packet, conversation, sender, labels)
    if match_acknowledgment(state, packet, receiver, findings, row):
        record = True
    if note_in_flight(packet, sender, receiver, findings, row):
        record = True
    return labels, record or labels != 0
