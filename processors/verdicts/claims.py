"""Repeats of what never passed the sensor, though an empty segment has told that it was sent.

An empty segment has its sender's next number (RFC 9293 section 3.10.7.4). What begins below that and was sent later, by
its timestamp, or in the same tick by its identification, was sent before: it comes late if it was sent sooner.
"""

from typing import Any, Final

from processors.flow_table.state import NOTHING
from processors.serial import after, before, distance, not_after, signed
from processors.verdicts.order import id_step
from processors.verdicts.state import NUMBERS_MOVE, State
from processors.verdicts.troubles import asked_first, last_repeat, trouble_of
from processors.verdicts.unseen import missing_packets
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
def _answers_since(state: State, packet: Any, sender: Any, receiver: Any) -> int:
    """Return when the peer's data passed to which the sender may have answered at once, 0 if that does not show.

    It reports that the peer's last repeat was a duplicate: so it had the copy before that. And of what it has sent
    since, two packets did not pass: the answer, and a repeat of it.
    """
    repeat = last_repeat(state, receiver)
    if repeat == NOTHING or not state.notes[repeat].dsacked:
        return 0
    return asked_first(state, repeat) if missing_packets(state, packet, sender) >= _ANSWER_AND_REPEAT else 0


@rare_kernel
def note_claim(state: State, packet: Any, sender: Any, receiver: Any) -> None:
    """Take an empty segment whose number lies beyond what has passed of its sender."""
    if not sender.count or not packet.quality & _TIMESTAMPS:
        return
    if not 0 < distance(packet.seq, signed(sender.snd_max)) < _WIDEST:
        return
    trouble = trouble_of(state, sender)
    if trouble.claimed and not after(packet.seq, signed(trouble.claimed_to)):
        return
    trouble.claimed = CLAIMED
    trouble.claimed_to = packet.seq
    trouble.claimed_tsval = packet.tsval
    trouble.claimed_since = _answers_since(state, packet, sender, receiver)
    sender.busy = 1


@rare_kernel
def forget_claim(trouble: Any, una: int) -> None:
    """Forget what a sender has claimed once that is acknowledged."""
    if trouble.claimed and not_after(signed(trouble.claimed_to), una):
        trouble.claimed = 0


@rare_kernel
def repeats_claimed(state: State, packet: Any, sender: Any) -> bool:
    """Whether a segment that looks like new data is a repeat of what its sender has claimed; remember it if so."""
    if not sender.trouble or not packet.length or not packet.quality & _TIMESTAMPS:
        return False
    trouble = state.troubles[sender.trouble - 1]
    if not trouble.claimed or not before(packet.seq, signed(trouble.claimed_to)):
        return False
    is_next = bool(sender.marks & NUMBERS_MOVE) and id_step(packet.ip_id, signed(sender.last_id)) > 0
    if before(packet.tsval, signed(trouble.claimed_tsval)) or (packet.tsval == trouble.claimed_tsval and not is_next):
        return False
    trouble.claimed = REPEATED
    return True
