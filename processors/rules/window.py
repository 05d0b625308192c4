"""Window updates and filled windows (steps 5 and 6), and window scaling (section 1.5)."""

from typing import Any

from processors.flow_table.state import WINDOW_SCALE_OFF, WINDOW_SCALE_UNKNOWN
from processors.rules.packet import ACK, SYN, SYN_FIN_RST, Packet
from processors.serial import MODULUS_MASK, signed
from segwatch.compilation import kernel
from segwatch.records.segments import NO_WINDOW_SCALE

MAXIMUM_SHIFT = 14
"""RFC 7323 section 2.3."""


@kernel
def is_window_update(packet: Packet, sender: Any) -> bool:
    """Step 5: nothing but the window changed; the caller has checked that nothing else did."""
    return packet.window != 0 and packet.window != signed(sender.window)


@kernel
def is_window_full(packet: Packet, receiver: Any) -> bool:
    """Step 6: the segment ends exactly at the edge of the receiver's window."""
    if packet.length == 0 or receiver.wscale == WINDOW_SCALE_UNKNOWN or packet.flags & SYN_FIN_RST:
        return False
    unscaled = receiver.first_ack or receiver.wscale == WINDOW_SCALE_OFF
    shift = 0 if unscaled else signed(receiver.wscale)
    edge = (signed(receiver.lastack) + (signed(receiver.window) << shift)) & MODULUS_MASK
    return (packet.seq + packet.length) & MODULUS_MASK == edge


@kernel
def learn_scale(sender: Any, option: int) -> None:
    """Take the window scale option of a header, whatever its flags."""
    if option != NO_WINDOW_SCALE:
        sender.wscale = min(option, MAXIMUM_SHIFT)


@kernel
def agree_on_scale(sender: Any, receiver: Any, flags: int) -> None:
    """After the options of a SYN: scaling is on only if both sides offer it."""
    if sender.wscale == WINDOW_SCALE_UNKNOWN:
        sender.wscale = WINDOW_SCALE_OFF
        receiver.wscale = WINDOW_SCALE_OFF
    elif flags & SYN and flags & ACK and receiver.wscale == WINDOW_SCALE_OFF:
        sender.wscale = WINDOW_SCALE_OFF


@kernel
def scaled_window(sender: Any, flags: int, window: int) -> int:
    """Return the window after scaling; SYNs carry it unscaled (RFC 7323 section 2.2)."""
    if flags & SYN or sender.wscale < 0:
        return window
    return window << signed(sender.wscale)


@kernel
def scale_factor(sender: Any) -> int:
    """Return the multiplier that is shown: -1 unknown, -2 no scaling."""
    return signed(sender.wscale) if sender.wscale < 0 else 1 << signed(sender.wscale)
