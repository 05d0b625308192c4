"""Answers to a SYN that come so late that they were sent before, and never passed the sensor."""

from typing import Any

from processors.rules.packet import ACK, SYN
from processors.serial import signed
from processors.verdicts.sent import place_of
from processors.verdicts.state import HAS_TIMESTAMP, State
from segwatch.compilation import inner_kernel, rare_kernel
from segwatch.vocabulary import Quality

_TIMESTAMPS = int(Quality.TIMESTAMPS)
_SYN_ACK = SYN | ACK
TIMER = 900_000_000
"""Nanoseconds after which a SYN/ACK was sent by the timer: it is 1 s at first (RFC 6298 section 2.1)."""


@inner_kernel
def may_answer(packet: Any, sender: Any) -> bool:
    """Whether a segment is the first SYN/ACK of its sender."""
    return packet.flag_bits & _SYN_ACK == _SYN_ACK and not sender.last_sent


@rare_kernel
def answered_again(state: State, packet: Any, receiver: Any) -> int:
    """Return when the SYN passed that the first SYN/ACK answers, if an earlier answer must have been lost; else 0.

    A host answers a SYN at once. If the SYN was repeated, it is the last one that is answered, but for an echo of the
    first one's timestamp: Linux echoes that in all repeats of a SYN/ACK.
    """
    if not receiver.count or not receiver.last_sent:
        return 0
    asked = signed(receiver.last_sent)
    first = state.pieces[place_of(receiver, 0)]
    stamped = bool(first.marks & HAS_TIMESTAMP) and bool(packet.quality & _TIMESTAMPS)
    if stamped and packet.tsecr == first.tsval:
        asked = signed(first.time)
    return asked if packet.now - asked >= TIMER else 0
