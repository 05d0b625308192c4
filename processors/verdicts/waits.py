"""New data that waited, though nothing was lost: for the receiver's window, or for the sender's application.

A wait that counts is as long as the sender's retransmission timeout (RFC 6298): nothing that a round trip explains.
What waited for a repeat is told by the verdict on the repeat.
"""

from typing import Any

from processors.rules.packet import SYN
from processors.serial import distance, signed
from processors.verdicts import confidence
from processors.verdicts.clocks import silence
from processors.verdicts.need import LONGEST_STALL, note_stall, was_reset
from processors.verdicts.round_trips import LEAST_VARIATION, least_answer, timeout
from processors.verdicts.rows import new_row
from processors.verdicts.sent import has_begun, place_of
from processors.verdicts.state import SYN_SEEN, WAS_CLOSED, State
from processors.verdicts.troubles import trouble_of
from segwatch.compilation import inner_kernel, rare_kernel
from segwatch.vocabulary import Cause

_WINDOW_CLOSED = int(Cause.WINDOW_CLOSED)
_APPLICATION_IDLE = int(Cause.APPLICATION_IDLE)


@inner_kernel
def may_have_waited(packet: Any, sender: Any) -> bool:
    """Whether a segment with new data comes after a pause, or after the receiver's window was closed."""
    if not packet.length or packet.flag_bits & SYN or not has_begun(sender):
        return False
    return bool(packet.now - signed(sender.last_sent) >= LEAST_VARIATION or sender.marks & WAS_CLOSED)


@rare_kernel
def _window_wait(state: State, packet: Any, sender: Any, receiver: Any) -> int:
    """Return how long the data waited for the receiver's window, 0 if it did not.

    It did if it follows the window's opening within a timeout: else there was none to send.
    """
    if not sender.marks & WAS_CLOSED or sender.closed or not sender.trouble:
        return 0
    trouble = state.troubles[sender.trouble - 1]
    if packet.now - signed(trouble.reopened) > timeout(sender, receiver, LEAST_VARIATION):
        return 0
    return max(signed(trouble.reopened) - max(signed(trouble.closed_at), signed(trouble.stalled_until)), 0)


@rare_kernel
def _note_pause(state: State, side: Any, other: Any, heard: int) -> None:
    """Remember since when an end's application has been idle, unless that is known; ``heard``: what it heard last."""
    trouble = trouble_of(state, side)
    is_known = trouble.idle_since >= max(signed(side.last_sent), signed(other.last_sent))
    if not is_known and side.una == side.snd_max and heard >= side.last_sent:
        trouble.idle_since = heard + least_answer(side)


@rare_kernel
def note_pauses(state: State, packet: Any, sender: Any, receiver: Any) -> None:
    """Take a keep-alive: neither it nor the answer to it ends a pause of either application."""
    _note_pause(state, sender, receiver, signed(sender.last_heard))
    _note_pause(state, receiver, sender, signed(packet.spoke))


@rare_kernel
def _has_only_begun(state: State, side: Any) -> bool:
    """Whether nothing of an end has passed but its SYN."""
    if not side.marks & SYN_SEEN or side.count != 1:
        return False
    only = state.pieces[place_of(side, 0)]
    return distance(signed(only.end), signed(only.start)) == 1


@rare_kernel
def _idle_time(state: State, packet: Any, sender: Any, receiver: Any, quiet: int) -> int:
    """Return how long the sender's application had been idle: since data passed last, in whichever direction.

    Not before all that was sent had been acknowledged, nor before the handshake was complete: it could not send.
    """
    begun = packet.now - quiet
    if sender.trouble:
        trouble = state.troubles[sender.trouble - 1]
        if trouble.idle_since and trouble.idle_since >= max(signed(sender.last_sent), signed(receiver.last_sent)):
            begun = signed(trouble.idle_since)
        begun = max(begun, signed(trouble.reopened), signed(trouble.stalled_until))
    if _has_only_begun(state, sender) and _has_only_begun(state, receiver):
        begun = max(begun, min(signed(packet.spoke), packet.now))
    return int(packet.now - max(begun, signed(sender.last_sent)))


@rare_kernel
def write_wait(
    state: State,
    packet: Any,
    sender: Any,
    receiver: Any,
    out: Any,
) -> None:
    """Write what new data waited for, if it waited for a timeout or longer."""
    least = timeout(sender, receiver, LEAST_VARIATION)
    quiet = silence(state, packet, sender, receiver)
    by_window = least <= _window_wait(state, packet, sender, receiver) <= LONGEST_STALL
    could_send = not sender.closed and sender.una == sender.snd_max
    idle = _idle_time(state, packet, sender, receiver, quiet) if could_send else 0
    if not sender.closed:
        sender.marks = signed(sender.marks) & ~WAS_CLOSED
    if was_reset(packet) or not (by_window or least <= idle <= LONGEST_STALL):
        return
    verdict = new_row(state, packet, sender, receiver, out)
    verdict.silence = quiet
    if by_window:
        trouble = state.troubles[sender.trouble - 1]
        verdict.cause = _WINDOW_CLOSED
        verdict.confidence = confidence.WINDOW_SAID_SO
        note_stall(trouble, verdict, signed(trouble.closed_at), signed(trouble.reopened))
    else:
        verdict.cause = _APPLICATION_IDLE
        verdict.confidence = confidence.NOTHING_IN_FLIGHT
        verdict.stalled = idle
        if sender.trouble:
            state.troubles[sender.trouble - 1].stalled_until = packet.now
