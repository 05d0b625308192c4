"""Repeats of what never passed the sensor, though an empty segment has told that it was sent.

An empty segment has its sender's next number (RFC 9293 section 3.10.7.4). What begins below that and was sent later, by
its timestamp, or in the same tick by its identification, was sent before: it comes late if it was sent sooner.
"""

from typing import Any, Final

from processors.flow_table.state import NOTHING
from processors.serial import after, before, distance, not_after, signed
from processors.verdicts.identifications import missing_packets
from processors.verdicts.order import id_step, ids_ascend
from processors.verdicts.state import NUMBERS_MOVE, State
from processors.verdicts.troubles import asked_first, last_repeat, trouble_of
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Quality

CLAIMED: Final = 1
"""``claimed``: the sender has told, at ``claimed_tsval``, that it had sent all before ``claimed_to``, unseen."""
REPEATED: Final = 2
"""``claimed``: the segment at hand is a repeat of some of that."""
_TIMESTAMPS: Final = int(Quality.TIMESTAMPS)
_ANSWER_AND_REPEAT: Final = 2
_WIDEST: Final = 1 << 28
"""Numbers that a sender claims at most: others are rubbish."""


@rare_kernel
def _answers_since(state: State, receiver: Any) -> int:
    """Return when the peer's data passed to which the sender may have answered at once, 0 if that does not show.

    It reports that the peer's last repeat was a duplicate: so it had the copy before that.
    """
    repeat = last_repeat(state, receiver)
    return 0 if repeat == NOTHING or not state.notes[repeat].dsacked else asked_first(state, repeat)


@rare_kernel
def note_claim(state: State, packet: Any, sender: Any, receiver: Any) -> None:
    """Take an empty segment whose number lies beyond what has passed of its sender."""
    if not sender.count or not 0 < distance(packet.seq, signed(sender.snd_max)) < _WIDEST:
        return
    trouble = trouble_of(state, sender)
    if trouble.claimed and not after(packet.seq, signed(trouble.claimed_to)):
        return
    trouble.claimed = CLAIMED
    trouble.claimed_to = packet.seq
    trouble.claimed_tsval = packet.tsval
    trouble.claimed_since = _answers_since(state, receiver)
    trouble.claimed_unseen = missing_packets(state, packet, sender)
    sender.busy = 1


@rare_kernel
def forget_claim(trouble: Any, una: int) -> None:
    """Forget what a sender has claimed once that is acknowledged."""
    if trouble.claimed and not_after(signed(trouble.claimed_to), una):
        trouble.claimed = 0


@rare_kernel
def _was_sent_later(state: State, packet: Any, sender: Any, trouble: Any) -> bool:
    """Whether a segment was sent after the claim that it begins below."""
    is_next = bool(sender.marks & NUMBERS_MOVE) and id_step(packet.ip_id, signed(sender.last_id)) > 0
    if not packet.quality & _TIMESTAMPS:
        return is_next and bool(packet.ip_id) and ids_ascend(state, sender) > 0
    return after(packet.tsval, signed(trouble.claimed_tsval)) or (packet.tsval == trouble.claimed_tsval and is_next)


@rare_kernel
def repeats_claimed(state: State, packet: Any, sender: Any, unasked: bool) -> bool:
    """Whether a segment that looks like new data is a repeat of what its sender has claimed; remember it if so.

    ``unasked``: nothing asked its sender for an empty segment since it spoke last. Then what did not pass since was an
    earlier repeat: two packets that did not pass, before the claim or after it, are the answer and a repeat of it.
    """
    if not sender.trouble:
        return False
    trouble = state.troubles[sender.trouble - 1]
    if not trouble.claimed or not before(packet.seq, signed(trouble.claimed_to)):
        return False
    if not _was_sent_later(state, packet, sender, trouble):
        return False
    trouble.claimed = REPEATED
    unseen = signed(trouble.claimed_unseen) + (missing_packets(state, packet, sender) if unasked else 0)
    if unseen < _ANSWER_AND_REPEAT:
        trouble.claimed_since = 0
    return True
