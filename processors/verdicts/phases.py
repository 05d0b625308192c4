"""Loss episodes: what a sender is doing about losses, as far as its repeats and the acknowledgments show it."""

from typing import Any

from processors.serial import before, not_after, signed
from processors.verdicts.round_trips import LEAST_CLOCK, least_answer
from processors.verdicts.state import LOSS, OPEN
from segwatch.compilation import kernel
from segwatch.vocabulary import Cause

_RTO = int(Cause.RTO)


@kernel
def enter(trouble: Any, phase: int, snd_max: int) -> None:
    """Begin a phase; it lasts until all that has been sent so far is acknowledged (RFC 6582's recover)."""
    if trouble.phase == OPEN:
        trouble.episode += 1
    trouble.phase = phase
    trouble.high_seq = snd_max


@kernel
def end_if_acknowledged(trouble: Any, una: int, now: int) -> None:
    """End the phase when ``una`` has reached its mark."""
    if trouble.phase != OPEN and not_after(signed(trouble.high_seq), una):
        trouble.last_phase = trouble.phase
        trouble.phase = OPEN
        trouble.ended = now


@kernel
def phase_at_sender(trouble: Any, sender: Any, seq: int, now: int) -> int:
    """Return the phase that a segment was sent in: the sender had not heard yet what passed the sensor just before."""
    if trouble.phase == OPEN and now - trouble.ended < least_answer(sender) + LEAST_CLOCK and before(seq, signed(trouble.high_seq)):
        return signed(trouble.last_phase)
    return signed(trouble.phase)


@kernel
def undo(trouble: Any, cause: int, now: int) -> None:
    """End the phase of a timeout that proved spurious: so does the sender (RFC 5682, RFC 4015)."""
    if cause == _RTO and trouble.phase == LOSS:
        trouble.last_phase = LOSS
        trouble.phase = OPEN
        trouble.ended = now
