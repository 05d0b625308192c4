"""Names of link types, as the tcpdump group's registry has them (LINKTYPE_ values)."""

_NAMES = {
    0: "null", 1: "Ethernet", 6: "IEEE 802.5", 7: "ARCNET", 8: "SLIP", 9: "PPP", 10: "FDDI", 50: "PPP (HDLC)",
    51: "PPPoE", 100: "RFC 1483 ATM", 101: "raw IP", 104: "Cisco HDLC", 105: "IEEE 802.11", 107: "Frame Relay",
    108: "loopback", 113: "Linux cooked (SLL)", 119: "802.11 with Prism header", 127: "802.11 with radiotap",
    147: "user 0", 163: "802.11 with AVS header", 166: "PPP with direction", 189: "USB", 192: "PPI",
    220: "USB (mmapped)", 228: "IPv4", 229: "IPv6", 239: "NFLOG", 240: "netANALYZER", 249: "USBPcap",
    251: "Bluetooth LE", 253: "Netlink", 276: "Linux cooked v2 (SLL2)",
}  # fmt: skip


def link_type_name(number: int) -> str:
    """Return a name for people; the number where there is no usual name."""
    return _NAMES.get(number, f"link type {number}")
