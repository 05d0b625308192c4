"""What the two ends agreed on, as far as the capture shows."""

from typing import Any

from processors.verdicts.state import SACK_PERMITTED, SACK_SENT, SYN_SEEN
from segwatch.compilation import inner_kernel, rare_kernel
from segwatch.vocabulary import Quality

_PERMITS = int(Quality.SACK_PERMITTED)


@inner_kernel
def note_options(packet: Any, sender: Any) -> None:
    """Remember what a SYN says."""
    sender.marks |= SYN_SEEN
    if packet.quality & _PERMITS:
        sender.marks |= SACK_PERMITTED


@rare_kernel
def may_acknowledge_selectively(side: Any) -> bool:
    """Whether a side permits selective acknowledgments (RFC 2018): it does where its SYN was not captured."""
    return bool(side.marks & (SACK_PERMITTED | SACK_SENT)) or not side.marks & SYN_SEEN


@rare_kernel
def both_acknowledge_selectively(sender: Any, receiver: Any) -> bool:
    """Whether both sides permit it: then it is in use, and so are the mechanisms that need it (RFC 8985)."""
    return may_acknowledge_selectively(sender) and may_acknowledge_selectively(receiver)


@inner_kernel
def reports_selectively(sender: Any, receiver: Any) -> bool:
    """Whether a receiver surely reports what it has selectively: it has done so, or both permitted it."""
    return bool(receiver.marks & SACK_SENT or sender.marks & receiver.marks & SACK_PERMITTED)
