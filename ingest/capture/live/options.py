"""What can be chosen for a live capture."""

from dataclasses import dataclass
from typing import Final

DEFAULT_SNAPLEN: Final = 256
"""Bytes: Ethernet with two tags, a tunnel, IPv6 with extension headers and TCP with all its options."""
DEFAULT_BUFFER_BYTES: Final = 32 << 20
DIRECTIONS: Final = {"both": 0, "in": 1, "out": 2}
"""libpcap's ``PCAP_D_INOUT``, ``PCAP_D_IN`` and ``PCAP_D_OUT``."""


@dataclass(frozen=True)
class CaptureOptions:
    """The same for all interfaces of a sensor."""

    capture_filter: str = ""
    """In the language of pcap-filter(7); empty: everything."""
    snaplen: int = DEFAULT_SNAPLEN
    """Bytes kept of a frame."""
    buffer_bytes: int = DEFAULT_BUFFER_BYTES
    """Size of the kernel's ring."""
    promiscuous: bool = True
    immediate: bool = False
    """Deliver frames when they come, not when the kernel closes a block of them."""
    direction: str = "both"
    """One of ``DIRECTIONS``."""
