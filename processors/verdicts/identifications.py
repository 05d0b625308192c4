"""IP identifications: how a sender numbers its packets, and how many of them did not pass.

Linux numbers all packets of a connection one by one. Others number the packets of all their connections by one counter,
and others count it up in a silence: so a missing number tells something only of a sender that has numbered one by one
for longer than it was silent, or that shows that it is Linux. 0 is no identification (IPv6, Linux's SYN/ACK).
"""

from typing import Any

from processors.rules.packet import ACK, SYN
from processors.serial import distance, signed
from processors.verdicts.large_sends import ETHERNET_PAYLOAD, more_numbers, packets_of
from processors.verdicts.order import id_step, ids_ascend
from processors.verdicts.sent import place_of
from processors.verdicts.state import ALONE, HAS_TIMESTAMP, NUMBERED, NUMBERS_MOVE, SYN_SEEN, State
from segwatch.compilation import inner_kernel, rare_kernel
from segwatch.vocabulary import Quality

_TIMESTAMPS = int(Quality.TIMESTAMPS)
_ID_MASK = 0xFFFF
_ID_HALF = 0x8000
MOST_MISSING = 64
_MOST_UNPROVED = 16
"""Packets missing at most where nothing shows whether the numbers ascend."""
LARGEST_STEP = 1 + MOST_MISSING + 0xFFFF // (ETHERNET_PAYLOAD + 1)
"""By which an identification goes up at most where packets are missing."""
_STEADIER = 2
"""How many times as long as a silence identifications must have gone up one by one, to tell what is missing in it."""
_LINUX_TTL = 64
_ROWS_LOOKED_AT = 7
_LEAST_ROWS = 2
"""Steps from segment to segment that must be of one, among so many."""


@inner_kernel
def numbers_from(sender: Any, ip_id: int) -> int:
    """Return how many identifications further a packet's is than its sender's highest; 0 counts for none."""
    last = signed(sender.last_id)
    step = (ip_id - last) & _ID_MASK
    return step - 1 if ip_id < last and 1 < step < _ID_HALF else step


@rare_kernel
def skip_omitted(state: State, packet: Any, sender: Any) -> None:
    """Leave out identifications that are missing before a packet, if the capture is known to lack what had them.

    How many that are, the next packet tells best; one that was lost before it is not found then.
    """
    if not sender.trouble or not packet.ip_id or not state.troubles[sender.trouble - 1].omitted:
        return
    state.troubles[sender.trouble - 1].omitted = 0
    if 1 < numbers_from(sender, packet.ip_id) <= LARGEST_STEP:
        sender.last_id = (packet.ip_id - 1) & _ID_MASK


@inner_kernel
def note_id(packet: Any, sender: Any, goes_on: bool) -> None:
    """Remember the highest identification of a sender, empty segments counted; 0 is none, as IPv6 has.

    Where what it sent before had none, as Linux's SYN/ACK, its identifications are not all the same. Where that was a
    SYN/ACK, it is Linux, and numbers each connection for itself.

    ``goes_on``: nothing shows that packets before this one are missing. If its identification went up by more than one
    all the same, its sender may number the packets of all its connections by one counter, as Windows does. Offloaded
    segments, which are about as long as the one before, take one for each packet. Of Linux they are missing packets.
    """
    if not packet.ip_id:
        if packet.flag_bits & SYN and not sender.marks & NUMBERED:
            sender.steady_since = ALONE if packet.flag_bits & ACK else 0
        return
    step = numbers_from(sender, packet.ip_id)
    if not sender.marks & NUMBERED:
        answer_had_none = bool(sender.marks & SYN_SEEN) and sender.steady_since == ALONE
        sender.marks |= NUMBERED | (NUMBERS_MOVE if answer_had_none or 0 < sender.last_sent < packet.now else 0)
        sender.last_id = packet.ip_id
        sender.steady_since = (packet.now & ~ALONE) | (ALONE if answer_had_none else 0)
        return
    if step == 0:
        return
    if step < _ID_HALF:
        sender.marks |= NUMBERS_MOVE
        sender.last_id = packet.ip_id
    if goes_on and step > 1 and step > 1 + more_numbers(packet.length):
        alone = abs(signed(sender.steady_since)) & ALONE if step <= LARGEST_STEP else 0
        sender.steady_since = -((packet.now & ~ALONE) | alone)


@rare_kernel
def was_overtaken(packet: Any, sender: Any) -> bool:
    """Whether a packet was sent before another one that has passed, by its identification: so it was never lost."""
    return bool(sender.marks & NUMBERS_MOVE and packet.ip_id) and id_step(packet.ip_id, signed(sender.last_id)) < 0


@rare_kernel
def numbers_one_by_one(sender: Any, now: int, quiet: int) -> bool:
    """Whether the sender's identifications have gone up by one for longer than it was silent now, a few times.

    Where one counter serves all connections of a host, others count it up in a silence, sooner or later.
    """
    return bool(sender.marks & NUMBERS_MOVE) and now - abs(signed(sender.steady_since)) >= (1 + _STEADIER) * quiet


@rare_kernel
def answered_without(sender: Any) -> bool:
    """Whether the sender's SYN/ACK had no identification, and what followed has."""
    return bool(sender.marks & NUMBERS_MOVE and abs(signed(sender.steady_since)) & ALONE)


@rare_kernel
def sends_in_rows(state: State, sender: Any) -> bool:
    """Whether some of the last segments with data have identifications that follow one another."""
    last = signed(sender.count) - 1
    rows = 0
    for index in range(max(1, last - _ROWS_LOOKED_AT), last + 1):
        one = state.pieces[place_of(sender, index - 1)]
        other = state.pieces[place_of(sender, index)]
        if 1 <= (signed(other.ip_id) - signed(one.ip_id)) & _ID_MASK <= packets_of(one):
            rows += 1
    return rows >= _LEAST_ROWS


@rare_kernel
def numbers_alone(state: State, sender: Any) -> bool:
    """Whether the sender numbers the packets of each connection for itself, as Linux does (``inet_id``).

    It has timestamps and an initial TTL of 64, so it is a Unix; of these, others than Linux take random
    identifications or none. And all steps have been of one: that from its SYN is enough. A SYN/ACK without
    identification, and others after it, is Linux's, with timestamps or without.
    """
    if not sender.count or not sender.marks & NUMBERS_MOVE or signed(sender.steady_since) < 0:
        return False
    first = state.pieces[place_of(sender, 0)]
    if first.ttl > _LINUX_TTL:
        return False
    if answered_without(sender):
        return True
    steps = (signed(sender.last_id) - signed(first.ip_id)) & _ID_MASK
    return bool(first.marks & HAS_TIMESTAMP) and (first.ip_id == 0 or 1 <= steps < _ID_HALF)


@rare_kernel
def counts_here(state: State, sender: Any, now: int, quiet: int) -> bool:
    """Whether a number that is missing after a silence is that of a packet of this connection."""
    return answered_without(sender) or numbers_one_by_one(sender, now, quiet) or numbers_alone(state, sender)


@rare_kernel
def missing_since_syn(state: State, packet: Any, sender: Any) -> int:
    """Return how many packets of data did not pass since a SYN, the only thing that did; 0 if that does not show.

    One more is missing: the acknowledgment of the SYN/ACK. The sender is a Unix, by its timestamps and its initial TTL;
    one that takes random identifications does not take so near a one.
    """
    if sender.count != 1 or packet.spoke or not packet.length or not packet.quality & _TIMESTAMPS:
        return 0
    syn = state.pieces[place_of(sender, 0)]
    if not sender.marks & SYN_SEEN or distance(signed(syn.end), signed(syn.start)) != 1:
        return 0
    if not syn.marks & HAS_TIMESTAMP or not syn.ip_id or syn.ttl > _LINUX_TTL:
        return 0
    missing = numbers_from(sender, packet.ip_id) - 2
    return missing if 0 < missing <= MOST_MISSING else 0


@rare_kernel
def missing_packets(state: State, packet: Any, sender: Any) -> int:
    """Return how many packets of the sender did not pass just before, 0 if that does not show."""
    if not sender.marks & NUMBERED or not sender.count:
        return 0
    since_syn = missing_since_syn(state, packet, sender)
    if since_syn:
        return since_syn
    proved = ids_ascend(state, sender)
    quiet = packet.now - max(signed(sender.last_sent), packet.spoke)
    if proved < 0 or not (sends_in_rows(state, sender) or counts_here(state, sender, packet.now, quiet)):
        return 0
    last = state.pieces[place_of(sender, signed(sender.count) - 1)]
    if distance(signed(last.end), signed(last.start)) > ETHERNET_PAYLOAD:
        return 0  # cut into packets of unknown size
    missing = numbers_from(sender, packet.ip_id) - 1
    return missing if 0 < missing <= (MOST_MISSING if proved else _MOST_UNPROVED) else 0


@rare_kernel
def missing_answers(state: State, packet: Any, sender: Any, receiver: Any) -> int:
    """Return how many packets of the receiver did not pass just before one that acknowledges; -1 if nothing tells."""
    quiet = packet.now - signed(sender.last_heard)
    if not packet.ip_id or not counts_here(state, receiver, packet.now, quiet):
        return -1
    missing = (packet.ip_id - signed(receiver.last_id) - 1 - more_numbers(packet.length)) & _ID_MASK
    return int(missing) if missing <= MOST_MISSING else -1


@rare_kernel
def packets_between(state: State, packet: Any, sender: Any) -> int:
    """Return how many packets fit into the gap before a segment at or above ``snd_max``.

    They are as long as this or the last one: a sender fills segments but for the last of what it has to send.
    """
    gap = distance(packet.seq, signed(sender.snd_max))
    longest: int = max(packet.length, 1)
    if sender.count:
        last = state.pieces[place_of(sender, signed(sender.count) - 1)]
        longest = max(longest, distance(signed(last.end), signed(last.start)))
    return -(-gap // longest)
