"""Segments that were not captured (steps 3 and 12)."""

from typing import Any

from processors.rules.packet import ACK, RST, Packet
from processors.serial import after, before, signed
from segwatch.compilation import kernel
from segwatch.vocabulary import Label

_ACK_LOST_SEGMENT = int(Label.ACK_LOST_SEGMENT)
ALREADY_REPORTED = 0xFFFFFFFF
"""Value of the peer's ``dupnum`` after an acknowledged unseen segment."""


@kernel
def is_lost_segment(packet: Packet, sender: Any) -> bool:
    """Step 3: the segment starts beyond the highest end seen."""
    nextseq = signed(sender.nextseq)
    return nextseq != 0 and after(packet.seq, nextseq) and not packet.flags & RST


@kernel
def acks_unseen(packet: Packet, receiver: Any) -> bool:
    """Step 12: the acknowledgment number lies beyond the contiguous data seen of the receiver."""
    maxack = signed(receiver.maxack)
    return bool(packet.flags & ACK) and maxack != 0 and after(packet.ack, maxack)


@kernel
def ack_lost_segment(receiver: Any) -> int:
    """Step 12, when ``acks_unseen``: return the label, or 0 where it was reported already."""
    if before(signed(receiver.maxack), signed(receiver.nextseq)):
        receiver.maxack = receiver.nextseq
        return _ACK_LOST_SEGMENT
    reported = receiver.dupnum != 0
    receiver.dupnum = ALREADY_REPORTED
    return 0 if reported else _ACK_LOST_SEGMENT
