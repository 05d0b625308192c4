"""IPv6 extension headers (RFC 8200 section 4), as far as they decide what follows and where the packet goes."""

from typing import Any, Final

from ingest.decode.loads import load_8
from segwatch.compilation import kernel

_HOP_BY_HOP: Final = 0
_ROUTING: Final = 43
_FRAGMENT: Final = 44
_AUTHENTICATION: Final = 51
_DESTINATION_OPTIONS: Final = 60
_SHIM6: Final = 140

_SOURCE_ROUTE: Final = 0
_MOBILE_IPV6: Final = 2
_LOW_POWER_ROUTE: Final = 3
_SEGMENT_ROUTING: Final = 4
_COMPACT_ROUTING: Final = 5
_COMPACT_ROUTING_32: Final = 6
_ADDRESS: Final = 16


@kernel
def is_extension(protocol: int) -> bool:
    """Whether another header follows that of ``protocol``.

    tshark lets nothing follow mobility (135) and host identity (139) headers.
    """
    return protocol in (_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION_OPTIONS, _SHIM6)


@kernel
def extension_length(buffer: Any, protocol: int, position: int) -> int:
    """Return the bytes of an extension header; two of them at least are captured."""
    if protocol == _FRAGMENT:
        return 8
    if protocol == _AUTHENTICATION:  # RFC 4302 section 2.2
        return (load_8(buffer, position + 1) + 2) * 4
    return (load_8(buffer, position + 1) + 1) * 8


@kernel
def is_malformed_routing(buffer: Any, protocol: int, position: int, length: int) -> bool:
    """Whether tshark gives up at a routing header: what it must hold does not fit into its ``length`` bytes.

    Those are an address in types 2 (RFC 6275 section 6.4) and 4 (RFC 8754 section 2), the last address in type 3
    (RFC 6554 section 3), and the segment that comes next in types 5 and 6 (compact
    routing headers, of 16 and 32 bits a segment).
    """
    if protocol != _ROUTING:
        return False
    kind = load_8(buffer, position + 2)
    if kind in (_MOBILE_IPV6, _SEGMENT_ROUTING):
        return length < 8 + _ADDRESS
    if kind in (_COMPACT_ROUTING, _COMPACT_ROUTING_32):
        segment = 2 if kind == _COMPACT_ROUTING else 4
        return 4 + segment * (load_8(buffer, position + 3) + 1) > length
    if kind != _LOW_POWER_ROUTE or length == 8:
        return False
    others = _ADDRESS - (load_8(buffer, position + 4) >> 4)
    last = _ADDRESS - (load_8(buffer, position + 4) & 0xF)
    surplus = length - 8 - (load_8(buffer, position + 5) >> 4) - last
    return -others < surplus < 0 and length - 8 < last


@kernel
def routed_destination(buffer: Any, protocol: int, position: int, length: int) -> int:
    """Return where in the buffer the final destination of a packet under way lies, -1 if the IPv6 header has it.

    Routing headers of types 0 (RFC 5095), 2 (RFC 6275 section 6.4) and 4 (RFC 8754 section 2) are understood; the
    header of ``length`` bytes is captured.
    """
    if protocol != _ROUTING or length < 8 + _ADDRESS or load_8(buffer, position + 3) == 0:
        return -1
    kind = load_8(buffer, position + 2)
    if kind == _SEGMENT_ROUTING:
        return position + 8
    if kind in (_SOURCE_ROUTE, _MOBILE_IPV6):
        return position + 8 + (length - 8) // _ADDRESS * _ADDRESS - _ADDRESS
    return -1
