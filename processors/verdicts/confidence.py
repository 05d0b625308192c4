"""How often a verdict is right, by the kind of proof that it rests on: the one table of it.

The figures are estimates that ``docs/accuracy.md`` measures against the truth of the lab. A verdict's confidence is
that of its cause times that of what it says of need and place.
"""

from typing import Final

# Causes.
TIMER_AT_HEAD: Final = 0.99
"""Silence of a timeout at least, the first unacknowledged byte, more in flight behind it or an earlier timeout."""
TIMER_OR_PROBE: Final = 0.7
"""The same, with one segment in flight: Linux sends a tail loss probe just when the timer would run out."""
TIMER_TOLD: Final = 0.97
"""The same, and the next repeat or an earlier one told which of the two it is."""
PROBE_AT_TAIL: Final = 0.98
"""The last segment after silence, with others in flight before it: no timeout sends that one first."""
TIMER_INFERRED: Final = 0.85
"""No silence shows, but no acknowledgment can have released it."""
REPORTED_LOSS: Final = 0.98
"""Clocked by acknowledgments that report the loss."""
IN_EPISODE: Final = 0.98
"""Clocked by acknowledgments within a loss episode."""
REORDERING_TIMER: Final = 0.95
"""After a short silence with the loss reported: RACK's timer (RFC 8985 section 6)."""
CLOCKED_ONLY: Final = 0.6
"""Neither silence nor a report of loss."""
SAME_ID: Final = 0.99
"""A copy with IP identification and timestamp of the other."""
TOO_SOON: Final = 0.8
"""A copy sooner than any repeat could come."""
CAPTURED_AT_ONCE: Final = 0.7
"""A copy within microseconds, until the receiver says that it had two."""
ORDER_TOLD: Final = 0.99
"""IP identification or timestamp tell whether it was sent before or after what came earlier."""
ORDER_BY_TIME: Final = 0.85
"""Only the time since what came earlier tells."""
NUMBER_MISSING: Final = 0.93
"""Of a repeat that left no hole: an IP identification is missing."""
SYN_AGAIN: Final = 0.99
SYN_ANSWERED_LATE: Final = 0.5
"""The first SYN/ACK to pass, a timer's time after the SYN: an earlier one was lost, or the round trip is as long."""
PROBE_OF_WINDOW: Final = 0.98
PROBE_OF_PEER: Final = 0.98
NEVER_SEEN: Final = 0.9
"""Acknowledged and not captured."""
UNTOLD: Final = 0.3
RESET_FITS: Final = 0.97
"""A reset with the hops and the IP identification of its sender."""
RESET_UNTOLD: Final = 0.85
"""A reset of which nothing tells who sent it, or whose number its sender would not have chosen."""
RESET_DIFFERS: Final = 0.8
"""A reset whose hops or whose IP identification are not its sender's: a host behind an address translator, or its other
stack, may differ, too."""
RESET_DIFFERS_TWICE: Final = 0.95
"""Both, or one of them and a number outside of the window."""
WINDOW_SAID_SO: Final = 0.98
"""New data within a timeout of the window's opening."""
NOTHING_IN_FLIGHT: Final = 0.9
"""New data after a pause in which the sender could have sent: that its application had none is what is left."""

# Need and place.
PROVED: Final = 1.0
"""The receiver said so."""
CONSISTENT: Final = 0.98
"""Nothing contradicts so far."""
LIKELY: Final = 0.92
"""A timer ran out: what was sent may only have been slow."""
NO_ANSWERS: Final = 0.6
"""No acknowledgment of the receiver passes the sensor."""
