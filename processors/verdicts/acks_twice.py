"""Empty segments that are there twice: by the network, or for the capture only."""

from typing import Any

from processors.rules.packet import FIN, SYN
from processors.serial import signed
from processors.verdicts import confidence
from processors.verdicts.copies import AT_ONCE
from processors.verdicts.rows import new_row
from processors.verdicts.state import NUMBERS_MOVE, State
from segwatch.compilation import inner_kernel, rare_kernel
from segwatch.vocabulary import Cause, Proof

_CAPTURE_DUPLICATE = int(Cause.CAPTURE_DUPLICATE)
_SAME_PACKET = int(Proof.SAME_PACKET)


@inner_kernel
def is_ack_again(packet: Any, sender: Any, receiver: Any) -> bool:
    """Whether an empty segment is the sender's last packet again: the same identification, at once."""
    if packet.ip_id != sender.last_id or packet.length or packet.flag_bits & (SYN | FIN):
        return False
    if not packet.ip_id or not sender.marks & NUMBERS_MOVE:
        return False
    return bool(packet.ack == signed(receiver.una) and 0 <= packet.now - signed(receiver.last_heard) <= AT_ONCE)


@rare_kernel
def write_ack_again(
    state: State,
    packet: Any,
    sender: Any,
    receiver: Any,
    out: Any,
) -> None:
    """Write the verdict on a copy of an empty segment."""
    verdict = new_row(state, packet, sender, receiver, out)
    verdict.cause = _CAPTURE_DUPLICATE
    verdict.proof = _SAME_PACKET
    verdict.since_original = packet.now - signed(receiver.last_heard)
    verdict.confidence = confidence.CAPTURED_AT_ONCE
