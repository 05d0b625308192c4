"""Senders that take no heed of selective acknowledgments: they go back to the first loss, and send all again.

So does smoltcp, at each third duplicate ACK since the last advance (RFC 5681 section 3.2 without RFC 6582), those that
its own repeats cause counted: each time it is a fast retransmit.
"""

from typing import Any, Final

from processors.serial import before, signed
from processors.verdicts import scoreboard
from segwatch.compilation import rare_kernel

_ENOUGH: Final = 3
"""Repeats in a row of what had been acknowledged selectively: others may have crossed that on their way."""
_MOST: Final = 0xFF


@rare_kernel
def goes_back(trouble: Any) -> bool:
    """Whether a sender is known to go back."""
    return bool(trouble.ignored >= _ENOUGH)


@rare_kernel
def goes_back_again(trouble: Any, sender: Any, note: Any, reported: bool) -> bool:
    """Whether a repeat is not where its sender's repeats went on, of a sender that goes back; take it in.

    ``reported``: the sender had heard of losses.
    """
    start = signed(note.start)
    goes_on = start == signed(trouble.repeated_to)
    is_back = before(start, signed(trouble.repeated_to)) or signed(sender.last_sent) > signed(trouble.repeated_at)
    if trouble.ignored < _ENOUGH:
        ignores = reported and scoreboard.holds(trouble, start, signed(note.end))
        counted = signed(trouble.ignored) if goes_on else 0
        trouble.ignored = min(counted + 1, _MOST) if ignores else 0
    trouble.repeated_to = note.end
    trouble.repeated_at = note.time
    return bool(is_back and not goes_on and goes_back(trouble))
