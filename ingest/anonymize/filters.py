"""Capture filters that may be shown although they name addresses."""

import re
from typing import Final

_WORD: Final = re.compile(r"[\w.:/\\-]+")
_KEYWORDS: Final = frozenset((
    "and", "or", "not", "src", "dst", "host", "net", "mask", "port", "portrange", "proto", "gateway", "broadcast",
    "multicast", "less", "greater", "inbound", "outbound", "ether", "ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp",
    "icmp", "icmp6", "igmp", "vlan", "mpls", "pppoed", "pppoes", "geneve", "vxlan",
))  # fmt: skip
_NUMBERED: Final = frozenset(("port", "portrange", "vlan", "mpls", "less", "greater"))
"""What is followed by a number, or a name, of no host."""
_NUMBER: Final = re.compile(r"[A-Za-z0-9-]+")
HIDDEN: Final = "?"


def without_addresses(capture_filter: str) -> str:
    """Return a filter in the language of pcap-filter(7) with a question mark for all that may be of an address.

    Keywords, ports and numbers of networks (VLAN, MPLS) stay; every other word may name a host or a part of one.
    """
    before = ""

    def shown(word: re.Match[str]) -> str:
        nonlocal before
        stays = word[0] in _KEYWORDS or (before in _NUMBERED and _NUMBER.fullmatch(word[0]))
        before = word[0]
        return word[0] if stays else HIDDEN

    return _WORD.sub(shown, capture_filter)
