"""Verdicts in plain words, for people."""

from typing import Any, Final

from segwatch.counts import bytes_text, count_text
from segwatch.explain.sentences import span_text
from segwatch.vocabulary import Cause, Needed, Place, Proof, Stage

_MECHANISMS: Final = {
    Cause.RTO: "by timeout",
    Cause.FAST_RETRANSMIT: "by fast retransmit",
    Cause.RECOVERY: "in the recovery of the same loss episode",
    Cause.TAIL_LOSS_PROBE: "as a tail loss probe",
    Cause.SYN_RETRY: "to open the connection",
    Cause.UNKNOWN: "for a reason that does not show",
}
_SPURIOUS_PROOFS: Final = {
    Proof.ACKED_BEFORE: "the receiver had acknowledged it before",
    Proof.DSACK: "the receiver reported later that it had it twice",
    Proof.EIFEL: "the acknowledgment echoed the original's timestamp",
    Proof.ACKED_EARLY: "it was acknowledged sooner than an answer to it could come",
    Proof.LATE_ORIGINAL: "the original came after all",
}
_STAGES: Final = {
    Stage.NONE: "",
    Stage.POST_SYN: " before the handshake was complete",
    Stage.POST_ACK: " after the handshake, before any data",
    Stage.POST_PSH: " after the client's first data",
    Stage.LATER: " after more than the client's first data",
}


def reason(verdict: Any) -> str:
    """Return why, in one sentence without a full stop."""
    cause = Cause(int(verdict["cause"]))
    match cause:
        case Cause.REORDERING:
            return _late(verdict)
        case Cause.NETWORK_DUPLICATE:
            return f"the network made a second copy of {_original(verdict)}"
        case Cause.CAPTURE_DUPLICATE:
            return f"the capture shows a second copy of {_original(verdict)}"
        case Cause.CAPTURE_LOSS:
            return _missed(verdict)
        case Cause.ZERO_WINDOW_PROBE:
            return f"asks whether the receiver's closed window has opened, after {_silence(verdict)}"
        case Cause.WINDOW_CLOSED:
            return f"waited {span_text(int(verdict['stalled']))} for the receiver, whose window was closed"
        case Cause.APPLICATION_IDLE:
            return f"the sender could send, and had nothing to send for {span_text(int(verdict['stalled']))}"
        case Cause.RESET | Cause.INJECTED_RESET:
            return _reset(verdict, cause)
        case Cause.KEEP_ALIVE:
            return f"asks whether the other side is still there, after {_silence(verdict)}"
    return "; ".join(part for part in (_sent_again(verdict, cause), _need(verdict), _cost(verdict)) if part)


def _original(verdict: Any) -> str:
    """Return what was copied; of what carries nothing the frame may not be remembered."""
    frame = int(verdict["original_frame"])
    return f"frame {frame}, {_since(verdict)} later" if frame else f"what came {_since(verdict)} before"


def _since(verdict: Any) -> str:
    return span_text(int(verdict["since_original"]))


def _silence(verdict: Any) -> str:
    return f"{span_text(max(int(verdict['silence']), 0))} of silence"


def _reset(verdict: Any, cause: Cause) -> str:
    proof = Proof(int(verdict["proof"]))
    told = [
        text
        for bit, text in (
            (Proof.HOPS_DIFFER, f"its TTL is {int(verdict['ttl_step']):+,} of what its sender sent last"),
            (Proof.ID_DIFFERS, f"its IP ID is {int(verdict['ip_id_step']):+,} of its sender's last"),
            (Proof.OFF_SEQUENCE, f"its number is {int(verdict['sequence_step']):+,} of its sender's next"),
        )
        if bit in proof
    ]
    stage = _STAGES[Stage(int(verdict["stage"]))]
    if cause is Cause.INJECTED_RESET:
        return "; ".join((f"reset{stage}, by somebody on the way", *told))
    return "; ".join((f"reset{stage}; nothing says that anybody else sent it", *told))


def _missed(verdict: Any) -> str:
    text = f"the capture lacks {bytes_text(int(verdict['length']))} here that the receiver acknowledged"
    was_repeated = Proof.LOSS_REPORTED in Proof(int(verdict["proof"]))
    return f"{text}, after it had reported their loss: they were sent again" if was_repeated else text


def _late(verdict: Any) -> str:
    came = "came after its own repeat" if verdict["original_frame"] else f"overtaken: came {_since(verdict)} late"
    shown = Proof.SENT_EARLIER in Proof(int(verdict["proof"]))
    return f"{came}, though sent earlier by its {_marks(verdict)}" if shown else f"{came}, too soon for a repeat"


def _marks(verdict: Any) -> str:
    return "timestamp" if verdict["tsval_step"] else "IP ID"


def _sent_again(verdict: Any, cause: Cause) -> str:
    proof = Proof(int(verdict["proof"]))
    later = f"{_since(verdict)} later " if verdict["original_frame"] else ""
    text = f"sent again {later}{_MECHANISMS[cause]}"
    if cause is Cause.RTO or (cause is Cause.TAIL_LOSS_PROBE and Proof.SILENCE in proof):
        text += f" after {_silence(verdict)} (estimated timeout {span_text(int(verdict['timeout']))})"
    elif verdict["sacked_above"]:
        text += f", {bytes_text(int(verdict['sacked_above']))} above it acknowledged"
    elif verdict["duplicate_acks"]:
        text += f" after {count_text(int(verdict['duplicate_acks']), 'duplicate ACK')}"
    return text


def _need(verdict: Any) -> str:
    needed, place = Needed(int(verdict["needed"])), Place(int(verdict["place"]))
    if needed is Needed.SPURIOUS:
        proof = Proof(int(verdict["proof"]))
        why = next((text for bit, text in _SPURIOUS_PROOFS.items() if bit in proof), "")
        return f"not needed: {why}"
    if place is Place.AFTER_SENSOR:
        return f"frame {verdict['original_frame']} passed this sensor and was lost after it"
    if place is Place.BEFORE_SENSOR:
        return "the original never passed this sensor: lost before it"
    return "whether and where it was lost does not show"


def _cost(verdict: Any) -> str:
    stalled = int(verdict["stalled"])
    return f"delivery stood still for {span_text(stalled)}" if stalled else ""
