"""What a segment leaves behind: its place among the sender's numbers (steps 14 to 17)."""

from typing import Any

from processors.flow_table import unacked
from processors.flow_table.state import State
from processors.rules.packet import FIN, SYN, Packet
from processors.serial import MODULUS_MASK, after, signed
from segwatch.compilation import kernel
from segwatch.vocabulary import Label

_PROBE = int(Label.ZERO_WINDOW_PROBE)


@kernel
def remember_segment(state: State, packet: Packet, sender: Any) -> int:
    """Step 14: list the segment as unacknowledged; return its end.

    SYN and FIN occupy one number, but not where the list is full.
    """
    end = (packet.seq + packet.length) & MODULUS_MASK
    occupies = packet.flags & (SYN | FIN)
    if (packet.length > 0 or occupies) and sender.unacked_count < unacked.TCP_MAX_UNACKED_SEGMENTS:
        if occupies:
            end = (end + 1) & MODULUS_MASK
        unacked.append(state, sender, packet.seq, end, packet.frame, packet.now)
    return end


@kernel
def advance(packet: Packet, sender: Any, end: int, labels: int) -> None:
    """Steps 15 and 16: raise the highest end and the end of the contiguous data; a probe's byte does not count."""
    if labels & _PROBE:
        return
    if sender.nextseq == 0 or after(end, signed(sender.nextseq)):
        sender.nextseq = end
        sender.nextframe = packet.frame
        sender.nexttime = packet.now
    if sender.maxack == 0 or packet.seq == signed(sender.maxack):
        sender.maxack = sender.nextseq


@kernel
def remember_last(packet: Packet, conversation: Any, sender: Any, labels: int) -> None:
    """Step 17: what the next segment of either side is compared with."""
    sender.window = packet.window
    sender.lastack = packet.ack
    sender.lastacktime = packet.now
    sender.lastlabels = labels
    sender.mptcp = conversation.mptcp
