"""Reports of losses: what duplicate ACKs and selective acknowledgments told a sender, and when it heard them."""

from typing import Any

from processors.serial import signed
from processors.verdicts.round_trips import clock, least_answer
from segwatch.compilation import rare_kernel


@rare_kernel
def note_reports(trouble: Any, sender: Any, were_open: bool, now: int) -> None:
    """Remember since when reports of losses are open, and when they were last; ``were_open``: before this segment."""
    are_open = bool(sender.duplicate_acks or trouble.ranges)
    if are_open and not were_open:
        trouble.reported_since = now
    if are_open or were_open:
        trouble.reported_at = now


@rare_kernel
def were_heard(trouble: Any, sender: Any, receiver: Any, verdict: Any, now: int) -> bool:
    """Whether the sender had heard of losses when it sent what passes now.

    What passed the sensor just before (half the least time to the sender and back) is still on its way to it; and what
    it heard before the acknowledgment that settled the losses, it may have acted on.
    """
    least = least_answer(sender)
    are_open = verdict.sacked_above > 0 or verdict.duplicate_acks > 0
    if not are_open and now - signed(trouble.reported_at) > least + clock(sender, receiver):
        return False
    return 2 * (now - signed(trouble.reported_since)) >= least
