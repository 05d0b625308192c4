"""Whether a sender sends tail loss probes, learnt within its conversation, and what that says of earlier verdicts.

With one segment in flight Linux's probe and its timeout come at the same time (RFC 8985 section 7.2). Which of the two
it was shows later, if at all; a verdict stays undecided until then.
"""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.serial import signed
from processors.verdicts import confidence
from processors.verdicts.probe_episode import settle_probe
from processors.verdicts.rows import amend
from processors.verdicts.state import MOST_UNDECIDED, State
from processors.verdicts.troubles import free_kept
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Cause, Proof

_RTO = int(Cause.RTO)
_HABIT = int(Proof.HABIT)


@rare_kernel
def leave_undecided(trouble: Any, note: Any) -> None:
    """Say that what is called a probe may have been a timeout."""
    if trouble.undecided < MOST_UNDECIDED:
        note.undecided = 1
        trouble.undecided += 1


@rare_kernel
def _decide(state: State, trouble: Any, place: int, frame: int, out: Any) -> None:
    """Amend an undecided verdict to a timeout if its sender sends no probes."""
    note = state.notes[place]
    verdict = state.rows[place]
    note.undecided = 0
    trouble.undecided -= 1
    need = verdict.confidence / note.confidence
    note.confidence = confidence.TIMER_TOLD
    verdict.proof |= _HABIT
    if trouble.probes < 0:
        verdict.cause = _RTO
        amend(state, place, frame, need, out)


@rare_kernel
def learn(state: State, trouble: Any, probes: int, frame: int, out: Any) -> None:
    """Remember that the sender sends probes (1) or does not (-1), as ``frame`` shows; decide what was undecided."""
    trouble.probes = probes
    if probes < 0:
        settle_probe(trouble)
    if not trouble.undecided:
        return
    trouble.flight = 0
    place = signed(trouble.first_note)
    while place != NOTHING:
        if state.notes[place].undecided:
            _decide(state, trouble, place, frame, out)
        place = signed(state.notes[place].next)
    place = signed(trouble.first_kept)
    while place != NOTHING:
        _decide(state, trouble, place, frame, out)
        place = signed(state.notes[place].next)
    free_kept(state, trouble)
