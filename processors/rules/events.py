"""Connection events: how a header opens or closes a connection, and Fast Open (section 3.8)."""

from typing import Any

from processors.rules.packet import ACK, FIN, RST, SYN
from segwatch.compilation import kernel
from segwatch.vocabulary import Event, Quality

_SYN = int(Event.SYN)
_SYNACK = int(Event.SYNACK)
_FIN = int(Event.FIN)
_FIN_ACTIVE = int(Event.FIN_ACTIVE)
_FIN_PASSIVE = int(Event.FIN_PASSIVE)
_RST = int(Event.RST)
_TFO_SYN = int(Event.TFO_SYN)
_TFO_ACK = int(Event.TFO_ACK)
_TFO_IGNORED = int(Event.TFO_IGNORED)
_COOKIE = int(Quality.FAST_OPEN_COOKIE)


@kernel
def flag_events(sender: Any, receiver: Any, flags: int) -> int:
    """Return the events of the flags; the first sender of a FIN becomes the active closer."""
    events = 0
    if flags & SYN:
        events |= _SYNACK if flags & ACK else _SYN
    if flags & RST:
        events |= _RST
    if flags & FIN:
        events |= _FIN
        if receiver.closer:
            events |= _FIN_PASSIVE
        else:
            sender.closer = 1
            events |= _FIN_ACTIVE
    return events


@kernel
def fast_open_answer(conversation: Any, flags: int, relative_ack: int) -> int:
    """Return the Fast Open event of a SYN/ACK: it acknowledges data of the SYN, or ignores it."""
    if not (flags & SYN and flags & ACK):
        return 0
    if relative_ack > 1:
        return _TFO_ACK
    return _TFO_IGNORED if conversation.fast_open_data else 0


@kernel
def fast_open_request(conversation: Any, flags: int, length: int, quality: int) -> int:
    """Return the Fast Open event of a SYN whose options were read."""
    if not flags & SYN or flags & ACK or not quality & _COOKIE:
        return 0
    if length > 0:
        conversation.fast_open_data = 1
    return _TFO_SYN
