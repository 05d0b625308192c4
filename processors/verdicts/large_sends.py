"""Large sends: packets that an interface cuts (TSO, GSO) or has put together (LRO, GRO), on either side of that.

A sensor on the sender's side of the interface sees one frame that is longer than any packet on the wire, one on the
other side sees what it is cut into, and one on a bridge may see both. The host takes as many identifications for the
frame as it is cut into packets (Linux: ``gso_segs``), and the interface gives them out: the first packet has the
frame's, and each the next one, or all have the frame's. Packets that are put together have the first one's. The
timestamp is the same in all. No repeat can have any of these: it takes a later one.
"""

from typing import Any

from processors.serial import distance, not_after, signed
from processors.verdicts.headers import Header
from segwatch.compilation import inner_kernel, rare_kernel

ETHERNET_PAYLOAD = 1460
"""Payload of a packet; an offloaded segment takes a number for each."""
_ID_MASK = 0xFFFF


@inner_kernel
def more_numbers(length: int) -> int:
    """Return how many identifications beside its own a segment takes, if it is offloaded."""
    return length // (ETHERNET_PAYLOAD + 1)


@inner_kernel
def packets_of(segment: Any) -> int:
    """Return how many packets a remembered segment is on the wire: a ``PIECE`` or a ``NOTE``."""
    return 1 + more_numbers(distance(signed(segment.end), signed(segment.start)))


@rare_kernel
def _is_packet_of(part: Header, whole: Header) -> bool:
    """Whether a segment has the place and the identification of a packet that a longer one is cut into.

    All packets but the last are equally long.
    """
    if distance(whole.end, whole.start) <= ETHERNET_PAYLOAD:
        return False
    if distance(part.start, whole.start) >= distance(whole.end, whole.start) or not not_after(part.end, whole.end):
        return False
    number = (part.ip_id - whole.ip_id) & _ID_MASK
    if number == 0:
        return True
    offset = distance(part.start, whole.start)
    size = offset // number
    length = distance(part.end, part.start)
    return offset == number * size and (length == size or (length < size and part.end == whole.end))


@rare_kernel
def is_cut_otherwise(segment: Header, other: Header) -> bool:
    """Whether a segment is a packet of another, earlier one, or is put together of it and what follows it.

    To be asked of segments that have identifications.
    """
    if segment.start == other.start and segment.end == other.end:
        return False
    return _is_packet_of(segment, other) or (segment.start == other.start and _is_packet_of(other, segment))
