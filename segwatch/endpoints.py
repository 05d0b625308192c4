"""Addresses and ports as text."""

from ipaddress import IPv4Address, IPv6Address
from typing import Any


def address_text(words: Any, ip_version: int) -> str:
    """Return an address ((2,) uint64 as on the wire) as text."""
    octets = words.tobytes()
    return str(IPv6Address(octets) if ip_version == 6 else IPv4Address(octets[12:]))


def endpoint_text(host: str, port: int) -> str:
    """Return an address or a name with a port, as URLs have them (RFC 3986 section 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
