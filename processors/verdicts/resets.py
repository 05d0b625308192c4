"""Who sent a reset: the host whose address it bears, or somebody on the way.

A reset that a middlebox injects bears the address of a host that never sent it: its TTL has counted down over another
number of hops, and its IP identification is out of the host's row (Weaver, Sommer, Paxson, "Detecting Forged TCP Reset
Packets", NDSS 2009). What class a reset is of, ``processors.resets`` says.
"""

from typing import Any

from processors.serial import distance, signed, signed_distance
from processors.verdicts import confidence
from processors.verdicts.clocks import silence
from processors.verdicts.identifications import numbers_one_by_one
from processors.verdicts.order import id_step, ids_ascend
from processors.verdicts.rows import new_row
from processors.verdicts.sent import has_begun, place_of
from processors.verdicts.state import FIN_SENT, NUMBERED, State
from segwatch.compilation import inner_kernel, rare_kernel
from segwatch.vocabulary import Cause, Completeness, Proof, Quality, Reset, Stage

_RESET = int(Cause.RESET)
_INJECTED_RESET = int(Cause.INJECTED_RESET)
_HOPS_DIFFER = int(Proof.HOPS_DIFFER)
_ID_DIFFERS = int(Proof.ID_DIFFERS)
_OFF_SEQUENCE = int(Proof.OFF_SEQUENCE)
_REPEATED = int(Reset.REPEATED)
_CLASS_OFF_SEQUENCE = int(Reset.OFF_SEQUENCE)
_NONE = int(Stage.NONE)
_POST_SYN = int(Stage.POST_SYN)
_POST_ACK = int(Stage.POST_ACK)
_POST_PSH = int(Stage.POST_PSH)
_LATER = int(Stage.LATER)
_SYN = int(Completeness.SYN)
_IPV6 = int(Quality.IPV6)
_HOPS_APART = 2
"""Hops by which ways of the packets of one host differ at least, to tell another's: they may take turns on two ways."""
_NEAR = 64
"""Packets between a reset and what the sensor saw last of its sender, at most."""
_SYN_AND_DATA = 2


@inner_kernel
def is_judged(reset: int) -> bool:
    """Whether a segment of that ``Reset`` gets a verdict: a repeated reset says nothing new."""
    return reset not in (0, _REPEATED)


@rare_kernel
def _segments_but_fin(state: State, client: Any) -> int:
    """Return how many segments of the client are remembered, but for a FIN without data."""
    count = signed(client.count)
    if not client.marks & FIN_SENT or count < _SYN_AND_DATA:
        return count
    last = state.pieces[place_of(client, count - 1)]
    return count - 1 if distance(signed(last.end), signed(last.start)) == 1 else count


@rare_kernel
def _stage(state: State, completeness: int, client: Any, server: Any) -> int:
    """Return how far the client had come: by its first segments, which are remembered until there are more."""
    if not completeness & _SYN:
        return _NONE
    count = _segments_but_fin(state, client)
    if not count or count > _SYN_AND_DATA:
        return _LATER
    oldest = state.pieces[place_of(client, 0)]
    if distance(signed(oldest.end), signed(oldest.start)) != 1:
        return _LATER
    if count == _SYN_AND_DATA:
        return _POST_PSH
    return _POST_ACK if server.last_heard else _POST_SYN


@rare_kernel
def _id_step(packet: Any, sender: Any) -> int:
    """Return how much further the identification is than the sender's highest, -32768 to 32767; 0 if it has none.

    Linux gives no identification to a reset of a connection that it does not know.
    """
    if packet.quality & _IPV6 or not sender.marks & NUMBERED or not packet.ip_id:
        return 0
    return id_step(packet.ip_id, signed(sender.last_id))


@rare_kernel
def _compare_with_sender(state: State, packet: Any, sender: Any, verdict: Any) -> bool:
    """Say how the reset differs from what its sender sent last; return whether there was anything to compare with."""
    verdict.ip_id_step = _id_step(packet, sender)
    quiet = packet.now - signed(sender.last_sent)
    steady = ids_ascend(state, sender) > 0 and numbers_one_by_one(sender, packet.now, quiet)
    if steady and not -_NEAR <= verdict.ip_id_step <= _NEAR:
        verdict.proof |= _ID_DIFFERS
    if not sender.count:
        return False
    first = state.pieces[place_of(sender, 0)]
    last = state.pieces[place_of(sender, signed(sender.count) - 1)]
    verdict.ttl_step = packet.ttl - signed(last.ttl)
    if abs(verdict.ttl_step) >= _HOPS_APART and abs(packet.ttl - signed(first.ttl)) >= _HOPS_APART:
        verdict.proof |= _HOPS_DIFFER
    verdict.sequence_step = signed_distance(packet.seq, signed(sender.snd_max))
    return True


@rare_kernel
def _decide(verdict: Any, compared: bool) -> None:
    """Write who sent the reset, and how sure that is."""
    hops = bool(verdict.proof & _HOPS_DIFFER)
    number = bool(verdict.proof & _ID_DIFFERS)
    off = bool(verdict.proof & _OFF_SEQUENCE)
    if hops or number:
        verdict.cause = _INJECTED_RESET
        twice = (hops and number) or off
        verdict.confidence = confidence.RESET_DIFFERS_TWICE if twice else confidence.RESET_DIFFERS
        return
    verdict.cause = _RESET
    if off or not compared:
        verdict.confidence = confidence.RESET_UNTOLD
    else:
        verdict.confidence = confidence.RESET_FITS


@rare_kernel
def write_reset(
    state: State,
    packet: Any,
    sender: Any,
    receiver: Any,
    out: Any,
) -> None:
    """Write the verdict on a reset."""
    verdict = new_row(state, packet, sender, receiver, out)
    verdict.silence = silence(state, packet, sender, receiver) if has_begun(sender) else 0
    client = sender if packet.from_client else receiver
    server = receiver if packet.from_client else sender
    verdict.stage = _stage(state, packet.completeness, client, server)
    if packet.reset == _CLASS_OFF_SEQUENCE:
        verdict.proof |= _OFF_SEQUENCE
    _decide(verdict, _compare_with_sender(state, packet, sender, verdict))
