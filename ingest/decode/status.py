"""What becomes of a frame: decoded, left out for a reason, or handed to the slow path."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final


class Status(IntEnum):
    """What a kernel says of one packet; kernels return and compare the plain numbers.

    From ``FRAGMENT`` on the packet is for the slow path, which may find TCP in it.
    """

    DECODED = 0
    """A row was written."""
    NOT_IP = 1
    NOT_TCP = 2
    ENCRYPTED = 3
    LINK_HEADER_CUT = 4
    IP_HEADER_CUT = 5
    IP_HEADER_BAD = 6
    NO_PAYLOAD = 7
    TRANSPORT_CUT = 8
    FRAGMENT = 9
    TUNNEL = 10
    ICMP_ERROR = 11
    LINK_LAYER = 12


FIRST_DECLINED: Final = int(Status.FRAGMENT)
"""Statuses from here on are for the slow path."""

STATUS_TEXTS: Final = {
    Status.DECODED: "decoded",
    Status.NOT_IP: "no IP packet (ARP, LLDP, spanning tree, ...)",
    Status.NOT_TCP: "IP without TCP (UDP, ICMP, ...)",
    Status.ENCRYPTED: "encrypted (IPsec ESP)",
    Status.LINK_HEADER_CUT: "link layer header cut short",
    Status.IP_HEADER_CUT: "IP header cut short",
    Status.IP_HEADER_BAD: "IP header with impossible version or lengths",
    Status.NO_PAYLOAD: "IPv6 payload length 0",
    Status.TRANSPORT_CUT: "TCP packet with no byte of the TCP header",
    Status.FRAGMENT: "IP fragment",
    Status.TUNNEL: "IP in a tunnel",
    Status.ICMP_ERROR: "ICMP error",
    Status.LINK_LAYER: "link layer of the slow path",
}
"""Words for the summary; those of the slow path appear only where no slow path took the frame."""
_OTHER_TRAFFIC: Final = frozenset(STATUS_TEXTS[status] for status in (Status.NOT_IP, Status.NOT_TCP))
"""Reasons to skip a frame that are no failure to decode it."""


def undecoded(skipped: Mapping[str, int]) -> int:
    """Return how many of the skipped frames, counted by reason, could not be decoded."""
    return sum(frames for reason, frames in skipped.items() if reason not in _OTHER_TRAFFIC)
