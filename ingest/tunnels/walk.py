"""What the layers of a frame hand on to one another."""

from collections.abc import Callable
from copy import copy
from enum import Enum
from typing import NamedTuple

from ingest.tunnels.fragments import FragmentTable, NumberedFragments
from ingest.tunnels.peers import L2tpPeers
from ingest.tunnels.view import View
from segwatch.vocabulary import Tunnel


class Kind(Enum):
    """Number spaces that name a protocol, and protocols that other protocols call directly (number 0)."""

    LINKTYPE = "link type"
    ETHERTYPE = "Ethernet type"
    IP_PROTOCOL = "IP protocol"
    UDP_PORT = "UDP port"
    GRE_PROTOCOL = "GRE protocol"
    PPP_PROTOCOL = "PPP protocol"
    LLC_SAP = "LLC service access point"
    CHDLC_PROTOCOL = "Cisco HDLC protocol"
    ADDRESS_FAMILY = "address family of a loopback header"
    ARCNET_PROTOCOL = "ARCNET protocol"
    JUNIPER_PROTOCOL = "Juniper protocol"
    NSH_PROTOCOL = "next protocol of VXLAN-GPE or NSH"
    SLL_PROTOCOL = "Linux cooked protocol"
    FRAME_RELAY_PROTOCOL = "Frame Relay protocol"
    SFLOW_PROTOCOL = "sFlow header protocol"
    TZSP_PROTOCOL = "TZSP protocol"
    ETHERNET = "Ethernet"
    LLC = "LLC"
    SNAP = "SNAP"
    PSEUDOWIRE = "pseudowire"
    PPP = "PPP"
    PPP_HDLC = "PPP in HDLC framing"
    PPP_FRAME = "PPP frame"
    CHDLC = "Cisco HDLC"
    WLAN = "802.11"
    WLAN_SWAPPED = "802.11 with swapped frame control"
    WLAN_WITH_FCS = "802.11 with check sequence"
    FDDI = "FDDI"
    IEEE_802_5 = "Token Ring"
    NETLINK = "netlink protocol"
    NFLOG = "NFLOG"
    ERSPAN = "ERSPAN"


class Next(NamedTuple):
    """A layer's answer: which protocol its payload is, and where the payload lies."""

    kind: Kind
    number: int
    view: View


class IpHeader(NamedTuple):
    """What a segment record keeps of the IP header that encloses it."""

    version: int
    source: bytes
    destination: bytes
    identification: int
    ttl: int
    dscp_ecn: int
    total_length_zero: bool


class Memory(NamedTuple):
    """What is kept from frame to frame; all of it is bounded."""

    fragments: FragmentTable
    wlan_fragments: NumberedFragments
    l2tp_peers: L2tpPeers


class Walk:
    """State of the way from the link layer inwards; where a layer has several payloads, each goes on with a copy."""

    __slots__ = (
        "fragment_table",
        "fragmented",
        "in_error",
        "ip",
        "is_tagged",
        "l2tp_peers",
        "layers_left",
        "network",
        "payload_left",
        "reason",
        "reassembled",
        "sampled",
        "tunnel_id",
        "tunnel_kind",
        "vlan",
        "vlan_tags",
        "wlan_fragments",
    )

    def __init__(self, memory: Memory, layers: int) -> None:
        self.fragment_table = memory.fragments
        self.wlan_fragments = memory.wlan_fragments
        self.l2tp_peers = memory.l2tp_peers
        self.layers_left = layers
        self.is_tagged = False
        self.vlan = 0
        self.network = 0
        self.vlan_tags = 0
        self.tunnel_kind = Tunnel.NONE
        self.tunnel_id = 0
        self.in_error = False
        self.sampled = False
        self.fragmented = False
        self.reassembled = False
        self.ip: IpHeader | None = None
        self.payload_left = 0
        self.reason = ""

    def enter(self, tunnel: Tunnel, identifier: int = 0) -> None:
        """Note a tunnel; only the outermost one is kept."""
        if self.tunnel_kind == Tunnel.NONE:
            self.tunnel_kind = tunnel
            self.tunnel_id = identifier

    def tag(self, identifier: int, *, service: bool = False) -> None:
        """Note a VLAN tag; the outermost one is kept.

        For fragments, the outermost one counts that is neither a mere priority tag nor a service tag (IEEE 802.1ad).
        """
        if not self.is_tagged:
            self.is_tagged = True
            self.vlan = identifier
        if not service:
            self.network = self.network or identifier

    def fork(self) -> "Walk":
        """Return a copy for one of several payloads."""
        return copy(self)


Answer = Next | tuple[Next, ...] | None
"""What a layer function returns: its payload or payloads, or nothing (then ``Walk.reason`` may say why)."""

Layer = Callable[[View, Walk], Answer]
"""A layer function: reads the header at the start of the view."""
