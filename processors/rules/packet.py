"""The header fields that rules look at, as plain numbers."""

from typing import NamedTuple

from segwatch.vocabulary import Flag

FIN = int(Flag.FIN)
SYN = int(Flag.SYN)
RST = int(Flag.RST)
PSH = int(Flag.PSH)
ACK = int(Flag.ACK)
SYN_FIN_RST = SYN | FIN | RST


class Packet(NamedTuple):
    """One analysable TCP header; all numbers are int64, sequence numbers raw."""

    seq: int
    ack: int
    window: int
    flags: int
    length: int
    now: int
    """Capture time, nanoseconds."""
    frame: int
