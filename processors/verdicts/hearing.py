"""What a sender hears: acknowledgments, selective ones, reports of duplicates, and whether the window is closed."""

from typing import Any

from processors.flow_table.state import NOTHING
from processors.rules.packet import FIN, SYN
from processors.serial import after, before, distance, not_after, signed
from processors.verdicts import scoreboard, sent
from processors.verdicts.amendments import drop_settled, review_acknowledged, review_answered, review_reported
from processors.verdicts.answered_again import doubt_repeats, hear_answer
from processors.verdicts.capture_loss import find_losses
from processors.verdicts.claims import forget_claim
from processors.verdicts.clocks import learn_clock
from processors.verdicts.flights import hear_flight
from processors.verdicts.handshakes import note_answered_late
from processors.verdicts.options import both_acknowledge_selectively, reports_selectively
from processors.verdicts.phases import end_if_acknowledged
from processors.verdicts.probe_episode import settle_reported_probe
from processors.verdicts.reports import note_reports
from processors.verdicts.round_trips import (
    SYN_TIMER,
    forget_doubtful,
    note_answer,
    note_least_answer,
    note_long_answer,
)
from processors.verdicts.state import FIN_SENT, OPEN, SACK_SENT, SYN_SEEN, WAS_CLOSED, State
from processors.verdicts.troubles import last_repeat, trouble_of
from segwatch.compilation import inner_kernel, rare_kernel
from segwatch.vocabulary import Label, Quality

_WIDEST = 1 << 30
"""Numbers that an acknowledgment advances by at most: others are rubbish."""
_TIMESTAMPS = int(Quality.TIMESTAMPS)
_DUPLICATES = int(Label.DUPLICATE_ACK | Label.KEEP_ALIVE_ACK)
"""Acknowledgments that say what the last one did: with the same window, and where the peer's next data goes."""


@inner_kernel
def _advances(packet: Any, sender: Any) -> bool:
    return 0 < distance(packet.ack, signed(sender.una)) < _WIDEST


@inner_kernel
def _count_duplicate(packet: Any, sender: Any, receiver: Any) -> None:
    """Count an acknowledgment that repeats the last one while data is in flight (RFC 5681 section 2).

    With selective acknowledgments, one without a block tells of a new window (RFC 6675 section 2).
    """
    in_flight = signed(sender.una) != signed(sender.snd_max)
    says_more = packet.sack_count or not reports_selectively(sender, receiver)
    if packet.length or not says_more or packet.flag_bits & (SYN | FIN):
        return
    if in_flight and packet.ack == signed(sender.una):
        sender.duplicate_acks = min(signed(sender.duplicate_acks) + 1, 0xFF)


@rare_kernel
def _reports_duplicate(packet: Any) -> bool:
    """Whether the first block tells of a segment that came twice (RFC 2883 section 4)."""
    left = packet.sack[0]
    right = packet.sack[1]
    if not before(left, right):
        return False
    if not_after(right, packet.ack):
        return distance(packet.ack, right) < _WIDEST
    if packet.sack_count < 2:
        return False
    return not_after(packet.sack[2], left) and not_after(right, packet.sack[3])


@rare_kernel
def _read_blocks(state: State, trouble: Any, packet: Any, sender: Any, out: Any) -> bool:
    """Take in selective acknowledgments; return whether they report a duplicate."""
    reports = _reports_duplicate(packet)
    if reports:
        left = packet.sack[0]
        right = packet.sack[1]
        # What lies behind a hole leaves the timestamp to echo as it is (RFC 7323 section 4.3).
        echoes = bool(packet.quality & _TIMESTAMPS) and not_after(right, packet.ack)
        review_reported(state, trouble, left, right, packet.frame, packet.tsecr, echoes, out)
        settle_reported_probe(trouble, right)
    for block in range(1 if reports else 0, min(packet.sack_count, 4)):
        left = packet.sack[2 * block]
        right = packet.sack[2 * block + 1]
        if before(left, right) and after(right, signed(sender.una)) and not_after(right, signed(sender.snd_max)):
            scoreboard.add(trouble, left, right)
    return reports


@rare_kernel
def _advance(trouble: Any, packet: Any, sender: Any, receiver: Any) -> None:
    if after(packet.ack, signed(sender.snd_max)):
        sender.snd_max = packet.ack
        trouble.omitted = 1
    sender.una = packet.ack
    forget_claim(trouble, packet.ack)
    sender.duplicate_acks = 0
    trouble.reports = 0
    if sender.una == sender.snd_max:
        sender.holes = 0
    scoreboard.forget_below(trouble, packet.ack)
    selective = both_acknowledge_selectively(sender, receiver)
    end_if_acknowledged(trouble, packet.ack, selective, packet.now, packet.tsval)


@rare_kernel
def _note_echoed(state: State, packet: Any, sender: Any, receiver: Any) -> None:
    """Take in how long the peer took for what it echoes, the last segment or repeat (RFC 7323, RTTM).

    Of several segments with that timestamp, since the first of them. It acknowledges that, a repeat for the first time.
    """
    index = signed(sender.count) - 1
    if index < 0 or not packet.quality & _TIMESTAMPS or not packet.tsecr:
        return
    repeat = last_repeat(state, sender)
    if repeat != NOTHING and state.notes[repeat].tsval == packet.tsecr:
        start = signed(state.notes[repeat].start)
        if not_after(signed(sender.una), start) and after(packet.ack, start):
            note_least_answer(receiver, packet.now - signed(state.notes[repeat].time))
        return
    piece = state.pieces[sent.place_of(sender, index)]
    if piece.tsval != packet.tsecr:
        return
    while index > 0 and state.pieces[sent.place_of(sender, index - 1)].tsval == packet.tsecr:
        index -= 1
    first = state.pieces[sent.place_of(sender, index)]
    if after(packet.ack, signed(first.start)):
        note_least_answer(receiver, packet.now - signed(first.time))


@rare_kernel
def _hear_closely(
    state: State,
    packet: Any,
    sender: Any,
    receiver: Any,
    out: Any,
) -> None:
    """Take an acknowledgment while something is open, or one that says more than how far all has arrived."""
    if packet.quality & _TIMESTAMPS:
        learn_clock(state, sender, receiver)  # before something is held up
    _note_echoed(state, packet, sender, receiver)
    trouble = trouble_of(state, sender)
    were_open = bool(sender.duplicate_acks or trouble.ranges)
    reports = False
    if packet.sack_count:
        receiver.marks |= SACK_SENT
        reports = _read_blocks(state, trouble, packet, sender, out)
    if trouble.told:
        hear_answer(state, trouble, packet, sender, receiver, out)
    if _advances(packet, sender):
        doubt_repeats(state, trouble, packet, sender, receiver)
    echoes = bool(packet.quality & _TIMESTAMPS)
    if trouble.open_notes:
        review_acknowledged(state, trouble, sender, receiver, packet, packet.tsecr, echoes, out)
    if _advances(packet, sender):
        if trouble.notes:
            review_answered(state, trouble, sender, receiver, packet.frame, out)
        if sender.holes or after(packet.ack, signed(sender.snd_max)):
            find_losses(state, packet, trouble, sender, receiver, out)
        _advance(trouble, packet, sender, receiver)
        hear_flight(trouble, packet)
    elif not reports:
        _count_duplicate(packet, sender, receiver)
    else:
        trouble.reports = min(signed(trouble.reports) + 1, 0xFF)
    note_reports(trouble, sender, were_open, packet)
    if trouble.notes:
        drop_settled(state, trouble, sender, receiver, packet.now)
    is_open = trouble.open_notes or trouble.ranges or sender.holes or trouble.phase != OPEN or trouble.flight
    sender.busy = 1 if is_open or trouble.claimed or trouble.unseen or trouble.omitted or trouble.told else 0


@rare_kernel
def _turn_window(state: State, packet: Any, sender: Any) -> None:
    """Remember when the receiver's window closed or opened."""
    sender.closed = 1 if packet.window == 0 else 0
    if sender.closed:
        trouble_of(state, sender).closed_at = packet.now
        sender.marks |= WAS_CLOSED
    else:
        trouble_of(state, sender).reopened = packet.now


@inner_kernel
def hear_plainly(
    state: State,
    packet: Any,
    sender: Any,
    receiver: Any,
) -> None:
    """Take an acknowledgment that says only how far all has arrived, while nothing is open."""
    if packet.ack_rtt >= SYN_TIMER and packet.flag_bits & SYN:
        note_long_answer(receiver, packet.ack_rtt)
    elif packet.ack_rtt > 0:
        if not packet.quality & _TIMESTAMPS:
            forget_doubtful(receiver, packet.ack_rtt)
        note_answer(receiver, packet.ack_rtt)
    if _advances(packet, sender):
        sender.una = packet.ack
        if sender.marks & FIN_SENT and sender.una == sender.snd_max:
            sent.clear(state, sender)  # it has nothing more to send: what it remembers is another's room
    else:
        _count_duplicate(packet, sender, receiver)
    sender.last_heard = packet.now
    sender.heard_tsval = packet.tsval


@inner_kernel
def hear_first(packet: Any, sender: Any) -> None:
    """Begin where the peer's first acknowledgment does, if nothing that the sender sent was seen."""
    if not sent.has_begun(sender):
        sender.una = packet.ack
        sender.snd_max = packet.ack


@rare_kernel
def _is_unacceptable(packet: Any, sender: Any, receiver: Any) -> bool:
    """Whether a sender whose SYN is unanswered hears an acknowledgment of something else.

    It has not sent that: a host that knew an older connection challenges the SYN (RFC 9293 section 3.10.7.3, RFC 5961
    section 4). Once it has acknowledged anything itself, the answer was not captured.
    """
    if not sender.marks & SYN_SEEN or sender.count != 1 or receiver.last_heard:
        return False
    in_flight = distance(signed(sender.snd_max), signed(sender.una))
    return in_flight == 1 and packet.ack != signed(sender.snd_max)


@inner_kernel
def hear(
    state: State,
    packet: Any,
    sender: Any,
    receiver: Any,
    out: Any,
) -> None:
    """Take what ``receiver`` says in a segment to ``sender``, with the ACK flag."""
    hear_first(packet, sender)
    if _is_unacceptable(packet, sender, receiver):
        return
    if packet.flag_bits & SYN:
        note_answered_late(state, packet, sender, receiver)
    if sender.trouble and packet.labels & _DUPLICATES:
        settle_reported_probe(state.troubles[sender.trouble - 1], packet.ack)
    unseen = _advances(packet, sender) and after(packet.ack, signed(sender.snd_max))
    if sender.busy or packet.sack_count or sender.duplicate_acks or unseen:
        _hear_closely(state, packet, sender, receiver, out)
        sender.last_heard = packet.now
        sender.heard_tsval = packet.tsval
    else:
        hear_plainly(state, packet, sender, receiver)
    if (packet.window == 0) != (sender.closed != 0) and not packet.flag_bits & SYN:
        _turn_window(state, packet, sender)
