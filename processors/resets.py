"""Classes of resets: who broke off what, from the headers alone.

The classes are tried from top to bottom of ``classify_reset``; the first that holds wins.
"""

from enum import IntFlag
from typing import Any, Final

from processors.rules.packet import ACK, SYN, Packet
from processors.rules.window import scaled_window
from processors.serial import MODULUS_MASK, distance, signed
from segwatch.compilation import kernel
from segwatch.vocabulary import Label, Reset

IDLE_BEFORE_RESET: Final = 60_000_000_000
"""Nanoseconds of silence after which a reset counts as "after idle": the shortest idle timeout in common use."""
SHORTEST_KEEP_ALIVE_TIME: Final = 1_000_000_000
"""Nanoseconds of silence before a keep-alive that counts: sooner, the same bytes are a repeat of the last one."""
UNANSWERED_KEEP_ALIVES: Final = 1
"""Keep-alives without an answer after which the prober's reset means that it gave up."""


class Seen(IntFlag):
    """What a side has sent so far in a conversation."""

    SYN = 1
    SYN_ACK = 2
    OTHER = 4
    FIN = 8
    RST = 16


_SEEN_SYN = int(Seen.SYN)
_SEEN_SYN_ACK = int(Seen.SYN_ACK)
_SEEN_OTHER = int(Seen.OTHER)
_SEEN_FIN = int(Seen.FIN)
_SEEN_RST = int(Seen.RST)
_FLAG_FIN = 1
_FLAG_RST = 4
_KEEP_ALIVE = int(Label.KEEP_ALIVE)
_MOST_KEEP_ALIVES = 255

_REFUSED = int(Reset.REFUSED)
_HANDSHAKE_ABORTED = int(Reset.HANDSHAKE_ABORTED)
_AFTER_FIN = int(Reset.AFTER_FIN)
_ABORTED_BY_CLIENT = int(Reset.ABORTED_BY_CLIENT)
_ABORTED_BY_SERVER = int(Reset.ABORTED_BY_SERVER)
_HALF_OPEN = int(Reset.HALF_OPEN)
_AFTER_IDLE = int(Reset.AFTER_IDLE)
_OFF_SEQUENCE = int(Reset.OFF_SEQUENCE)
_KEEP_ALIVE_FAILURE = int(Reset.KEEP_ALIVE_FAILURE)
_REPEATED = int(Reset.REPEATED)


@kernel
def _is_keep_alive_failure(sender: Any, receiver: Any) -> bool:
    """The prober gave up, or the probed side answers that it knows no such connection."""
    return bool(sender.keep_alives >= UNANSWERED_KEEP_ALIVES or receiver.keep_alives >= UNANSWERED_KEEP_ALIVES)


@kernel
def _first_word(packet: Packet, receiver: Any) -> int:
    """Return the class of a reset that is the first thing its sender says (RFC 9293 section 3.5.2, group 1)."""
    only_syns = signed(receiver.seen) & ~_SEEN_RST == _SEEN_SYN
    if only_syns and packet.flags & ACK:
        return _REFUSED
    return _HALF_OPEN


@kernel
def _is_half_open_answer(sender: Any, receiver: Any) -> bool:
    """The client resets what answered its SYN without a SYN/ACK (RFC 9293 section 3.5.1, figure 9)."""
    return bool(
        signed(sender.seen) & ~_SEEN_RST == _SEEN_SYN
        and receiver.seen & _SEEN_OTHER
        and not receiver.seen & _SEEN_SYN_ACK
    )


@kernel
def _is_off_sequence(packet: Packet, sender: Any, receiver: Any) -> bool:
    """Whether the peer must ignore the reset (RFC 9293 section 3.10.7.4): outside the window that it offered.

    What the sender has sent last, and what the peer has acknowledged last, are always in sequence.
    """
    if not receiver.seen or packet.seq == signed(sender.nextseq):
        return False
    left = signed(receiver.lastack)
    offered = scaled_window(receiver, 0, signed(receiver.window))
    sent_ahead = distance(signed(sender.nextseq), left)
    width = max(offered, 1)
    if sent_ahead <= MODULUS_MASK >> 1:
        width = max(width, sent_ahead)
    return distance(packet.seq, left) >= width


@kernel
def classify_reset(packet: Packet, conversation: Any, sender: Any, receiver: Any, by_client: bool, idle: int) -> int:
    """Return the ``Reset`` of a header with RST, from the state before it.

    ``idle``: nanoseconds since the conversation's previous segment.
    """
    if sender.seen & _SEEN_RST:
        return _REPEATED
    if _is_keep_alive_failure(sender, receiver):
        return _KEEP_ALIVE_FAILURE
    if sender.seen == 0:
        return _first_word(packet, receiver)
    if _is_half_open_answer(sender, receiver):
        return _HALF_OPEN
    if (sender.seen | receiver.seen) & (_SEEN_SYN | _SEEN_SYN_ACK) and not conversation.established:
        return _HANDSHAKE_ABORTED
    if (sender.seen | receiver.seen) & _SEEN_FIN:
        return _AFTER_FIN
    if _is_off_sequence(packet, sender, receiver):
        return _OFF_SEQUENCE
    if idle >= IDLE_BEFORE_RESET:
        return _AFTER_IDLE
    return _ABORTED_BY_CLIENT if by_client else _ABORTED_BY_SERVER


@kernel
def note_seen(
    conversation: Any, sender: Any, receiver: Any, flags: int, labels: int, by_client: bool, idle: int
) -> None:
    """Remember what a header said, for the class of a later reset; ``idle`` as for ``classify_reset``.

    The connection is established when the client acknowledges anything, or the server goes on after its SYN/ACK:
    so it is known from one direction, too. A SYN begins anew: its sender's earlier reset belonged to something else.
    """
    if flags & _FLAG_RST:
        sender.seen |= _SEEN_RST
    elif flags & SYN:
        sender.seen = signed(sender.seen) & ~_SEEN_RST | (_SEEN_SYN_ACK if flags & ACK else _SEEN_SYN)
    else:
        if flags & ACK and (by_client or sender.seen & _SEEN_SYN_ACK):
            conversation.established = 1
        sender.seen |= _SEEN_OTHER
    if flags & _FLAG_FIN:
        sender.seen |= _SEEN_FIN
    if labels & _KEEP_ALIVE and idle >= SHORTEST_KEEP_ALIVE_TIME:
        if sender.keep_alives < _MOST_KEEP_ALIVES:
            sender.keep_alives += 1
    else:
        sender.keep_alives = 0
    receiver.keep_alives = 0
