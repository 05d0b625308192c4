"""Answers to a SYN that come so late that they were sent before, and never passed the sensor."""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.rules.packet import ACK, SYN
from processors.serial import distance, signed
from processors.verdicts.round_trips import SYN_TIMER, note_long_answer
from processors.verdicts.sent import find, place_of
from processors.verdicts.state import HAS_TIMESTAMP, SYN_SEEN, State
from segwatch.compilation import inner_kernel, rare_kernel
from segwatch.vocabulary import Quality

_TIMESTAMPS = int(Quality.TIMESTAMPS)
_SYN_ACK = SYN | ACK
_NEAR = 1 << 16
"""Numbers below what was acknowledged, at most, that an answer to the same SYN acknowledges."""


@inner_kernel
def may_answer(packet: Any, sender: Any) -> bool:
    """Whether a segment is the first SYN/ACK of its sender."""
    return packet.flag_bits & _SYN_ACK == _SYN_ACK and not sender.last_sent


@rare_kernel
def has_sent_syn(state: State, packet: Any, sender: Any) -> bool:
    """Whether a SYN has the number of one that is remembered."""
    index = find(state, sender, packet.seq)
    return index >= 0 and signed(state.pieces[place_of(sender, index)].start) == packet.seq


@rare_kernel
def is_stray_answer(state: State, packet: Any, sender: Any, receiver: Any) -> bool:
    """Whether a SYN/ACK has another number than the one with which its handshake is complete: its peer ignores it.

    It acknowledges nothing new. One that does answers a SYN that was not captured.
    """
    if packet.flag_bits & _SYN_ACK != _SYN_ACK or not sender.marks & SYN_SEEN or not sender.count:
        return False
    unanswered = signed(state.pieces[place_of(sender, 0)].start) == signed(sender.una)
    if unanswered or has_sent_syn(state, packet, sender):
        return False
    return distance(signed(receiver.una), packet.ack) < _NEAR


@rare_kernel
def _asked_at(state: State, packet: Any, receiver: Any, asked: int) -> int:
    """Return when the SYN passed whose timestamp an answer echoes, ``asked`` if it is none that is remembered."""
    first = state.pieces[place_of(receiver, 0)]
    if first.marks & HAS_TIMESTAMP and packet.tsecr == first.tsval:
        return signed(first.time)
    if receiver.trouble:
        place = signed(state.troubles[receiver.trouble - 1].first_note)
        while place != NOTHING:
            note = state.notes[place]
            if note.is_repeat and note.marks & HAS_TIMESTAMP and packet.tsecr == note.tsval:
                return signed(note.time)
            place = signed(note.next)
    return asked


@rare_kernel
def note_answered_late(state: State, packet: Any, sender: Any, receiver: Any) -> None:
    """Take in the round trip that a sender measures whose SYN was answered late, and before it has acknowledged that.

    It counts from the SYN whose timestamp is echoed (RFC 7323 section 4.1; Linux: ``tcp_ack_update_rtt``), so all its
    timers are long at first.
    """
    if receiver.last_heard or not sender.count or not packet.quality & _TIMESTAMPS:
        return
    waited = packet.now - _asked_at(state, packet, sender, packet.now)
    if waited >= SYN_TIMER:
        note_long_answer(receiver, waited)


@rare_kernel
def answered_again(state: State, packet: Any, receiver: Any) -> int:
    """Return when the SYN passed that the first SYN/ACK answers, if an earlier answer must have been lost; else 0.

    A host answers a SYN at once. If the SYN was repeated, it is the last one that is answered, but for an echo of an
    earlier one's timestamp: Linux echoes that of the first that it got in all repeats of a SYN/ACK.
    """
    if not receiver.count or not receiver.last_sent:
        return 0
    asked = signed(receiver.last_sent)
    if packet.quality & _TIMESTAMPS:
        asked = _asked_at(state, packet, receiver, asked)
    return asked if packet.now - asked >= SYN_TIMER else 0
