"""Which conversation a header belongs to, and where its numbers start (sections 1.3 and 1.4)."""

from typing import Any

from processors.flow_table import counter, unacked
from processors.flow_table.state import NOTHING, UNKNOWN_WINDOW, WINDOW_SCALE_UNKNOWN, State
from processors.rules.packet import ACK, SYN
from processors.serial import signed
from segwatch.compilation import kernel

SAME = 0
NEW = 1
REPLACED = 2
REPEATED_SYN = 3
MOVED_BASE = 4
RESTARTED = 5
EXPIRED = 6


@kernel
def opening(conversation: Any, sender: Any, flags: int, seq: int) -> int:
    """Say what a header does to its conversation: one of the constants above."""
    if not conversation.begun:
        return NEW
    if not flags & SYN or not sender.base_known:
        return SAME
    same_number = seq == signed(sender.base_seq)
    if not flags & ACK:
        return REPEATED_SYN if same_number else REPLACED
    return SAME if same_number else MOVED_BASE


@kernel
def has_expired(state: State, conversation: Any, now: int) -> bool:
    """Whether a conversation has been silent for so long that what comes now belongs to another one."""
    limit = signed(
        state.counters[counter.CLOSED_TIMEOUT] if conversation.ended else state.counters[counter.IDLE_TIMEOUT]
    )
    return bool(limit and conversation.begun and now - conversation.previous > limit)


@kernel
def forget_direction(sender: Any) -> None:
    """Give a direction the values of a sender that has not been seen."""
    sender.base_seq = 0
    sender.base_known = 0
    sender.nextseq = 0
    sender.nextframe = 0
    sender.nexttime = 0
    sender.maxack = 0
    sender.lastack = 0
    sender.lastacktime = 0
    sender.lastnondup = 0
    sender.dupnum = 0
    sender.window = UNKNOWN_WINDOW
    sender.wscale = WINDOW_SCALE_UNKNOWN
    sender.first_ack = 0
    sender.lastlabels = 0
    sender.sacked = 0
    sender.bytes_in_flight_ok = 1
    sender.push_bytes = 0
    sender.push_last = 0
    sender.closer = 0
    sender.mptcp = 0
    sender.seen = 0
    sender.keep_alives = 0
    sender.unacked_first = NOTHING
    sender.unacked_last = NOTHING
    sender.unacked_purged = NOTHING
    sender.unacked_count = 0
    sender.unacked_ordered = 1


@kernel
def begin(conversation: Any, one: Any, other: Any, stream: int, now: int) -> None:
    """Give a conversation fresh state and a stream number."""
    forget_direction(one)
    forget_direction(other)
    conversation.begun = 1
    conversation.stream = stream
    conversation.interval = NOTHING
    conversation.first = now
    conversation.previous = now
    conversation.syn_time = 0
    conversation.initial_rtt = 0
    conversation.completeness = 0
    conversation.mptcp = 0
    conversation.fast_open_data = 0
    conversation.established = 0
    conversation.closer = 0
    conversation.ended = 0


@kernel
def client_side(flags: int, sender_side: int, source_port: int, destination_port: int) -> int:
    """Return the side of the client, from the first header of a conversation.

    A SYN is sent by the client and a SYN/ACK by the server. Otherwise the lower port is the server's, and of two
    equal ports the receiver's.
    """
    if flags & SYN:
        return 1 - sender_side if flags & ACK else sender_side
    return 1 - sender_side if source_port < destination_port else sender_side


@kernel
def move_base(state: State, sender: Any, seq: int) -> None:
    """Let relative numbers of a sender start elsewhere: its SYN/ACK came with another number (1.3 c)."""
    sender.base_seq = seq
    unacked.measure_extent(state, sender)


@kernel
def learn_bases(sender: Any, receiver: Any, flags: int, seq: int, ack: int) -> None:
    """Fix where relative numbers start, once (1.4)."""
    if not sender.base_known:
        sender.base_seq = seq if flags & SYN else (seq - 1) & 0xFFFFFFFF
        sender.base_known = 1
    if flags & ACK and not receiver.base_known:
        receiver.base_seq = (ack - 1) & 0xFFFFFFFF
        receiver.base_known = 1
