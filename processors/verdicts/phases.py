"""Loss episodes: what a sender is doing about losses, as far as its repeats and the acknowledgments show it."""

from typing import Any

from processors.serial import MODULUS_MASK, before, not_after, signed
from processors.verdicts.options import both_acknowledge_selectively
from processors.verdicts.probe_episode import begin_probe, settle_probe
from processors.verdicts.round_trips import LEAST_CLOCK, least_answer
from processors.verdicts.state import HAS_TIMESTAMP, LOSS, OPEN, PROBED, RECOVERY
from segwatch.compilation import rare_kernel


@rare_kernel
def enter(trouble: Any, phase: int, snd_max: int) -> None:
    """Begin a phase; it lasts until all that has been sent so far is acknowledged (RFC 6582's recover)."""
    if trouble.phase == OPEN:
        trouble.episode += 1
    trouble.phase = phase
    trouble.high_seq = snd_max
    if phase == PROBED:
        begin_probe(trouble, snd_max)
    else:
        settle_probe(trouble)


@rare_kernel
def prolong(trouble: Any, end: int) -> None:
    """Let a phase last until a repeat is acknowledged that did not pass the sensor before, and was in flight then."""
    if trouble.phase != OPEN and before(signed(trouble.high_seq), end):
        trouble.high_seq = end


@rare_kernel
def _end(trouble: Any, now: int, tsval: int) -> None:
    trouble.last_phase = trouble.phase
    trouble.phase = OPEN
    trouble.ended = now
    trouble.ended_tsval = tsval & MODULUS_MASK


@rare_kernel
def end_if_acknowledged(trouble: Any, una: int, selective: bool, now: int, tsval: int) -> None:
    """End the phase when ``una`` has reached its mark, or gone beyond it without selective acknowledgments.

    Duplicate ACKs for the mark itself may be due to the repeats of the episode (RFC 6582 section 4.1, Linux). Where
    packets in flight did not pass the sensor, the sender's mark lies beyond the one that was seen. ``tsval``: timestamp
    of the acknowledgment, which others of the same tick may come before.
    """
    mark = signed(trouble.high_seq)
    is_all = selective and not trouble.unseen
    if trouble.phase != OPEN and (before(mark, una) or (is_all and mark == una)):
        _end(trouble, now, tsval + 1 if tsval else 0)
        trouble.unseen = 0


@rare_kernel
def _is_acknowledged(trouble: Any, sender: Any, note: Any) -> bool:
    """Whether a segment was in flight in the last episode, and has been acknowledged since."""
    end = signed(note.end)
    return not_after(end, signed(trouble.high_seq)) and not_after(end, signed(sender.una))


@rare_kernel
def phase_at_sender(trouble: Any, sender: Any, receiver: Any, note: Any) -> int:
    """Return the phase that a segment was sent in: the sender had not heard yet what passed the sensor just before.

    The timestamp that it echoes says so, else the time since. What it sends again though it was acknowledged, it does
    not know to be acknowledged: that was lost on its way, or late. Without selective acknowledgments, fast recovery
    repeats nothing but the first unacknowledged segment: one beyond its mark was sent when it was over.
    """
    since = signed(note.time) - signed(trouble.ended)
    least = least_answer(sender)
    unheard = since < least or (since < least + LEAST_CLOCK and before(signed(note.start), signed(trouble.high_seq)))
    unheard = unheard or _is_acknowledged(trouble, sender, note)
    echoes = note.marks & HAS_TIMESTAMP and trouble.ended_tsval
    heard = bool(echoes) and not before(signed(note.tsecr), signed(trouble.ended_tsval))
    if trouble.last_phase == RECOVERY and not both_acknowledge_selectively(sender, receiver):
        heard = heard or before(signed(trouble.high_seq), signed(note.start))
    if trouble.phase == OPEN and trouble.ended and unheard and not heard:
        return signed(trouble.last_phase)
    return signed(trouble.phase)


@rare_kernel
def undo(trouble: Any, now: int, tsval: int) -> None:
    """End the phase that began with a spurious repeat: so does the sender (RFC 5682, RFC 4015).

    ``tsval``: timestamp of what tells the sender so, 0 unknown.
    """
    if trouble.phase in (LOSS, RECOVERY):
        _end(trouble, now, tsval)
