"""How much of a conversation has been seen (section 3.7)."""

from processors.rules.packet import ACK, FIN, RST, SYN
from segwatch.compilation import kernel
from segwatch.vocabulary import Completeness

_SYN = int(Completeness.SYN)
_SYN_ACK = int(Completeness.SYN_ACK)
_ACK = int(Completeness.ACK)
_DATA = int(Completeness.DATA)
_FIN = int(Completeness.FIN)
_RST = int(Completeness.RST)


@kernel
def first_completeness(flags: int, length: int) -> int:
    """Return the value after the first header of a conversation: only a SYN, and its data, count."""
    if flags & SYN and not flags & ACK:
        return _SYN | (_DATA if length > 0 else 0)
    return 0


@kernel
def next_completeness(value: int, flags: int, length: int) -> int:
    """Return the value after any later header."""
    if flags & SYN and flags & ACK:
        value |= _SYN_ACK
    if flags & ACK and not flags & SYN:
        value |= _DATA if length > 0 else _ACK
    if flags & FIN and flags & ACK:
        value |= _FIN
    if flags & RST:
        value |= _RST
    return value
