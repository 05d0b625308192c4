"""Repeats of what never passed the sensor, and left no hole: they look like new data in its order.

Linux numbers all packets of a connection one by one (IP identification). A number that is missing tells of a packet that
was lost before the sensor; if its sender was then silent for as long as a timer takes, what comes next is the repeat.
"""

from typing import Any

from processors.rules.packet import Packet
from processors.serial import distance, signed
from processors.verdicts.order import ids_ascend
from processors.verdicts.round_trips import LEAST_CLOCK, clock, silence
from processors.verdicts.sent import place_of
from processors.verdicts.state import State
from processors.verdicts.troubles import trouble_of
from segwatch.compilation import kernel
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Quality

_ID_MASK = 0xFFFF
_MOST_MISSING = 64
_ETHERNET_PAYLOAD = 1460
"""Payload of a packet; an offloaded segment takes a number for each."""
_IPV6 = int(Quality.IPV6)


@kernel
def note_id(state: State, segments: SegmentColumns, row: int, sender: Any) -> None:
    """Remember the identification of what is no piece: a repeat, or a probe."""
    if not segments.quality[row] & _IPV6:
        trouble = trouble_of(state, sender)
        trouble.numbered = 1
        trouble.last_id = segments.ip_id[row]


@kernel
def _missing(state: State, segments: SegmentColumns, row: int, sender: Any) -> int:
    """Return how many packets of the sender did not pass just before."""
    last = state.pieces[place_of(sender, signed(sender.count) - 1)]
    taken = distance(signed(last.end), signed(last.start)) // (_ETHERNET_PAYLOAD + 1)
    step = (signed(segments.ip_id[row]) - signed(last.ip_id)) & _ID_MASK
    if sender.trouble and state.troubles[sender.trouble - 1].numbered:
        last_id = signed(state.troubles[sender.trouble - 1].last_id)
        step = min(step, (signed(segments.ip_id[row]) - last_id) & _ID_MASK)
    return step - 1 - taken


@kernel
def repeats_unseen(
    state: State, segments: SegmentColumns, row: int, packet: Packet, sender: Any, receiver: Any
) -> bool:
    """Whether a segment at or above ``snd_max`` is a repeat.

    More packets are missing than fit into the gap before it, the sender had nothing to acknowledge (its empty segments
    are numbered, too), and it was silent.
    """
    if packet.now - signed(sender.last_sent) < LEAST_CLOCK or not sender.count:
        return False
    if segments.quality[row] & _IPV6 or signed(receiver.last_sent) > signed(sender.last_sent):
        return False
    missing = _missing(state, segments, row, sender)
    gap = distance(packet.seq, signed(sender.snd_max))
    if not 0 < missing <= _MOST_MISSING or missing * max(packet.length, 1) <= gap:
        return False
    return silence(sender, packet.now) >= clock(sender, receiver) and ids_ascend(state, sender)
