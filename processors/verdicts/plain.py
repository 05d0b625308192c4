"""What most segments are: new data in its order, or an acknowledgment of some, while nothing is open on either side."""

from typing import Any

from processors.rules.packet import ACK, FIN, RST, SYN
from processors.serial import MODULUS_MASK, distance, signed
from processors.verdicts import sent
from processors.verdicts.acks_twice import is_ack_again
from processors.verdicts.hearing import hear_first, hear_plainly
from processors.verdicts.identifications import note_id
from processors.verdicts.options import note_options
from processors.verdicts.round_trips import SYN_TIMER
from processors.verdicts.segment import read_carrier
from processors.verdicts.state import FIN_SENT, State
from processors.verdicts.unseen import may_repeat_unseen
from processors.verdicts.waits import may_have_waited
from segwatch.compilation import inner_kernel
from segwatch.records.segments import SegmentColumns

LONGEST = 1 << 24
"""Payload that a segment can have: what claims more is rubbish."""
_WIDEST = 1 << 30
"""Numbers in flight at most: what spans more is rubbish."""


@inner_kernel
def _says_little(packet: Any, sender: Any) -> bool:
    """Whether an acknowledgment is of what ``sender`` was seen to send, and leaves it a window."""
    if packet.window == 0 and not packet.flag_bits & SYN:
        return False
    if sender.trouble and not packet.length and packet.ack == signed(sender.una):
        return False  # it may answer a duplicate
    in_flight = distance(signed(sender.snd_max), signed(sender.una))
    return not sent.has_begun(sender) or distance(packet.ack, signed(sender.una)) <= in_flight < _WIDEST


@inner_kernel
def _goes_on(packet: Any, sender: Any, receiver: Any) -> bool:
    """Whether a segment is where its sender's next one goes, and neither a copy, nor a probe, nor a repeat."""
    if packet.flag_bits & SYN:
        answers = bool(packet.flag_bits & ACK)
        at_once = not receiver.trouble and packet.now - signed(receiver.last_sent) < SYN_TIMER
        return not sent.has_begun(sender) and (not answers or at_once)
    if not sent.has_begun(sender):
        return True
    if packet.seq != signed(sender.snd_max):
        return False
    if packet.length or packet.flag_bits & FIN:
        if may_repeat_unseen(packet, sender, receiver) or may_have_waited(packet, sender):
            return False
        return packet.length != 1 or not sender.trouble
    return not is_ack_again(packet, sender, receiver)


@inner_kernel
def is_plain(packet: Any, sender: Any, receiver: Any) -> bool:
    """Whether a segment needs no closer look."""
    if sender.busy | sender.closed | receiver.busy | receiver.closed | receiver.duplicate_acks:
        return False
    if packet.sack_count or packet.flag_bits & RST or packet.length >= LONGEST:
        return False
    if packet.flag_bits & ACK and not _says_little(packet, receiver):
        return False
    return _goes_on(packet, sender, receiver)


@inner_kernel
def pass_plainly(
    state: State,
    packet: Any,
    segments: SegmentColumns,
    row: int,
    sender: Any,
    receiver: Any,
) -> None:
    """Take a segment that ``is_plain``, of a ``row`` of ``segments``."""
    if packet.flag_bits & ACK:
        hear_first(packet, receiver)
        hear_plainly(state, packet, receiver, sender)
    if packet.flag_bits & SYN:
        note_options(packet, sender)
    occupied = packet.length + (1 if packet.flag_bits & (SYN | FIN) else 0)
    if occupied:
        if not sent.has_begun(sender):
            sender.una = packet.seq
        if packet.flag_bits & FIN:
            sender.marks |= FIN_SENT
        end = (packet.seq + occupied) & MODULUS_MASK
        sent.take_new(state, sender, read_carrier(packet, segments, row), packet.seq, end)
    note_id(packet, sender, True)
