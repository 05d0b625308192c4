"""How long a tail loss probe keeps its sender from the next one (RFC 8985 sections 7.3 and 7.4, Linux's tlp_high_seq).

A sender has one probe in flight at most, and what it probed for is settled only by an acknowledgment beyond it, or by
the report of a duplicate. Where the probe repaired the loss, the acknowledgment ends just there. So if what is sent
next gets lost, too, no probe goes before the timeout.
"""

from typing import Any

from processors.serial import signed
from processors.verdicts.state import OPEN
from segwatch.compilation import rare_kernel


@rare_kernel
def begin_probe(trouble: Any, end: int) -> None:
    """Remember that a probe was sent when everything up to ``end`` was (TLP.end_seq)."""
    trouble.probe_open = 1
    trouble.probe_end = end


@rare_kernel
def settle_probe(trouble: Any) -> None:
    """Let the sender probe again: it has heard more, or began another way to recover."""
    trouble.probe_open = 0


@rare_kernel
def settle_reported_probe(trouble: Any, right: int) -> None:
    """Let the sender probe again if a duplicate that ends at ``right`` was its probe: both copies arrived."""
    if trouble.probe_open and signed(trouble.probe_end) == right:
        settle_probe(trouble)


@rare_kernel
def may_not_probe(trouble: Any, sender: Any) -> bool:
    """Whether the sender has heard just that its last probe arrived: nothing beyond it, nor that it was a duplicate."""
    is_over = bool(sender.last_heard) and trouble.phase == OPEN
    return is_over and bool(trouble.probe_open) and trouble.probe_end == sender.una
