"""Reports of losses: what duplicate ACKs and selective acknowledgments told a sender, and when it heard them."""

from typing import Any

from processors.serial import MODULUS_MASK, before, signed
from processors.verdicts.round_trips import clock, least_answer
from processors.verdicts.state import HAS_TIMESTAMP
from processors.verdicts.unseen import owes_nothing
from segwatch.compilation import rare_kernel


@rare_kernel
def note_reports(trouble: Any, sender: Any, were_open: bool, packet: Any) -> None:
    """Remember since when reports of losses are open, and when they were last; ``were_open``: before this segment."""
    are_open = bool(sender.duplicate_acks or trouble.ranges)
    if are_open and not were_open:
        trouble.reported_since = packet.now
        trouble.reported_tsval = packet.tsval
    if are_open or were_open:
        trouble.reported_at = packet.now


@rare_kernel
def _echoes_older(trouble: Any, sender: Any, receiver: Any, note: Any) -> bool:
    """Whether a segment echoes what its sender had heard before the first report, by its timestamp.

    It echoes none of what lies behind a hole, nor of what comes before it has acknowledged data (RFC 7323 section 4.3):
    so this tells only where its peer has sent no data lately.
    """
    stamped = bool(note.marks & HAS_TIMESTAMP) and bool(trouble.reported_tsval) and bool(note.tsecr)
    is_older = stamped and before(signed(note.tsecr), signed(trouble.reported_tsval))
    return is_older and owes_nothing(sender, receiver)


@rare_kernel
def echoes_report(trouble: Any, sender: Any, note: Any) -> bool:
    """Whether a segment echoes what came with the first report of losses, or later.

    One that had been acknowledged by then shows that the echo is that of what passed just before, in the same tick.
    """
    if before(signed(note.start), signed(sender.una)):
        return False
    stamped = bool(note.marks & HAS_TIMESTAMP) and bool(trouble.reported_tsval) and bool(note.tsecr)
    return stamped and not before(signed(note.tsecr), signed(trouble.reported_tsval))


@rare_kernel
def forget_heard(trouble: Any, note: Any) -> None:
    """Say that a sender had not heard of losses, as what it has sent again shows: a later echo may tell that it has."""
    if note.marks & HAS_TIMESTAMP:
        trouble.reported_tsval = (note.tsecr + 1) & MODULUS_MASK


@rare_kernel
def were_heard(trouble: Any, sender: Any, receiver: Any, verdict: Any, note: Any) -> bool:
    """Whether the sender had heard of losses when it sent what passes now.

    What passed the sensor just before (half the least time to the sender and back) is still on its way to it; and what
    it heard before the acknowledgment that settled the losses, it may have acted on.
    """
    if _echoes_older(trouble, sender, receiver, note):
        return False
    now = signed(note.time)
    least = least_answer(sender)
    are_open = verdict.sacked_above > 0 or verdict.duplicate_acks > 0
    if not are_open and now - signed(trouble.reported_at) > least + clock(sender, receiver):
        return False
    if are_open and echoes_report(trouble, sender, note):
        return True
    return 2 * (now - signed(trouble.reported_since)) >= least
