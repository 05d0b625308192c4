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
_SEGMENT_ROUTING: Final = 4
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
