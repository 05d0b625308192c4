"""Loss episodes: what a sender is doing about losses, as far as its repeats and the acknowledgments show it."""

from typing import Any

from processors.serial import before, signed
from processors.verdicts.round_trips import LEAST_CLOCK, least_answer
from processors.verdicts.state import LOSS, OPEN, RECOVERY
from segwatch.compilation import rare_kernel


@rare_kernel
def enter(trouble: Any, phase: int, snd_max: int) -> None:
    """Begin a phase; it lasts until all that has been sent so far is acknowledged (RFC 6582's recover)."""
    if trouble.phase == OPEN:
        trouble.episode += 1
    trouble.phase = phase
    trouble.high_seq = snd_max


@rare_kernel
def end_if_acknowledged(trouble: Any, una: int, selective: bool, now: int) -> None:
    """End the phase when ``una`` has reached its mark, or gone beyond it without selective acknowledgments.

    Duplicate ACKs for the mark itself may be due to the repeats of the episode (RFC 6582 section 4.1, Linux). Where
    packets in flight did not pass the sensor, the sender's mark lies beyond the one that was seen.
    """
    mark = signed(trouble.high_seq)
    is_all = selective and not trouble.unseen
    if trouble.phase != OPEN and (before(mark, una) or (is_all and mark == una)):
        trouble.last_phase = trouble.phase
        trouble.phase = OPEN
        trouble.ended = now
        trouble.unseen = 0


@rare_kernel
def phase_at_sender(trouble: Any, sender: Any, seq: int, now: int) -> int:
    """Return the phase that a segment was sent in: the sender had not heard yet what passed the sensor just before."""
    since = now - signed(trouble.ended)
    least = least_answer(sender)
    unheard = since < least or (since < least + LEAST_CLOCK and before(seq, signed(trouble.high_seq)))
    if trouble.phase == OPEN and trouble.ended and unheard:
        return signed(trouble.last_phase)
    return signed(trouble.phase)


@rare_kernel
def undo(trouble: Any, now: int) -> None:
    """End the phase that began with a spurious repeat: so does the sender (RFC 5682, RFC 4015)."""
    if trouble.phase in (LOSS, RECOVERY):
        trouble.last_phase = trouble.phase
        trouble.phase = OPEN
        trouble.ended = now
