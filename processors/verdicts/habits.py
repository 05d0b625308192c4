"""What is known of hosts: whether they send tail loss probes. Learnt in one conversation, it counts for all."""

from typing import Any

from processors.serial import signed
from processors.verdicts.state import HABITS, State
from segwatch.compilation import rare_kernel


@rare_kernel
def _place(verdict: Any) -> int:
    """Return where the habit of the sender is kept; a few hosts may share a place."""
    words = verdict.client if verdict.from_client else verdict.server
    mixed = signed(words[0] >> 7) ^ signed(words[1] >> 32) ^ signed(words[1] >> 45) ^ signed(words[1] >> 56)
    return mixed & (HABITS - 1)


@rare_kernel
def habit_of(state: State, trouble: Any, verdict: Any) -> int:
    """Return more than 0 if the sender is known to send tail loss probes, less if it is known not to, else 0."""
    if trouble.probes:
        return signed(trouble.probes)
    return signed(state.habits[_place(verdict)])


@rare_kernel
def learn_habit(state: State, trouble: Any, verdict: Any, probes: int) -> None:
    """Remember that the sender sends probes (1) or does not (-1)."""
    trouble.probes = probes
    state.habits[_place(verdict)] = probes
