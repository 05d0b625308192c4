"""IP headers quoted in ICMP and ICMPv6 errors."""

import dpkt

from ingest.tunnels.view import View
from ingest.tunnels.walk import Answer, Kind, Next, Walk

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD
UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM = 3, 4, 5, 11, 12
ERRORS = (UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM)
WITH_LENGTH = (UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM)
"""Types that can tell the length of the quoted datagram (RFC 4884)."""
HEADER = 8
QUOTED_OCTETS = 8
"""What a redirect quotes behind the IP header (RFC 792)."""
OLD_QUOTE_LIMIT = 128
"""Bytes quoted before extensions by those who do not tell the length (RFC 4884 section 5.5); others quote no fewer."""

ERRORS_V6 = (1, 2, 3, 4)
REDIRECT_V6 = 137
REDIRECT_OPTIONS = 40
OPTION_REDIRECTED_HEADER = 4


def icmp(view: View, walk: Walk) -> Answer:
    """Go on with the datagram that an ICMP error quotes."""
    header = view.header(dpkt.icmp.ICMP)
    if header.type not in ERRORS:
        walk.reason = "ICMP that is no error"
        return None
    quote = view.rest(HEADER)
    length = view.octet(5) * 4 if header.type in WITH_LENGTH else 0
    if header.type == REDIRECT:
        quote = quote.limited((view.octet(8) & 15) * 4 + QUOTED_OCTETS)
    elif length and view.wire > HEADER + length and view.short(10) > length:
        quote = quote.limited(max(length, OLD_QUOTE_LIMIT))
    elif view.wire > HEADER + OLD_QUOTE_LIMIT and view.short(10) <= OLD_QUOTE_LIMIT:
        quote = quote.limited(OLD_QUOTE_LIMIT)
    walk.in_error = True
    return Next(Kind.ETHERTYPE, ETHERTYPE_IPV4, quote)


def icmpv6(view: View, walk: Walk) -> Answer:
    """Go on with the packet that an ICMPv6 error or a redirect quotes."""
    header = view.header(dpkt.icmp6.ICMP6)
    at = HEADER
    if header.type == REDIRECT_V6:
        at = _redirected(view)
    elif header.type not in ERRORS_V6:
        at = 0
    if at == 0 or view.octet(at) >> 4 != 6:
        walk.reason = "ICMPv6 without a quoted packet"
        return None
    walk.in_error = True
    return Next(Kind.ETHERTYPE, ETHERTYPE_IPV6, view.rest(at))


def _redirected(view: View) -> int:
    """Return where the redirected header option quotes a packet, 0 without one (RFC 4861 section 4.6.3)."""
    at = REDIRECT_OPTIONS
    while view.wire - at > 2:
        kind, length = view.octet(at), view.octet(at + 1) * 8
        if kind == OPTION_REDIRECTED_HEADER:
            return at + 8
        if length == 0:
            break
        at += length
    return 0
