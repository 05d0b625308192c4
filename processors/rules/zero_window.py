"""Closed receive windows and their probes (steps 1, 2 and 8)."""

from typing import Any

from processors.rules.packet import SYN_FIN_RST, Packet
from processors.serial import signed
from segwatch.compilation import kernel
from segwatch.vocabulary import Label

_PROBE = int(Label.ZERO_WINDOW_PROBE)


@kernel
def is_zero_window_probe(packet: Packet, sender: Any, receiver: Any) -> bool:
    """Step 1: one byte, the next one, sent against a closed window."""
    return bool(packet.length == 1 and packet.seq == signed(sender.nextseq) and receiver.window == 0)


@kernel
def is_zero_window(packet: Packet) -> bool:
    """Step 2: the sender's own receive window is closed."""
    return packet.window == 0 and not packet.flags & SYN_FIN_RST


@kernel
def is_zero_window_probe_ack(packet: Packet, sender: Any, receiver: Any) -> bool:
    """Step 8: an answer to a probe that leaves the window closed; the caller has checked that nothing else changed."""
    return bool(packet.window == 0 and sender.window == 0 and receiver.lastlabels & _PROBE)
