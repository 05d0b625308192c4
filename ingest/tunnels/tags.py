"""Tags between the Ethernet addresses and the payload: VLAN, 802.1ad, 802.1ah, E-tag, VN-tag, metadata, MACsec, HSR."""

import dpkt

from ingest.tunnels.ethernet import typed_or_sized
from ingest.tunnels.view import Header, View
from ingest.tunnels.walk import Answer, Kind, Next, Walk
from segwatch.vocabulary import Tunnel

VLAN_TAGS = 20
"""VLAN tags that Wireshark follows in one frame."""
ETHERTYPE_SERVICE_VLAN = 0x88A8
ETHERTYPE_BACKBONE_SERVICE = 0x88E7
MACSEC_INTEGRITY_CHECK = 16


class BackboneServiceTag(Header):
    """IEEE 802.1ah I-tag: priority bits and service identifier, the customer's addresses and Ethernet type."""

    __hdr__ = (("tci", "I", 0), ("dst", "6s", b""), ("src", "6s", b""), ("type", "H", 0))


class ETag(Header):
    """IEEE 802.1BR E-tag."""

    __hdr__ = (("tci", "H", 0), ("ecid", "I", 0), ("type", "H", 0))


class VnTag(Header):
    """Cisco VN-tag."""

    __hdr__ = (("tag", "I", 0), ("type", "H", 0))


class MetadataEthernet(Header):
    """Cisco MetaData after Ethernet type 0x8909: the inner Ethernet type comes last."""

    __hdr__ = (("version", "B", 1), ("length", "B", 1), ("options", "H", 1), ("group", "H", 0), ("type", "H", 0))


class MetadataGre(Header):
    """Cisco MetaData in GRE: the inner protocol comes first."""

    __hdr__ = (("type", "H", 0), ("version", "B", 1), ("length", "B", 1), ("options", "H", 1), ("group", "H", 0))


class RedundancyTag(Header):
    """HSR tag (IEC 62439-3) and IEEE 802.1CB R-tag: four bytes, then the inner Ethernet type."""

    __hdr__ = (("path_or_reserved", "H", 0), ("sequence", "H", 0), ("type", "H", 0))


def vlan(view: View, walk: Walk) -> Answer:
    """Read an IEEE 802.1Q tag."""
    header = view.header(dpkt.ethernet.VLANtag8021Q)
    walk.tag(header.id)
    walk.vlan_tags += 1
    if walk.vlan_tags > VLAN_TAGS:
        walk.reason = f"more than {VLAN_TAGS} VLAN tags"
        return None
    return typed_or_sized(view, header.type, 4, walk)


def service_vlan(view: View, walk: Walk) -> Answer:
    """Read an IEEE 802.1ad tag, together with a second one or the 802.1ah tag that follows it."""
    header = view.header(dpkt.ethernet.VLANtag8021Q)
    walk.tag(header.id, service=True)
    if header.type == ETHERTYPE_SERVICE_VLAN:
        inner = view.header(dpkt.ethernet.VLANtag8021Q, 4)
        return Next(Kind.ETHERTYPE, inner.type, view.rest(8))
    return Next(Kind.ETHERTYPE, header.type, view.rest(4))


def backbone_service(view: View, walk: Walk) -> Answer:
    """Read an IEEE 802.1ah I-tag (provider backbone bridges)."""
    header = view.header(BackboneServiceTag)
    walk.enter(Tunnel.PBB, header.tci & 0xFFFFFF)
    return Next(Kind.ETHERTYPE, header.type, view.rest(header.__hdr_len__))


def e_tag(view: View, walk: Walk) -> Answer:
    """Read an IEEE 802.1BR E-tag."""
    del walk
    header = view.header(ETag)
    return Next(Kind.ETHERTYPE, header.type, view.rest(header.__hdr_len__))


def vn_tag(view: View, walk: Walk) -> Answer:
    """Read a Cisco VN-tag."""
    header = view.header(VnTag)
    return typed_or_sized(view, header.type, header.__hdr_len__, walk)


def metadata(view: View, walk: Walk) -> Answer:
    """Read Cisco MetaData (security group tags) in Ethernet."""
    del walk
    header = view.header(MetadataEthernet)
    return Next(Kind.ETHERTYPE, header.type, view.rest(header.__hdr_len__))


def metadata_in_gre(view: View, walk: Walk) -> Answer:
    """Read Cisco MetaData in GRE."""
    del walk
    header = view.header(MetadataGre)
    return Next(Kind.GRE_PROTOCOL, header.type, view.rest(header.__hdr_len__))


def macsec(view: View, walk: Walk) -> Answer:
    """Read an IEEE 802.1AE tag whose payload is authenticated but not encrypted."""
    control = view.octet(0)
    tag_length = 14 if control & 0x20 else 6
    if control & 0x80 or view.captured <= tag_length + MACSEC_INTEGRITY_CHECK:
        walk.reason = "MACsec tag that cannot be read"
        return None
    if control & 0x0C:
        walk.reason = "encrypted: MACsec"
        return None
    return Next(Kind.ETHERTYPE, view.short(tag_length), view.rest(tag_length + 2))


def redundancy(view: View, walk: Walk) -> Answer:
    """Read an HSR tag or an IEEE 802.1CB R-tag."""
    del walk
    header = view.header(RedundancyTag)
    return Next(Kind.ETHERTYPE, header.type, view.rest(header.__hdr_len__))
