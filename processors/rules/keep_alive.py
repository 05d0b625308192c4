"""Keep-alives and their answers (steps 4 and 7)."""

from typing import Any

from processors.rules.packet import SYN_FIN_RST, Packet
from processors.serial import MODULUS_MASK, signed
from segwatch.compilation import kernel
from segwatch.vocabulary import Label

_KEEP_ALIVE = int(Label.KEEP_ALIVE)


@kernel
def is_keep_alive(packet: Packet, sender: Any) -> bool:
    """Step 4: at most one byte, just before the next one."""
    return (
        packet.length <= 1
        and packet.seq == (signed(sender.nextseq) - 1) & MODULUS_MASK
        and not packet.flags & SYN_FIN_RST
    )


@kernel
def is_keep_alive_ack(packet: Packet, sender: Any, receiver: Any) -> bool:
    """Step 7: an answer that changes nothing; the caller has checked the numbers."""
    return bool(packet.window != 0 and packet.window == signed(sender.window) and receiver.lastlabels & _KEEP_ALIVE)
