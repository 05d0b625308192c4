"""What is remembered for verdicts: structured arrays that kernels change in place, and that can be read back.

A conversation has the number that the flow table gave it, and two records of ``SENDER``: the client's at twice that
number, the server's behind it. Most senders never have trouble: those that do get a record of ``TROUBLE``, too.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from processors.flow_table.state import NOTHING, records
from processors.verdicts import counter
from segwatch.memory import zeroed
from segwatch.records.verdicts import VERDICT

LEAST_BLOCK: Final = 4
LARGEST_BLOCK: Final = LEAST_BLOCK << (counter.SIZES - 1)
"""Segments of one sender that are remembered at most."""
MOST_RANGES: Final = 16
"""Selectively acknowledged ranges of one sender that are remembered at most."""
MOST_NOTES: Final = 256
"""Verdicts of one sender that can still be amended, at most."""
MOST_UNDECIDED: Final = 16
"""Verdicts of one sender that what it is learnt to do may still amend, at most."""
MOST_WRITTEN: Final = 5 * MOST_NOTES + MOST_UNDECIDED + 8
"""Verdicts that one segment writes at most: three amendments of all notes, those of the undecided ones, twice as many
losses of the capture, its own."""
DUP_THRESH: Final = 3
"""Duplicate ACKs that make a sender send again (RFC 5681 section 3.2); some count reports of duplicates, too."""

OPEN: Final = 0
PROBED: Final = 1
RECOVERY: Final = 2
LOSS: Final = 3

SENDER: Final = records(
    [
        ("stream", np.int32),
        ("trouble", np.int32),
        ("una", np.uint32),
        ("snd_max", np.uint32),
        ("block", np.int32),
        ("heard_tsval", np.uint32),
        ("answer_time", np.int32),
        ("answer_variation", np.int32),
        ("answer_least", np.int32),
        ("oldest", np.uint16),
        ("count", np.uint16),
        ("last_id", np.uint16),
        ("block_size", np.uint8),
        ("busy", np.uint8),
        ("closed", np.uint8),
        ("marks", np.uint8),
        ("holes", np.uint8),
        ("duplicate_acks", np.uint8),
        ("last_sent", np.int64),
        ("last_heard", np.int64),
        ("steady_since", np.int64),
    ]
)
"""One sender; all 0 until its conversation's first segment.

``stream``: 1 + the conversation's number in the findings. ``trouble``: 1 + its record of ``TROUBLE``, 0 none. ``una``,
``snd_max``: what the peer has acknowledged, and the highest end sent (RFC 9293's SND.UNA and Linux's SND.MAX), as seen
here, once the sender has sent or heard anything. ``block``, ``block_size``, ``oldest``, ``count``: its ring of
``pieces``: place of the block, 1 + number of its size (0 none), the oldest piece's place in it, pieces in it. ``busy``:
acknowledgments have to be looked at more closely. ``closed``: the peer's window is 0. ``marks``: see ``SACK_PERMITTED``
and what follows it. ``holes``: gaps in what was seen, above ``una``. ``last_sent``: time of its last segment with
payload, SYN or FIN. ``last_heard``: time of the peer's last acknowledgment, ``heard_tsval``: its timestamp (0 none).
``last_id``: the highest IP identification, if there is one; ``steady_since``: time from which on it has gone up by one
for each packet, but for what shows to be missing, see ``ALONE``; negative if it had not done so before. ``answer_*``:
microseconds from the sensor to this sender and back, 0 unknown: eight times the smoothed time and four times the
variation of RFC 6298, and the least.
"""
ALONE: Final = 1
"""In ``steady_since``, whose nanoseconds are even: it numbers each connection for itself, as its SYN/ACK without
identification says."""
SACK_PERMITTED: Final = 1
"""It permitted selective acknowledgments in its SYN."""
SACK_SENT: Final = 2
SYN_SEEN: Final = 4
NUMBERED: Final = 8
"""It has IP identifications."""
NUMBERS_MOVE: Final = 16
"""Not all of its IP identifications are the same."""
FIN_SENT: Final = 32
WAS_CLOSED: Final = 64
"""The peer's window was closed since it sent new data."""
TICKS_KNOWN: Final = 128
"""Its timestamps were found to count milliseconds."""

PIECE: Final = records(
    [
        ("start", np.uint32),
        ("end", np.uint32),
        ("time", np.int64),
        ("frame", np.uint32),
        ("tsval", np.uint32),
        ("tsecr", np.uint32),
        ("ip_id", np.uint16),
        ("ttl", np.uint8),
        ("marks", np.uint8),
    ]
)
"""A segment as it was first sent: a ring's pieces ascend, in numbers and in time. ``frame``: its last 32
bits. ``marks``: see ``HAS_*``."""
HAS_TIMESTAMP: Final = 1
HAS_IP_ID: Final = 2

TROUBLE: Final = records(
    [
        ("next", np.int32),
        ("first_note", np.int32),
        ("last_note", np.int32),
        ("first_kept", np.int32),
        ("notes", np.uint16),
        ("undecided", np.uint8),
        ("flight", np.uint8),
        ("in_flight", np.uint8),
        ("had_room", np.uint8),
        ("flight_from", np.uint32),
        ("flight_length", np.uint32),
        ("flight_tsval", np.uint32),
        ("flight_more", np.uint8),
        ("ranges", np.uint8),
        ("phase", np.uint8),
        ("last_phase", np.uint8),
        ("probes", np.int8),
        ("rto_min", np.int16),
        ("unseen", np.uint8),
        ("surely_unseen", np.uint8),
        ("omitted", np.uint8),
        ("reports", np.uint8),
        ("open_notes", np.uint16),
        ("high_seq", np.uint32),
        ("ended_tsval", np.uint32),
        ("probe_end", np.uint32),
        ("known_from", np.uint32),
        ("reported_tsval", np.uint32),
        ("repeated_to", np.uint32),
        ("claimed_to", np.uint32),
        ("claimed_tsval", np.uint32),
        ("claimed", np.uint8),
        ("claimed_unseen", np.uint8),
        ("ignored", np.uint8),
        ("probe_open", np.uint8),
        ("gap_known", np.uint8),
        ("told", np.uint8),
        ("beyond", np.uint8),
        ("others", np.uint8),
        ("answers", np.uint8),
        ("episode", np.uint32),
        ("stalled_until", np.int64),
        ("claimed_since", np.int64),
        ("idle_since", np.int64),
        ("closed_at", np.int64),
        ("reopened", np.int64),
        ("ended", np.int64),
        ("repeated_at", np.int64),
        ("reported_since", np.int64),
        ("reported_at", np.int64),
        ("flight_began", np.int64),
        ("flight_heard", np.int64),
        ("doubted_until", np.int64),
        ("left", np.uint32, (MOST_RANGES,)),
        ("right", np.uint32, (MOST_RANGES,)),
    ]
)
"""A sender in trouble, now or before.

``first_note``, ``last_note``, ``notes``: its verdicts that can be amended, oldest first. ``ranges``, ``left``,
``right``: what the peer has acknowledged selectively. ``phase``: ``OPEN``, ``PROBED``, ``RECOVERY`` or ``LOSS``, until
``high_seq`` is acknowledged, which was at ``ended`` for the last one, a ``last_phase``; ``ended_tsval``: the least that
segments echo which the sender sent after it had heard so, 0 unknown. ``episode``: how many there were.
``stalled_until``: end of the last stall that was counted. ``repeated_at``: time of its last repeat, up to
``repeated_to``. ``ignored``: see ``going_back``. ``claimed*``: see ``claims``; ``claimed_since``: when the data passed
that its answer, unseen and sent again, may have gone for, 0 unknown. ``closed_at``, ``reopened``: when the
peer's window closed and opened last. ``reported_since``, ``reported_at``: first and last time of the last reports of
losses; ``reported_tsval``: the timestamp of the first (0 none). ``probes``: more than 0 if it is known to send tail
loss probes, less if it is known not to. ``rto_min``: milliseconds that its timeouts were above its round trip at
least, if less than Linux's 200, else 0; negative if that may have been no timeout. ``undecided``: its verdicts that
name a probe, though it may have been a timeout; ``first_kept``: those of them that nothing else can amend, newest
first. ``flight*``, ``in_flight``,
``had_room``: see ``flights``. ``open_notes``: notes that are not acknowledged yet. ``reports``: duplicates that the
peer reported since its last advance. ``unseen``: packets that did not pass the sensor, left no hole and were not sent
again yet; ``surely_unseen``: those of them that were surely new data. ``omitted``: the capture lacks what is missing
before its next packet. ``gap_known``: all that was sent from ``known_from`` on either passed or is a gap.
``probe_open``, ``probe_end``: see ``probe_episode``. ``claimed_unseen``: packets that did not pass before the claim.
``idle_since``: when its application's pause began in which keep-alives passed last. ``told``,
``beyond``, ``others``, ``answers``, ``doubted_until``: see ``answered_again``: how the receiver's answers tell of
repeats, how many packets beyond them, and others, it may have answered, and how many answers it has given; they count
until then.
"""

NOTE: Final = records(
    [
        ("next", np.int32),
        ("start", np.uint32),
        ("end", np.uint32),
        ("tsval", np.uint32),
        ("tsecr", np.uint32),
        ("ip_id", np.uint16),
        ("ttl", np.uint8),
        ("marks", np.uint8),
        ("is_repeat", np.uint8),
        ("is_head", np.uint8),
        ("acked", np.uint8),
        ("dsacked", np.uint8),
        ("repeated", np.uint8),
        ("undecided", np.uint8),
        ("doubted", np.uint8),
        ("confidence", np.float32),
        ("waited", np.int64),
        ("time", np.int64),
        ("frame", np.int64),
    ]
)
"""What is remembered of a verdict beside its row: the segment like a ``PIECE``, and what became of it.

``is_repeat``: the sender sent it again (else it came late or twice). ``is_head``: it began at the first unacknowledged
byte. ``acked``: that was seen. ``dsacked``: the peer reported it as a duplicate. ``repeated``: sent again.
``undecided``: called a probe, and may have been a timeout. ``doubted``: see ``answered_again``.
``confidence``: that of its cause. ``waited``: nanoseconds since the original was sent, by the sender's clock if that
shows.
"""


class State(NamedTuple):
    """All that verdicts remember; kernels take this tuple as it is."""

    senders: npt.NDArray[Any]
    """(2 C,) of ``SENDER``."""
    pieces: npt.NDArray[Any]
    """(P,) of ``PIECE``: blocks of rings."""
    troubles: npt.NDArray[Any]
    """(T,) of ``TROUBLE``."""
    notes: npt.NDArray[Any]
    """(N,) of ``NOTE``."""
    rows: npt.NDArray[Any]
    """(N,) of ``VERDICT``: the last revision of each note, without the addresses of its ends."""
    counters: npt.NDArray[np.int64]
    """(counter.COUNT,) see ``counter``."""


def new_state(
    conversations: int = 64, pieces: int = 2 * LARGEST_BLOCK, troubles: int = 64, notes: int = 2 * MOST_NOTES
) -> State:
    """Return an empty state with room for so many conversations, segments, senders in trouble and open verdicts."""
    counters = np.zeros(counter.COUNT, np.int64)
    counters[counter.NOTES_FREE] = NOTHING
    counters[counter.TROUBLES_FREE] = NOTHING
    counters[counter.BLOCKS_FREE :] = NOTHING
    return State(
        senders=zeroed(2 * conversations, SENDER),
        pieces=zeroed(pieces, PIECE),
        troubles=zeroed(troubles, TROUBLE),
        notes=zeroed(notes, NOTE),
        rows=zeroed(notes, VERDICT),
        counters=counters,
    )
