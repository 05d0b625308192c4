"""What the words of a story mean."""

from typing import Final

WORDS: Final = {
    "handshake": "TCP opens a connection by three segments: a request (SYN), its acceptance (SYN/ACK), a confirmation "
    "(ACK). The time between the first and the second is that to the server and back.",
    "retransmission": "Data that is not acknowledged in time is sent again. A timer decides when (RFC 6298), mostly "
    "some hundred milliseconds: much longer than the way there and back.",
    "fast_retransmission": "Three duplicate ACKs tell a sender that a segment is missing: it repeats that at once "
    "(RFC 5681) and need not wait for its timer.",
    "spurious_retransmission": "Data is sent again that had arrived: the acknowledgment was late or lost, or the timer "
    "too short. It costs bandwidth, and often speed, because the sender takes it for congestion.",
    "out_of_order": "Segments overtook one another on the way. Receivers put them in order, but many of them look like "
    "loss to a sender.",
    "lost_segment": "The capture has a gap. Whether the network lost the segment or only the sensor missed it is told "
    "by what comes after: a repeat, or an acknowledgment of what was never seen.",
    "ack_lost_segment": "Something is acknowledged that the capture does not have: the sensor missed it, or sees "
    "only a part of the traffic.",
    "duplicate_ack": "A receiver acknowledges the same byte again whenever something comes that it cannot put at the "
    "end of what it has: after a loss, a change of order, or a needless repeat.",
    "zero_window": "Each acknowledgment says how much room there is for more (the window). 0 stops the sender: the "
    "receiving application is too slow, not the network.",
    "zero_window_probe": "A sender that was stopped asks now and then, with one byte, whether there is room again.",
    "zero_window_probe_ack": "The answer to such a question: there is none yet.",
    "window_full": "The sender has used up the room that it was given, and waits for acknowledgments.",
    "window_update": "An acknowledgment that brings nothing but more (or less) room for data.",
    "keep_alive": "An old byte, sent to hear whether the other side is still there.",
    "keep_alive_ack": "The answer to that: it is.",
    "reused_ports": "The same addresses and ports as those of an earlier connection: usual for clients that open many.",
    "why_rto": "The sender's timer ran out (RFC 6298): it had heard nothing for some hundred milliseconds, and begins "
    "again slowly. The costliest way to repair a loss.",
    "why_fast_retransmit": "The receiver's acknowledgments told of the loss (RFC 5681, RFC 6675): repaired "
    "within about a round trip.",
    "why_recovery": "Further repeats of the same loss episode.",
    "why_tail_loss_probe": "The last segment, sent again soon to find out whether it was lost (RFC 8985).",
    "why_syn_retry": "The first segment of the handshake, or its answer, sent again after a second or more.",
    "why_reordering": "Sent once, and overtaken on the way: order is told by timestamps or IP identifications.",
    "why_network_duplicate": "The network made a second packet of one; nobody sent it again.",
    "why_capture_duplicate": "The capture has one packet twice, as when a port is mirrored twice.",
    "why_capture_loss": "Acknowledged, so it arrived: the capture lacks it, and the network did not lose it. Where "
    "the receiver had reported the loss, it is the repeat that the capture lacks.",
    "why_window_closed": "Data waited because the receiver had no room for it.",
    "why_application_idle": "The connection was ready, and its application had nothing to send.",
    "why_injected_reset": "TTL, IP identification or number say that another device sent this reset in the "
    "name of a host.",
    "reset": "RST ends a connection at once, without waiting for what is under way.",
    "close": "Each side closes its own direction by a FIN, when it has nothing more to send.",
}
"""By topic of a sentence."""


def words_of(topics: set[str]) -> dict[str, str]:
    """Return what some topics mean, as far as there is something to explain, in a fixed order."""
    return {topic: meaning for topic, meaning in WORDS.items() if topic in topics}
