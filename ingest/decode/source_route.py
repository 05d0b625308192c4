"""Source routes in IPv4 options (RFC 791 section 3.1): a packet under way has its final destination there."""

from typing import Any, Final

from ingest.decode.loads import load_8
from segwatch.compilation import kernel

_END_OF_LIST: Final = 0
_NO_OPERATION: Final = 1
_LOOSE_SOURCE_ROUTE: Final = 131
_STRICT_SOURCE_ROUTE: Final = 137
_DESTINATION: Final = 16
_OPTIONS: Final = 20
_ROUTE_POINTER: Final = 2


@kernel
def destination_offset(buffer: Any, start: int, end: int) -> int:
    """Return where in the buffer the destination of an IPv4 header lies that is all captured, up to ``end``."""
    position = start + _OPTIONS
    while position + 1 < end:
        kind = load_8(buffer, position)
        if kind == _END_OF_LIST:
            break
        if kind == _NO_OPERATION:
            position += 1
            continue
        length = load_8(buffer, position + 1)
        if length < 2 or position + length > end:
            break
        if kind in (_LOOSE_SOURCE_ROUTE, _STRICT_SOURCE_ROUTE) and length > _ROUTE_POINTER:
            under_way = load_8(buffer, position + _ROUTE_POINTER) <= length
            return position + length - 4 if under_way else start + _DESTINATION
        position += length
    return start + _DESTINATION
