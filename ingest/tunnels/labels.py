"""MPLS labels with pseudowires, PPPoE sessions and PPP."""

import re

import dpkt

from ingest.tunnels.ethernet import MAXIMUM_802_3_LENGTH
from ingest.tunnels.view import View
from ingest.tunnels.walk import Answer, Kind, Next, Walk
from segwatch.vocabulary import Tunnel

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD

GENERIC_ASSOCIATED_CHANNEL = 13
"""MPLS label of the generic associated channel (RFC 5586)."""
OAM_ALERT = 14
"""MPLS label of operation and maintenance packets (ITU-T Y.1711)."""
CONTROL_CHANNELS = {0x0021: ETHERTYPE_IPV4, 0x0057: ETHERTYPE_IPV6}
"""Associated channel types that carry IP packets (RFC 4385)."""

ETHERNET_HEADER = 14
CONTROL_WORD = 4
LOCALLY_ADMINISTERED = 0x02
KNOWN_ETHERTYPES = frozenset({0x0800, 0x0806, 0x8100, 0x86DD, 0x8847, 0x8848, 0x8863, 0x8864, 0x88A8, 0x88CC})

PPP_ADDRESS = 0xFF
CHDLC_ADDRESSES = (0x0F, 0x8F)
PPP_COMPRESSED_PROTOCOL = 0x01
HDLC_FLAG, HDLC_COMPLEMENT = 0x7E, 0x20
"""Octets of asynchronous HDLC-like framing (RFC 1662 section 4)."""
PPPOE_CREDIT_TAG = 0x0106
PPPOE_CREDIT_TAG_LENGTH = 8


def mpls(view: View, walk: Walk) -> Answer:
    """Read a label stack; what follows is guessed from its first four bits, as no field tells it."""
    offset = 0
    while view.wire - offset > 0:
        header = view.header(dpkt.ethernet.MPLSlabel, offset)
        walk.enter(Tunnel.MPLS, header.val)
        offset += 4
        if header.s:
            if header.val == GENERIC_ASSOCIATED_CHANNEL:
                return _associated_channel(view.rest(offset), walk)
            if header.val == OAM_ALERT:
                walk.reason = "MPLS operation and maintenance"
                return None
            break
    return _by_first_nibble(view.rest(offset), walk, view.octet(offset) >> 4)


def _by_first_nibble(view: View, walk: Walk, nibble: int) -> Answer:
    """Tell what follows a label stack: an IP version, an associated channel, a control word or Ethernet."""
    if nibble == 4:
        return Next(Kind.ETHERTYPE, ETHERTYPE_IPV4, view)
    if nibble == 6:
        return Next(Kind.ETHERTYPE, ETHERTYPE_IPV6, view)
    if nibble == 1:
        return _associated_channel(view, walk)
    if nibble == 0:
        return Next(Kind.PSEUDOWIRE, 0, view)
    walk.reason = "MPLS payload of an unknown kind"
    return None


def _associated_channel(view: View, walk: Walk) -> Answer:
    number = CONTROL_CHANNELS.get(view.short(2))
    if number is None:
        walk.reason = "MPLS associated channel"
        return None
    return Next(Kind.ETHERTYPE, number, view.rest(4))


def pseudowire(view: View, walk: Walk) -> Answer:
    """Read an Ethernet pseudowire (RFC 4448), with a control word unless the bytes look like Ethernet addresses.

    Wireshark takes it as plain Ethernet if its list of vendors knows both addresses, so never with locally administered
    ones. Without that list the type field decides too, and a control word is the rule.
    """
    del walk
    is_plain = (
        view.has(0, ETHERNET_HEADER)
        and not (view.octet(0) | view.octet(6)) & LOCALLY_ADMINISTERED
        and _ethernet_score(view, 0) > _ethernet_score(view, CONTROL_WORD)
    )
    return Next(Kind.ETHERNET, 0, view if is_plain else view.rest(CONTROL_WORD))


def _ethernet_score(view: View, offset: int) -> int:
    """Return how much the bytes at ``offset`` look like an Ethernet header: 2 with a known type, 1 with a length."""
    if not view.has(offset, ETHERNET_HEADER):
        return 0
    number = view.short(offset + 12)
    if number in KNOWN_ETHERTYPES:
        return 2
    return 1 if number <= min(view.wire - offset - ETHERNET_HEADER, MAXIMUM_802_3_LENGTH) else 0


def pppoe_session(view: View, walk: Walk) -> Answer:
    """Read a PPPoE session header (RFC 2516), with a credit tag (RFC 4938) if there is one."""
    header = view.header(dpkt.pppoe.PPPoE)
    walk.enter(Tunnel.PPPOE, header.session)
    inner = view.rest(6).limited(header.len)
    if view.has(6, 2) and view.short(6) == PPPOE_CREDIT_TAG:
        inner = inner.rest(PPPOE_CREDIT_TAG_LENGTH)
    return Next(Kind.PPP, 0, inner)


def ppp(view: View, walk: Walk) -> Answer:
    """Read a PPP protocol field, one byte long if it is odd (RFC 1661 section 6.5)."""
    del walk
    first = view.octet(0)
    if first & PPP_COMPRESSED_PROTOCOL:
        return Next(Kind.PPP_PROTOCOL, first, view.rest(1))
    return Next(Kind.PPP_PROTOCOL, view.short(0), view.rest(2))


def ppp_hdlc(view: View, walk: Walk) -> Answer:
    """Read PPP in HDLC-like framing (RFC 1662), address and control optional; Cisco HDLC is told by its address."""
    first = view.octet(0)
    if first in CHDLC_ADDRESSES:
        return Next(Kind.CHDLC, 0, view)
    return ppp_frame(view, walk)


def ppp_asynchronous(view: View, walk: Walk) -> Answer:
    """Read the PPP frames that lie between flags in a stream of octets, without their escapes."""
    pieces = view.octets(0, view.captured).split(bytes([HDLC_FLAG]))
    frames = [_without_escapes(piece) for piece in pieces[1:-1] if piece]
    if not frames:
        walk.reason = "part of a PPP frame"
    return tuple(Next(Kind.PPP_FRAME, 0, View(frame, 0, len(frame), len(frame))) for frame in frames)


def _without_escapes(piece: bytes) -> bytes:
    """Return the octets with each escaped one restored."""
    return re.sub(
        rb"\x7d(.?)", lambda found: bytes(octet ^ HDLC_COMPLEMENT for octet in found[1]), piece, flags=re.DOTALL
    )


def ppp_frame(view: View, walk: Walk) -> Answer:
    """Read PPP whose address and control may be left out."""
    return ppp(view.rest(2) if view.octet(0) == PPP_ADDRESS else view, walk)
