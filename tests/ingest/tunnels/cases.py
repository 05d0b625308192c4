"""One TCP segment wrapped in every encapsulation that the decoder reads, and what its row must say."""

from struct import pack
from typing import NamedTuple

from segwatch.vocabulary import Tunnel
from tests.ingest.tunnels.frames import (
    CLIENT6,
    ETHERNET,
    FRAME,
    IPV4,
    IPV6,
    ROUTER,
    SEGMENT,
    SEGMENT6,
    STATION,
    attribute,
    ethernet,
    gre,
    ip4,
    ip6,
    llc,
    mpls,
    over_ip,
    sflow,
    stuffed,
    tag,
    tcp,
    udp,
    wlan,
)

OTHER = Tunnel.OTHER


class Case(NamedTuple):
    """A frame and what its row must say; ``tunnel`` None: no row."""

    name: str
    linktype: int
    frame: bytes
    tunnel: Tunnel | None = Tunnel.NONE
    identifier: int = 0
    vlan: int = 0
    wirelen: int = 0


LINK_LAYERS = [
    Case("ethernet", ETHERNET, FRAME),
    Case("ethernet ipv6", ETHERNET, ethernet(SEGMENT6, IPV6)),
    Case("ipv6 under ipv4's number", ETHERNET, ethernet(SEGMENT6)),
    Case("null", 0, pack("<I", 2) + SEGMENT),
    Case("null big endian", 0, pack(">I", 2) + SEGMENT),
    Case("null ipv6 24", 0, pack("<I", 24) + SEGMENT6),
    Case("null ipv6 28", 0, pack("<I", 28) + SEGMENT6),
    Case("null ipv6 30", 0, pack("<I", 30) + SEGMENT6),
    Case("null ppp", 0, b"\xff\x03\0\x21" + SEGMENT),
    Case("loop", 108, pack(">I", 2) + SEGMENT),
    Case("raw", 101, SEGMENT),
    Case("raw ipv6", 101, SEGMENT6),
    Case("raw with ppp", 101, b"\xff\x03\0\x21" + SEGMENT),
    Case("raw with ppp after a byte", 101, b"\x45\xff\x03\0\x21" + SEGMENT),
    Case("raw with ppp after six bytes", 14, b"\0\0\0\0\0\0\xff\x03\0\x21" + SEGMENT),
    Case("raw after ten zeroes", 12, bytes(10) + SEGMENT6),
    Case("raw ipv4 only", 228, SEGMENT),
    Case("raw ipv6 only", 229, SEGMENT6),
    Case("cooked", 113, pack(">HHH8sH", 0, 1, 6, STATION, IPV4) + SEGMENT),
    Case("cooked gre", 113, pack(">HHH8sH", 0, 778, 4, b"", IPV4) + SEGMENT),
    Case("cooked llc", 113, pack(">HHH8sH", 0, 1, 6, STATION, 4) + llc(SEGMENT)),
    Case("cooked vlan", 113, pack(">HHH8sH", 0, 1, 6, STATION, 0x8100) + tag(9, IPV4, SEGMENT), vlan=9),
    Case("cooked 2", 276, pack(">HHIHBB8s", IPV6, 0, 1, 1, 0, 6, STATION) + SEGMENT6),
    Case("cooked 2 vlan", 276, pack(">HHIHBB8s", 0x8100, 0, 1, 1, 0, 6, STATION) + tag(5, IPV4, SEGMENT), vlan=5),
    Case("ppp", 9, b"\xff\x03\0\x21" + SEGMENT),
    Case("ppp compressed", 9, b"\x21" + SEGMENT),
    Case("ppp ipv6", 9, b"\xff\x03\0\x57" + SEGMENT6),
    Case("ppp mpls", 9, b"\xff\x03\x02\x81" + mpls(30, SEGMENT), Tunnel.MPLS, 30),
    Case("ppp hdlc", 50, b"\xff\x03\0\x21" + SEGMENT),
    Case("ppp hdlc cisco", 50, b"\x0f\0" + pack(">H", IPV4) + SEGMENT),
    Case("ppp ether", 51, pack(">BBHH", 0x11, 0, 4, len(SEGMENT) + 2) + b"\0\x21" + SEGMENT, Tunnel.PPPOE, 4),
    Case("ppp with direction", 204, b"\0\xff\x03\0\x21" + SEGMENT),
    Case("cisco hdlc", 104, b"\x0f\0" + pack(">H", IPV6) + SEGMENT6),
    Case("fddi", 10, b"\x50" + ROUTER + STATION + llc(SEGMENT)),
    Case("token ring", 6, b"\x10\x40" + ROUTER + STATION + llc(SEGMENT)),
    Case("token ring routed", 6, b"\x10\x40" + ROUTER + b"\x80" + STATION[1:] + b"\x06\x30abcd" + llc(SEGMENT)),
    Case("arcnet", 7, b"\x01\x02\xd4\0\0\1" + SEGMENT),
    Case("arcnet linux", 129, b"\x01\x02\0\0\xd4\0\0\1" + SEGMENT),
    Case("infiniband", 242, b"\0" * 40 + pack(">HH", IPV4, 0) + SEGMENT),
    Case("enc", 109, pack("<III", 2, 0, 0) + SEGMENT),
    Case("pflog", 117, bytes([61, 2]) + b"\0" * 62 + SEGMENT),
    Case("frame relay", 107, b"\x18\x41\x03\xcc" + SEGMENT),
    Case("frame relay snap", 107, b"\x18\x41\x03\x00\x80\0\0\0" + pack(">H", IPV4) + SEGMENT),
    Case("juniper ethernet", 178, b"\x4d\x47\x43\x00" + FRAME),
    Case("juniper ethernet without magic number", 178, FRAME),
    Case("juniper ppp without magic number", 179, b"\xff\x03\0\x21" + SEGMENT),
    Case("juniper hdlc without magic number", 181, b"\x0f\0" + pack(">H", IPV4) + SEGMENT),
    Case("juniper extended", 178, b"\x4d\x47\x43\x80\0\x04\x01\x02\0\0" + FRAME),
    Case("juniper without link layer", 178, b"\x4d\x47\x43\x02" + pack("<I", 2) + SEGMENT),
    Case("juniper ppp", 179, b"\x4d\x47\x43\x00\xff\x03\0\x21" + SEGMENT),
    Case("juniper hdlc", 181, b"\x4d\x47\x43\x00\x0f\0" + pack(">H", IPV4) + SEGMENT),
    Case("pktap", 258, pack("<III", 108, 1, 1) + b"\0" * 96 + FRAME),
    Case("nflog", 239, b"\x02\0\0\0" + attribute(1, b"\x08\0\1\0") + attribute(9, SEGMENT)),
    Case("nflog by family", 239, b"\x0a\0\0\0" + attribute(9, SEGMENT6)),
    Case("ieee 802.3", ETHERNET, ROUTER + STATION + pack(">H", len(SEGMENT) + 8) + llc(SEGMENT)),
    Case("ieee 802.3 padded", ETHERNET, ROUTER + STATION + pack(">H", len(SEGMENT) + 8) + llc(SEGMENT) + b"\xee" * 9),
    Case("llc ip", ETHERNET, ROUTER + STATION + pack(">H", len(SEGMENT) + 3) + b"\x06\x06\x03" + SEGMENT),
    Case("ipx", ETHERNET, ROUTER + STATION + b"\0\x20" + b"\xff\xff" + SEGMENT, None),
    Case("snap bridged", ETHERNET, ethernet(b"\xaa\xaa\x03\0\x80\xc2\0\7\0\0" + FRAME, 0x8870)),
    Case(
        "inter-switch link",
        ETHERNET,
        b"\x01\0\x0c\0\0\0"
        + STATION
        + pack(">H", 12 + len(FRAME) + 4)
        + b"\xaa\xaa\x03\0\0\x0c"
        + pack(">HHH", 7 << 1, 0, 0)
        + FRAME
        + b"\0" * 4,
        vlan=7,
    ),
    Case("unknown link type", 147, FRAME, None),
]

RADIO = [
    Case("802.11", 105, wlan(llc(SEGMENT))),
    Case("802.11 from access point", 105, wlan(llc(SEGMENT), flags=0x02)),
    Case("802.11 ad hoc", 105, wlan(llc(SEGMENT), flags=0x00)),
    Case("802.11 four addresses", 105, wlan(llc(SEGMENT), flags=0x03, extra=b"\0\1\2\3\4\5")),
    Case("802.11 quality of service", 105, wlan(llc(SEGMENT), 0x88, 0x02, b"\0\0")),
    Case("802.11 ht control", 105, wlan(llc(SEGMENT), 0x88, 0x82, b"\0\0\0\0\0\0")),
    Case("802.11 mesh", 105, wlan(llc(SEGMENT), 0x88, 0x03, b"\0\1\2\3\4\5\0\1" + b"\0\x1f\0\0\0\1")),
    Case("802.11 null", 105, wlan(llc(SEGMENT), 0x48), None),
    Case("802.11 beacon", 105, wlan(llc(SEGMENT), 0x80), None),
    Case("802.11 protected", 105, wlan(b"\1\2\3\x20\0\0\0\0" + llc(SEGMENT), flags=0x41), None),
    Case("802.11 type without llc", 105, wlan(pack(">H", IPV4) + SEGMENT)),
    Case("802.11 ethernet inside", 105, wlan(ROUTER + STATION + pack(">H", IPV4) + SEGMENT)),
    Case("802.11 two zeroes", 105, wlan(b"\0\0" + llc(SEGMENT))),
    Case("radiotap", 127, pack("<BBHI", 0, 0, 8, 0) + wlan(llc(SEGMENT))),
    Case(
        "radiotap with check sequence",
        127,
        pack("<BBHIBB", 0, 0, 10, 2, 0x10, 0) + wlan(llc(ip4(tcp(), total=0))) + b"\1\2\3\4",
    ),
    Case("radiotap timer", 127, pack("<BBHIQBB", 0, 0, 18, 3, 5, 0x10, 0) + wlan(llc(SEGMENT)) + b"\1\2\3\4"),
    Case("radiotap padded", 127, pack("<BBHIBB", 0, 0, 10, 2, 0x20, 0) + wlan(llc(SEGMENT), 0x88, 0x02, b"\0\0\0\0")),
    Case("ppi", 192, pack("<BBHI", 0, 0, 8, 105) + wlan(llc(SEGMENT))),
    Case(
        "ppi with check sequence",
        192,
        pack("<BBHI", 0, 0, 32, 105)
        + pack("<HH8sHHHHBBbb", 2, 20, b"", 1, 2, 0, 0, 0, 0, 0, 0)
        + wlan(llc(ip4(tcp(), total=0)))
        + b"\1\2\3\4",
    ),
    Case("ppi ethernet", 192, pack("<BBHI", 0, 0, 8, 1) + FRAME),
    Case("prism", 119, pack("<II", 0x44, 144) + b"\0" * 136 + wlan(llc(SEGMENT))),
    Case("prism without header", 119, wlan(llc(SEGMENT))),
    Case("avs", 163, pack(">II", 0x80211001, 64) + b"\0" * 56 + wlan(llc(SEGMENT))),
]

TAGS = [
    Case("vlan", ETHERNET, ethernet(tag(12, IPV4, SEGMENT), 0x8100), vlan=12),
    Case("vlan stack", ETHERNET, ethernet(tag(12, 0x8100, tag(13, 0x8100, tag(14, IPV6, SEGMENT6))), 0x8100), vlan=12),
    Case("priority tag first", ETHERNET, ethernet(tag(0x2000, 0x8100, tag(13, IPV4, SEGMENT)), 0x8100), vlan=0),
    Case("vlan 0x9100", ETHERNET, ethernet(tag(12, IPV4, SEGMENT), 0x9100), vlan=12),
    Case("vlan with length", ETHERNET, ethernet(tag(12, len(SEGMENT) + 8, llc(SEGMENT)), 0x8100), vlan=12),
    Case("too many vlan tags", ETHERNET, ethernet(tag(1, 0x8100, b"") * 20 + tag(2, IPV4, SEGMENT), 0x8100), None),
    Case("802.1ad", ETHERNET, ethernet(tag(20, 0x8100, tag(21, IPV4, SEGMENT)), 0x88A8), vlan=20),
    Case("802.1ad twice", ETHERNET, ethernet(tag(20, 0x88A8, tag(21, IPV4, SEGMENT)), 0x88A8), vlan=20),
    Case(
        "802.1ah",
        ETHERNET,
        ethernet(pack(">I", 0x1234) + ROUTER + STATION + pack(">H", IPV4) + SEGMENT, 0x88E7),
        Tunnel.PBB,
        0x1234,
    ),
    Case(
        "802.1ad 802.1ah",
        ETHERNET,
        ethernet(tag(30, 0x88E7, pack(">I", 0x1234) + ROUTER + STATION + pack(">H", IPV4) + SEGMENT), 0x88A8),
        Tunnel.PBB,
        0x1234,
        30,
    ),
    Case("e-tag", ETHERNET, ethernet(b"\0\0\0\1\0\0" + pack(">H", IPV4) + SEGMENT, 0x893F)),
    Case("vn-tag", ETHERNET, ethernet(b"\0\0\0\1" + pack(">H", IPV4) + SEGMENT, 0x8926)),
    Case("metadata", ETHERNET, ethernet(b"\1\1\0\1\0\5" + pack(">H", IPV4) + SEGMENT, 0x8909)),
    Case("macsec", ETHERNET, ethernet(b"\x00\0\0\0\0\1" + pack(">H", IPV4) + SEGMENT + b"\0" * 16, 0x88E5)),
    Case(
        "macsec with channel",
        ETHERNET,
        ethernet(b"\x20\0\0\0\0\1" + b"\1" * 8 + pack(">H", IPV4) + SEGMENT + b"\0" * 16, 0x88E5),
    ),
    Case("macsec encrypted", ETHERNET, ethernet(b"\x0c\0\0\0\0\1" + SEGMENT + b"\0" * 16, 0x88E5), None),
    Case("hsr", ETHERNET, ethernet(b"\0\x40\0\1" + pack(">H", IPV4) + SEGMENT, 0x892F)),
    Case("802.1cb", ETHERNET, ethernet(b"\0\0\0\1" + pack(">H", IPV4) + SEGMENT, 0xF1C1)),
    Case("fabricpath", ETHERNET, ethernet(b"\0\x20" + FRAME + b"\1\2\3\4", 0x8903), OTHER),
    Case(
        "fabricpath in vlan", ETHERNET, ethernet(tag(6, 0x8903, b"\0\x20" + FRAME + b"\1\2\3\4"), 0x8100), OTHER, vlan=6
    ),
    Case("bridged ethernet", ETHERNET, ethernet(FRAME, 0x6558)),
    Case("invalid type", ETHERNET, ethernet(SEGMENT, 1510), None),
    Case("mpls", ETHERNET, ethernet(mpls(100, SEGMENT), 0x8847), Tunnel.MPLS, 100),
    Case("mpls stack", ETHERNET, ethernet(mpls(100, mpls(200, SEGMENT6), bottom=False), 0x8848), Tunnel.MPLS, 100),
    Case("mpls control word", ETHERNET, ethernet(mpls(100, b"\0\0\0\1" + FRAME), 0x8847), Tunnel.MPLS, 100),
    Case("mpls plain ethernet", ETHERNET, ethernet(mpls(100, FRAME), 0x8847), Tunnel.MPLS, 100),
    Case("mpls channel with ip", ETHERNET, ethernet(mpls(100, b"\x10\0\0\x21" + SEGMENT), 0x8847), Tunnel.MPLS, 100),
    Case("mpls channel", ETHERNET, ethernet(mpls(13, b"\x10\0\0\x07" + SEGMENT), 0x8847), None),
    Case("mpls unknown", ETHERNET, ethernet(mpls(100, b"\x90" + SEGMENT), 0x8847), None),
    Case(
        "pppoe",
        ETHERNET,
        ethernet(pack(">BBHH", 0x11, 0, 77, len(SEGMENT) + 2) + b"\0\x21" + SEGMENT, 0x8864),
        Tunnel.PPPOE,
        77,
    ),
    Case(
        "pppoe ipv6 padded",
        ETHERNET,
        ethernet(pack(">BBHH", 0x11, 0, 77, len(SEGMENT6) + 2) + b"\0\x57" + SEGMENT6 + b"\0" * 7, 0x8864),
        Tunnel.PPPOE,
        77,
    ),
]

GRE = [
    Case("gre", ETHERNET, gre(IPV4, SEGMENT), Tunnel.GRE),
    Case("gre key", ETHERNET, gre(IPV6, SEGMENT6, 0x2000, pack(">I", 99)), Tunnel.GRE, 99),
    Case("gre all fields", ETHERNET, gre(IPV4, SEGMENT, 0xB000, pack(">III", 0, 99, 5)), Tunnel.GRE, 99),
    Case(
        "gre routing", ETHERNET, gre(IPV4, SEGMENT, 0x4000, pack(">I", 0) + b"\0\2\0\4abcd" + b"\0\0\0\0"), Tunnel.GRE
    ),
    Case("gre ethernet", ETHERNET, gre(0x6558, FRAME), Tunnel.GRE),
    Case("gre mpls", ETHERNET, gre(0x8847, mpls(5, SEGMENT)), Tunnel.GRE),
    Case(
        "gre pptp",
        ETHERNET,
        gre(0x880B, b"\xff\x03\0\x21" + SEGMENT, 0x2001, pack(">HH", 9, 3)),
        Tunnel.GRE,
        9 << 16 | 3,
    ),
    Case(
        "gre pptp without address",
        ETHERNET,
        gre(0x880B, b"\0\x21" + SEGMENT, 0x3081, pack(">HHII", 9, 3, 1, 2)),
        Tunnel.GRE,
        9 << 16 | 3,
    ),
    Case(
        "gre cdma2000",
        ETHERNET,
        gre(0x8881, stuffed(b"\xff\x03\0\x21" + SEGMENT), 0x2000, pack(">I", 4)),
        Tunnel.GRE,
        4,
    ),
    Case(
        "gre 3gpp2",
        ETHERNET,
        gre(0x88D2, b"\x81\1\0" + stuffed(b"\x21" + SEGMENT), 0x2000, pack(">I", 4)),
        Tunnel.GRE,
        4,
    ),
    Case("gre wccp", ETHERNET, gre(0x883E, SEGMENT), Tunnel.GRE),
    Case("gre wccp 2", ETHERNET, gre(0x883E, b"\0\0\0\0" + SEGMENT), Tunnel.GRE),
    Case("gre aruba", ETHERNET, gre(0x8210, wlan(llc(SEGMENT))), Tunnel.GRE),
    Case("gre metadata", ETHERNET, gre(0x8909, pack(">HBBHH", IPV4, 1, 1, 1, 5) + SEGMENT), Tunnel.GRE),
    Case("gre eoip", ETHERNET, gre(0x6400, FRAME, 0x2001, pack(">I", 8)), Tunnel.GRE, 8),
    Case("gre over udp", ETHERNET, udp(pack(">HH", 0, IPV4) + SEGMENT, 4754), Tunnel.GRE),
    Case("erspan 1", ETHERNET, gre(0x88BE, FRAME), Tunnel.ERSPAN),
    Case(
        "erspan 2",
        ETHERNET,
        gre(0x88BE, pack(">HHI", 0x1000 | 5, 33, 0) + FRAME, 0x1000, pack(">I", 1)),
        Tunnel.ERSPAN,
        33,
    ),
    Case(
        "erspan 3",
        ETHERNET,
        gre(0x22EB, pack(">HHIHH", 0x2000 | 5, 34, 0, 0, 0) + FRAME, 0x1000, pack(">I", 1)),
        Tunnel.ERSPAN,
        34,
    ),
    Case(
        "erspan 3 subheader",
        ETHERNET,
        gre(0x22EB, pack(">HHIHHQ", 0x2000, 34, 0, 0, 1, 0) + FRAME, 0x1000, pack(">I", 1)),
        Tunnel.ERSPAN,
        34,
    ),
    Case("etherip", ETHERNET, over_ip(97, b"\x30\0" + FRAME), OTHER),
]

IN_IP = [
    Case("ip in ip", ETHERNET, over_ip(4, SEGMENT), Tunnel.IP_IN_IP),
    Case("6in4", ETHERNET, over_ip(41, SEGMENT6), Tunnel.IP_IN_IP),
    Case("4in6", ETHERNET, ethernet(ip6(SEGMENT, 4), IPV6), Tunnel.IP_IN_IP),
    Case("6in6", ETHERNET, ethernet(ip6(SEGMENT6, 41), IPV6), Tunnel.IP_IN_IP),
    Case("mpls in ip", ETHERNET, over_ip(137, mpls(5, SEGMENT)), Tunnel.MPLS, 5),
    Case("ethernet in ip", ETHERNET, over_ip(143, FRAME)),
    Case("ah", ETHERNET, ethernet(ip4(pack(">BBHII", 6, 4, 0, 1, 1) + b"\0" * 12 + tcp(), 51))),
    Case("ah ipv6", ETHERNET, ethernet(ip6(pack(">BBHII", 6, 4, 0, 1, 1) + b"\0" * 12 + tcp(), 51), IPV6)),
    Case("hop by hop", ETHERNET, ethernet(ip6(pack(">BB6s", 6, 0, b"\1\4\0\0\0\0") + tcp(), 0), IPV6)),
    Case("destination options", ETHERNET, ethernet(ip6(pack(">BB6s", 6, 0, b"\1\4\0\0\0\0") + tcp(), 60), IPV6)),
    Case("routing done", ETHERNET, ethernet(ip6(pack(">BBBB4s", 6, 2, 0, 0, b"") + CLIENT6 + tcp(), 43), IPV6)),
    Case("atomic fragment", ETHERNET, ethernet(ip6(pack(">BBHI", 6, 0, 0, 5) + tcp(), 44), IPV6)),
    Case("esp", ETHERNET, over_ip(50, SEGMENT), None),
    Case("l2tp over ip", ETHERNET, over_ip(115, pack(">I", 5) + FRAME), None),
]

OVER_UDP = [
    Case("vxlan", ETHERNET, udp(pack(">II", 8 << 24, 4242 << 8) + FRAME, 4789), Tunnel.VXLAN, 4242),
    Case("vxlan answer", ETHERNET, udp(pack(">II", 8 << 24, 4242 << 8) + FRAME, 50000, 4789), Tunnel.VXLAN, 4242),
    Case("vxlan old port", ETHERNET, udp(pack(">II", 8 << 24, 4242 << 8) + FRAME, 8472), None),
    Case(
        "vxlan with inner vlan",
        ETHERNET,
        udp(pack(">II", 8 << 24, 1 << 8) + ethernet(tag(3, IPV4, SEGMENT), 0x8100), 4789),
        Tunnel.VXLAN,
        1,
        3,
    ),
    Case("vxlan gpe", ETHERNET, udp(pack(">BHBI", 12, 0, 1, 9 << 8) + SEGMENT, 4790), Tunnel.VXLAN, 9),
    Case(
        "vxlan gpe nsh",
        ETHERNET,
        udp(pack(">BHBI", 12, 0, 4, 9 << 8) + pack(">HBBI", 0x0FC6, 1, 3, 1) + b"\0" * 16 + FRAME, 4790),
        Tunnel.VXLAN,
        9,
    ),
    Case("nsh", ETHERNET, ethernet(pack(">HBBI", 0x0FC2, 2, 1, 1) + SEGMENT, 0x894F), OTHER),
    Case("geneve", ETHERNET, udp(pack(">BBHI", 0, 0, 0x6558, 77 << 8) + FRAME, 6081), Tunnel.GENEVE, 77),
    Case(
        "geneve options",
        ETHERNET,
        udp(pack(">BBHI", 2, 0, IPV4, 77 << 8) + b"\0" * 8 + SEGMENT, 6081),
        Tunnel.GENEVE,
        77,
    ),
    Case("gtp", ETHERNET, udp(pack(">BBHI", 0x30, 255, len(SEGMENT), 5) + SEGMENT, 2152, 2152), Tunnel.GTP_U, 5),
    Case(
        "gtp sequence",
        ETHERNET,
        udp(pack(">BBHI", 0x32, 255, len(SEGMENT6) + 4, 5) + b"\0\1\0\0" + SEGMENT6, 2152),
        Tunnel.GTP_U,
        5,
    ),
    Case(
        "gtp extension",
        ETHERNET,
        udp(pack(">BBHI", 0x34, 255, len(SEGMENT) + 8, 5) + b"\0\0\0\x85" + b"\1\0\5\0" + SEGMENT, 2152),
        Tunnel.GTP_U,
        5,
    ),
    Case("gtp ethernet", ETHERNET, udp(pack(">BBHI", 0x30, 255, len(FRAME), 5) + FRAME, 2152), Tunnel.GTP_U, 5),
    Case("gtp echo", ETHERNET, udp(pack(">BBHI", 0x32, 1, 4, 0) + b"\0\1\0\0", 2152), None),
    Case(
        "gtp 0",
        ETHERNET,
        udp(pack(">BBHHHI8s", 0x1E, 255, len(SEGMENT), 1, 6, 0xFFFFFFFF, b"") + SEGMENT, 3386),
        Tunnel.GTP_U,
        6,
    ),
    Case(
        "gtp 0 on the later port",
        ETHERNET,
        udp(pack(">BBHHHI8s", 0x1E, 255, len(SEGMENT), 1, 6, 0xFFFFFFFF, b"") + SEGMENT, 2152),
        Tunnel.GTP_U,
        6,
    ),
    Case("l2tp", ETHERNET, udp(pack(">HHH", 0x0002, 4, 8) + b"\xff\x03\0\x21" + SEGMENT, 1701), Tunnel.L2TP, 8),
    Case(
        "l2tp all fields",
        ETHERNET,
        udp(
            pack(">HHHHHHH", 0x4A02, 14 + 2 + len(SEGMENT) + 4, 4, 8, 1, 1, 2) + b"\0\0" + b"\xff\x03\0\x21" + SEGMENT,
            1701,
        ),
        Tunnel.L2TP,
        8,
    ),
    Case("l2tp control", ETHERNET, udp(pack(">HHHHHH", 0xC802, 12, 4, 0, 0, 0), 1701), None),
    Case(
        "capwap 802.11",
        ETHERNET,
        udp(
            b"\0"
            + (2 << 19 | 1 << 9 | 0x100).to_bytes(3, "big")
            + b"\0" * 4
            + wlan(llc(SEGMENT))[1::-1]
            + wlan(llc(SEGMENT))[2:],
            5247,
        ),
        Tunnel.CAPWAP,
    ),
    Case(
        "capwap 802.3",
        ETHERNET,
        udp(b"\0" + (2 << 19 | 1 << 9).to_bytes(3, "big") + b"\0" * 4 + FRAME, 5247),
        Tunnel.CAPWAP,
    ),
    Case("capwap dtls", ETHERNET, udp(b"\1" + b"\0" * 7 + FRAME, 5247), None),
    Case(
        "capwap keep-alive",
        ETHERNET,
        udp(b"\0" + (2 << 19 | 1 << 9 | 8).to_bytes(3, "big") + b"\0" * 4 + FRAME, 5247),
        None,
    ),
    Case("sflow", ETHERNET, udp(sflow(FRAME), 6343), Tunnel.SFLOW),
    Case(
        "sflow 4",
        ETHERNET,
        udp(
            pack(">IIIIII", 4, 1, 0x0A000001, 1, 1000, 1)
            + pack(">IIIIIIII", 1, 1, 1, 1, 1, 0, 1, 2)
            + pack(">IIII", 1, 1, len(FRAME), len(FRAME))
            + FRAME
            + b"\0" * (-len(FRAME) % 4)
            + b"\0" * 4,
            6343,
        ),
        Tunnel.SFLOW,
    ),
    Case("lisp", ETHERNET, udp(b"\x80" + b"\0" * 7 + SEGMENT, 4341), OTHER),
    Case("teredo", ETHERNET, udp(SEGMENT6, 3544), OTHER),
    Case("teredo origin", ETHERNET, udp(b"\0\0\1\2\3\4\5\6" + SEGMENT6, 3544), OTHER),
    Case(
        "ayiya", ETHERNET, udp(b"\x42\x52\x11\x29" + b"\0" * 4 + b"\0" * 16 + b"\0" * 20 + SEGMENT6, 5072, 50001), OTHER
    ),
    Case("tzsp", ETHERNET, udp(b"\1\0\0\1" + b"\x0a\1\5\1" + FRAME, 37008), OTHER),
    Case("tzsp 802.11", ETHERNET, udp(b"\1\0\0\x12\1" + wlan(llc(SEGMENT)), 37008), OTHER),
    Case("lwapp", ETHERNET, udp(b"\0" * 6 + wlan(llc(SEGMENT)), 12222), OTHER),
    Case("lwapp with address", ETHERNET, udp(STATION + b"\0" * 6 + wlan(llc(SEGMENT)), 12223), OTHER),
    Case("lwapp ethernet", ETHERNET, udp(FRAME, 12220), OTHER),
    Case("llc over udp", ETHERNET, udp(llc(SEGMENT), 12000)),
    Case("mpls over udp", ETHERNET, udp(mpls(9, SEGMENT), 6635), Tunnel.MPLS, 9),
    Case("juniper mirror", ETHERNET, udp(b"\0" * 8 + SEGMENT, 30030), OTHER),
    Case(
        "peekremote",
        ETHERNET,
        udp(b"\0\xff\xab\xcd\2" + pack(">I", 55) + b"\0" * 46 + wlan(llc(SEGMENT)) + b"\1\2\3\4", 5001, 5002),
        OTHER,
    ),
    Case("dns on a tunnel's port", ETHERNET, udp(pack(">BBHI", 0x30, 255, len(SEGMENT), 5) + SEGMENT, 2152, 53), None),
    Case("udp length too small", ETHERNET, ethernet(ip4(pack(">HHHH", 5, 4789, 3, 0) + FRAME, 17)), None),
]

CASES = LINK_LAYERS + RADIO + TAGS + GRE + IN_IP + OVER_UDP
