"""Builders of hand-made frames."""

from struct import pack

ETHERNET, IPV4, IPV6 = 1, 0x0800, 0x86DD
CLIENT4, SERVER4 = bytes([192, 0, 2, 1]), bytes([198, 51, 100, 2])
CLIENT6, SERVER6 = bytes.fromhex("20010db8" + "00" * 11 + "01"), bytes.fromhex("20010db8" + "00" * 11 + "02")
OUTER_CLIENT, OUTER_SERVER = bytes([203, 0, 113, 5]), bytes([203, 0, 113, 6])
STATION, ACCESS_POINT, ROUTER = b"\x00\x1b\x21\x0a\x0b\x0c", b"\x00\x1b\x22\x0d\x0e\x0f", b"\x00\x1b\x23\x01\x02\x03"


def tcp(payload: bytes = b"hello", seq: int = 1000, sport: int = 40000, dport: int = 80) -> bytes:
    """Return a TCP segment."""
    return pack(">HHIIBBHHH", sport, dport, seq, 77, 5 << 4, 0x18, 8192, 0, 0) + payload


def ip4(
    payload: bytes, protocol: int = 6, source: bytes = CLIENT4, destination: bytes = SERVER4, **fields: int
) -> bytes:
    """Return an IPv4 packet."""
    total = fields.get("total", 20 + len(payload))
    return (
        pack(">BBHHHBBH", 0x45, 0, total, fields.get("ident", 7), fields.get("fragment", 0), 64, protocol, 0)
        + source
        + destination
        + payload
    )


def ip6(payload: bytes, number: int = 6, source: bytes = CLIENT6, destination: bytes = SERVER6) -> bytes:
    """Return an IPv6 packet."""
    return pack(">IHBB", 6 << 28, len(payload), number, 63) + source + destination + payload


def ethernet(payload: bytes, number: int = IPV4) -> bytes:
    """Return an Ethernet II frame."""
    return ROUTER + STATION + pack(">H", number) + payload


def tag(identifier: int, number: int, payload: bytes) -> bytes:
    """Return what follows the Ethernet type of a VLAN tag."""
    return pack(">HH", identifier, number) + payload


def udp(payload: bytes, dport: int, sport: int = 50000) -> bytes:
    """Return an Ethernet frame with a UDP datagram."""
    datagram = pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload
    return ethernet(ip4(datagram, 17, OUTER_CLIENT, OUTER_SERVER))


def over_ip(protocol: int, payload: bytes) -> bytes:
    """Return an Ethernet frame with a payload directly over IPv4."""
    return ethernet(ip4(payload, protocol, OUTER_CLIENT, OUTER_SERVER))


def gre(number: int, payload: bytes, flags: int = 0, fields: bytes = b"") -> bytes:
    """Return an Ethernet frame with GRE."""
    return over_ip(47, pack(">HH", flags, number) + fields + payload)


def llc(payload: bytes, number: int = IPV4) -> bytes:
    """Return LLC and SNAP before a payload."""
    return b"\xaa\xaa\x03\0\0\0" + pack(">H", number) + payload


def wlan(payload: bytes, first: int = 0x08, flags: int = 0x01, extra: bytes = b"", sequence: int = 0x0100) -> bytes:
    """Return an 802.11 data frame; ``extra`` stands between the three addresses' header and the payload."""
    return bytes([first, flags, 0, 0]) + ACCESS_POINT + STATION + ROUTER + pack("<H", sequence) + extra + payload


def mpls(label: int, payload: bytes, *, bottom: bool = True) -> bytes:
    """Return a label and a payload."""
    return pack(">I", label << 12 | bottom << 8 | 64) + payload


def stuffed(frame: bytes) -> bytes:
    """Return a PPP frame in asynchronous framing, between the ends of two others."""
    escaped = b"".join(
        bytes([0x7D, octet ^ 0x20]) if octet in (0x7D, 0x7E) or octet < 0x20 else bytes([octet]) for octet in frame
    )
    return b"ab\x7e" + escaped + b"\x7e\x7e" + b"cd"


def attribute(kind: int, value: bytes) -> bytes:
    """Return a netlink attribute of a little-endian machine."""
    return pack("<HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def sflow_record(frame: bytes) -> bytes:
    """Return an sFlow version 5 record with a sampled header."""
    head = pack(">IIII", 1, len(frame) + 4, 4, len(frame)) + frame + b"\0" * (-len(frame) % 4)
    return pack(">II", 1, len(head)) + head


def sflow(*frames: bytes) -> bytes:
    """Return an sFlow version 5 datagram with one flow sample."""
    records = b"".join(map(sflow_record, frames))
    sample = pack(">IIIIIIII", 1, 1, 100, 1000, 0, 1, 2, len(frames)) + records
    return pack(">IIIIIII", 5, 1, 0x0A000001, 0, 1, 1000, 1) + pack(">II", 1, len(sample)) + sample


SEGMENT = ip4(tcp())
SEGMENT6 = ip6(tcp())
FRAME = ethernet(SEGMENT)
