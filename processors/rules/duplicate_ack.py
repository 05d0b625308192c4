"""Duplicate acknowledgments and their numbers (steps 9 and 11)."""

from typing import Any

from processors.rules.loss import ALREADY_REPORTED
from processors.rules.packet import Packet
from processors.serial import signed
from segwatch.compilation import kernel


@kernel
def is_duplicate_ack(packet: Packet, conversation: Any, sender: Any) -> bool:
    """Step 9: nothing changed at all; the caller has checked the numbers.

    The first empty segment after a new multipath option type is not one (section 2.7).
    """
    return bool(packet.window != 0 and packet.window == signed(sender.window) and conversation.mptcp == sender.mptcp)


@kernel
def count_duplicate(sender: Any) -> None:
    """Step 9: number the duplicate."""
    sender.dupnum = 1 if sender.dupnum == ALREADY_REPORTED else signed(sender.dupnum) + 1


@kernel
def note_acknowledgment(packet: Packet, sender: Any) -> None:
    """Step 11: a changed acknowledgment number starts a new count."""
    if packet.ack != signed(sender.lastack):
        sender.lastnondup = packet.frame
        sender.dupnum = 0
