"""Segments that ask for an answer: probes of a closed window, and keep-alives (RFC 9293 sections 3.8.6.1 and 3.8.4)."""

from typing import Any

from processors.rules.packet import SYN_FIN_RST
from processors.serial import MODULUS_MASK, signed
from processors.verdicts import confidence
from processors.verdicts.clocks import silence
from processors.verdicts.round_trips import clock, least_answer
from processors.verdicts.rows import new_row
from processors.verdicts.sent import has_begun
from processors.verdicts.state import State
from processors.verdicts.waits import note_pauses
from segwatch.compilation import inner_kernel, rare_kernel
from segwatch.vocabulary import Cause, Label

_ZERO_WINDOW_PROBE = int(Cause.ZERO_WINDOW_PROBE)
_KEEP_ALIVE = int(Cause.KEEP_ALIVE)
_LABEL = int(Label.KEEP_ALIVE)
_IDLE = 500_000_000
"""Nanoseconds without data before a keep-alive: sooner, an empty segment of that number comes late."""
_IDLE_WITH_BYTE = 1_000_000_000
"""The same for a keep-alive with a byte: sooner, it is a repeat of the last byte."""


@rare_kernel
def _window_is_closed(state: State, sender: Any, receiver: Any, now: int) -> bool:
    """Whether the receiver's window was closed as far as the sender had heard."""
    if sender.closed:
        return True
    if not sender.trouble:
        return False
    reopened = signed(state.troubles[sender.trouble - 1].reopened)
    return bool(reopened and now - reopened < least_answer(sender) + clock(sender, receiver))


@rare_kernel
def _is_window_probe(state: State, packet: Any, sender: Any, receiver: Any) -> bool:
    """At the window's edge: nothing just before it (Linux), or one byte there or beyond."""
    at = packet.seq
    una = signed(sender.una)
    snd_max = signed(sender.snd_max)
    before_edge = at in ((una - 1) & MODULUS_MASK, (snd_max - 1) & MODULUS_MASK)
    beyond_edge = packet.length == 1 and at in (una, snd_max)
    return (before_edge or beyond_edge) and _window_is_closed(state, sender, receiver, packet.now)


@rare_kernel
def _is_keep_alive(packet: Any, sender: Any, labels: int) -> bool:
    idle = packet.now - signed(sender.last_sent)
    if not labels & _LABEL:
        return False
    if packet.length == 0:
        return bool(idle >= _IDLE)
    return idle >= _IDLE_WITH_BYTE and signed(sender.una) == signed(sender.snd_max)


@inner_kernel
def may_probe(packet: Any, sender: Any) -> bool:
    """Whether a segment is as short as a probe, and not where the next data goes: most acknowledgments are there."""
    if packet.length > 1 or packet.flag_bits & SYN_FIN_RST or not has_begun(sender):
        return False
    return bool(packet.length == 1 or packet.seq != signed(sender.snd_max))


@rare_kernel
def probe_cause(state: State, packet: Any, sender: Any, receiver: Any, labels: int) -> int:
    """Return what a segment that ``may_probe`` probes, 0 if it is no probe."""
    if _is_window_probe(state, packet, sender, receiver):
        return _ZERO_WINDOW_PROBE
    return _KEEP_ALIVE if _is_keep_alive(packet, sender, labels) else 0


@rare_kernel
def write_probe(
    state: State,
    packet: Any,
    sender: Any,
    receiver: Any,
    cause: int,
    out: Any,
) -> None:
    """Write the verdict on a probe."""
    verdict = new_row(state, packet, sender, receiver, out)
    verdict.silence = silence(state, packet, sender, receiver)
    verdict.cause = cause
    if cause == _KEEP_ALIVE:
        note_pauses(state, packet, sender, receiver)
    verdict.confidence = confidence.PROBE_OF_WINDOW if cause == _ZERO_WINDOW_PROBE else confidence.PROBE_OF_PEER
