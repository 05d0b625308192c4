"""Packets that Linux's netfilter logs or queues: NFLOG link type and netlink messages."""

from ingest.tunnels.view import CutError, Header, View
from ingest.tunnels.walk import Answer, Kind, Next, Walk

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD
FAMILIES = {2: ETHERTYPE_IPV4, 10: ETHERTYPE_IPV6}
"""Netfilter's protocol families."""
NETLINK_NETFILTER = 12
NETLINK_HEADER = 16
FIRST_MESSAGE_TYPE = 16
SUBSYSTEM_QUEUE, SUBSYSTEM_LOG = 3, 4
PACKET_MESSAGE = 0
ATTRIBUTE_TYPE = 0x7FFF
LOG_PACKET_HEADER, LOG_PAYLOAD = 1, 9
QUEUE_PACKET_HEADER, QUEUE_PAYLOAD = 1, 10


class NflogHeader(Header):
    """NFLOG header: address family, version, resource identifier."""

    __hdr__ = (("family", "B", 2), ("version", "B", 0), ("resource", "H", 0))


def nflog(view: View, walk: Walk) -> Answer:
    """Read an NFLOG header and its attributes, all of which must have been captured; the last payload counts."""
    header = view.header(NflogHeader)
    protocol, payload = 0, None
    at = header.__hdr_len__
    while view.wire - at >= 4:
        length = view.little_short(at)
        if length < 4:
            walk.reason = "NFLOG attribute of an invalid length"
            return None
        if not view.has(at, length):
            raise CutError
        kind = view.little_short(at + 2) & ATTRIBUTE_TYPE
        if kind == LOG_PACKET_HEADER and length == 8:
            protocol = view.short(at + 4)
        elif kind == LOG_PAYLOAD:
            payload = view.part(at + 4, length - 4)
        at += (length + 3) // 4 * 4
    if payload is None:
        walk.reason = "NFLOG message without payload"
        return None
    if protocol == 0:
        protocol = FAMILIES.get(header.family, 0)
    return Next(Kind.ETHERTYPE, protocol, payload)


def netlink(view: View, walk: Walk) -> Answer:
    """Return the packets of all netfilter log and queue messages in a netlink datagram."""
    little = abs(view.little_long(0) - view.wire) <= abs(view.long(0) - view.wire)
    found: list[Next] = []
    at = 0
    while view.wire - at >= NETLINK_HEADER and view.has(at, NETLINK_HEADER):
        length = view.little_long(at) if little else view.long(at)
        kind = view.little_short(at + 4) if little else view.short(at + 4)
        if length < NETLINK_HEADER:
            break
        if kind >= FIRST_MESSAGE_TYPE and length > NETLINK_HEADER:
            message = view.part(at, length).rest(NETLINK_HEADER)
            if kind == SUBSYSTEM_LOG << 8 | PACKET_MESSAGE:
                found.append(Next(Kind.NFLOG, 0, message))
            elif kind >> 8 == SUBSYSTEM_QUEUE:
                found.extend(_queued(message, little=little))
        at += length
    if not found:
        walk.reason = "netlink without logged packets"
    return tuple(found)


def _queued(view: View, *, little: bool) -> list[Next]:
    """Return the packet of a netfilter queue message."""
    found: list[Next] = []
    protocol, at = 0, NflogHeader.__hdr_len__
    try:
        while view.wire - at >= 4:
            length = view.little_short(at) if little else view.short(at)
            if length < 4:
                break
            kind = (view.little_short(at + 2) if little else view.short(at + 2)) & ATTRIBUTE_TYPE
            if kind == QUEUE_PACKET_HEADER and length == 11:
                protocol = view.short(at + 8)
            elif kind == QUEUE_PAYLOAD and length > 4:
                found.append(Next(Kind.ETHERTYPE, protocol, view.part(at + 4, length - 4)))
            at += (length + 3) // 4 * 4
    except CutError:
        pass
    return found
