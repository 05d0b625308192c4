"""New data that waited, though nothing was lost: for the receiver's window, or for the sender's application.

A wait that counts is as long as the sender's retransmission timeout (RFC 6298): nothing that a round trip explains.
What waited for a repeat is told by the verdict on the repeat.
"""

from typing import Any

from processors.rules.packet import SYN
from processors.serial import signed
from processors.verdicts import confidence
from processors.verdicts.clocks import silence
from processors.verdicts.need import note_stall
from processors.verdicts.round_trips import LEAST_VARIATION, timeout
from processors.verdicts.rows import new_row
from processors.verdicts.sent import has_begun
from processors.verdicts.state import WAS_CLOSED, State
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
    if packet.now - signed(trouble.reopened) > timeout(sender, receiver):
        return 0
    return max(signed(trouble.reopened) - max(signed(trouble.closed_at), signed(trouble.stalled_until)), 0)


@rare_kernel
def write_wait(
    state: State,
    packet: Any,
    sender: Any,
    receiver: Any,
    out: Any,
) -> None:
    """Write what new data waited for, if it waited for a timeout or longer."""
    least = timeout(sender, receiver)
    quiet = silence(state, packet, sender, receiver)
    by_window = _window_wait(state, packet, sender, receiver) >= least
    could_send = not sender.closed and sender.una == sender.snd_max
    if not sender.closed:
        sender.marks = signed(sender.marks) & ~WAS_CLOSED
    if not by_window and not (could_send and quiet >= least):
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
        verdict.stalled = quiet
