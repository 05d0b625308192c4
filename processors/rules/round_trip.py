"""Round-trip times (step 18 and section 3.4)."""

from typing import Any

from processors.flow_table import unacked
from processors.flow_table.state import NOTHING, State
from processors.rules.packet import ACK, SYN, Packet
from segwatch.compilation import kernel
from segwatch.records.findings import FindingColumns


@kernel
def match_acknowledgment(state: State, packet: Packet, receiver: Any, findings: FindingColumns, row: int) -> bool:
    """Step 18: remove what the header acknowledges; note the oldest segment that ended exactly there, if any."""
    node = unacked.purge(state, receiver, packet.ack)
    if node == NOTHING:
        return False
    findings.acks_frame[row] = state.unacked[node].frame
    findings.ack_rtt[row] = packet.now - state.unacked[node].time
    return True


@kernel
def note_handshake_time(conversation: Any, sender: Any, flags: int, now: int) -> None:
    """From the last SYN to the first header with ACK and without SYN, of either side (2.1 steps 8 and 10).

    A SYN at the epoch itself counts as no SYN, as in Wireshark.
    """
    if flags & SYN:
        sender.first_ack = 1
        if not flags & ACK:
            conversation.syn_time = now
    elif flags & ACK:
        if conversation.syn_time != 0 and conversation.initial_rtt == 0:
            conversation.initial_rtt = now - conversation.syn_time
        sender.first_ack = 0
