"""Bytes in flight and bytes sent since the last PSH (sections 3.1 and 3.2)."""

from typing import Any

from processors.rules.packet import FIN, PSH, SYN, Packet
from processors.serial import MODULUS_MASK, signed
from segwatch.compilation import kernel
from segwatch.records.findings import FindingColumns

IMPLAUSIBLE = 2_000_000_000
"""Wireshark shows nothing from here on."""


@kernel
def note_in_flight(packet: Packet, sender: Any, receiver: Any, findings: FindingColumns, row: int) -> bool:
    """Note both numbers of a segment with data; return whether there was something to measure."""
    if packet.length == 0 or sender.unacked_count == 0 or not sender.bytes_in_flight_ok:
        return False
    span = signed(sender.unacked_high) - signed(sender.unacked_low) - signed(receiver.sacked)
    in_flight = span & MODULUS_MASK
    if 0 < in_flight < IMPLAUSIBLE:
        findings.bytes_in_flight[row] = in_flight - (1 if packet.flags & (SYN | FIN) else 0)
    pushed = packet.length if sender.push_last else (signed(sender.push_bytes) + packet.length) & MODULUS_MASK
    sender.push_bytes = pushed
    sender.push_last = 1 if packet.flags & PSH else 0
    findings.push_bytes[row] = pushed
    return True
