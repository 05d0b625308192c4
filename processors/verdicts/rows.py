"""Filling the rows of verdicts, and writing them."""

from typing import Any

from processors.serial import distance, signed
from processors.verdicts import counter, scoreboard
from processors.verdicts.round_trips import LEAST_VARIATION, round_trip, timeout
from processors.verdicts.state import MOST_WRITTEN, State
from segwatch.compilation import inner_kernel, kernel, rare_kernel
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Needed, Place, Quality

_IPV6 = int(Quality.IPV6)
_SPURIOUS = int(Needed.SPURIOUS)
_NOWHERE = int(Place.UNKNOWN)


@kernel
def has_room(state: State, out: Any) -> bool:
    """Whether all that one segment may write fits in."""
    return bool(state.counters[counter.WRITTEN] + MOST_WRITTEN <= len(out))


@rare_kernel
def fill_ends(verdict: Any, packet: Any, from_client: int) -> None:
    """Say when, and of which conversation and end; ``from_client``: 1 if the client sent what is judged, else 0.

    Their addresses are written by ``fill_addresses``, when the segment is done.
    """
    verdict.time = packet.now
    verdict.frame = packet.frame
    verdict.stream = packet.stream
    verdict.ip_version = 6 if packet.quality & _IPV6 else 4
    verdict.from_client = from_client


@inner_kernel
def fill_addresses(verdict: Any, segments: SegmentColumns, row: int, from_client: int) -> None:
    """Say who the ends of the conversation are, which a segment is from; ``from_client``: 1 if the client sent it.

    All verdicts that a segment gives or amends are of its conversation.
    """
    if from_client:
        verdict.client[0] = segments.src[row, 0]
        verdict.client[1] = segments.src[row, 1]
        verdict.server[0] = segments.dst[row, 0]
        verdict.server[1] = segments.dst[row, 1]
        verdict.client_port = segments.sport[row]
        verdict.server_port = segments.dport[row]
    else:
        verdict.client[0] = segments.dst[row, 0]
        verdict.client[1] = segments.dst[row, 1]
        verdict.server[0] = segments.src[row, 0]
        verdict.server[1] = segments.src[row, 1]
        verdict.client_port = segments.dport[row]
        verdict.server_port = segments.sport[row]


@rare_kernel
def fill_blank(verdict: Any, seq: int, length: int) -> None:
    """Give a row the values of a verdict that says nothing yet."""
    verdict.seq = seq
    verdict.length = length
    verdict.cause = 0
    verdict.needed = 0
    verdict.place = 0
    verdict.stage = 0
    verdict.revision = 0
    verdict.episode = 0
    verdict.confidence = 0.0
    verdict.bytes_again = 0
    verdict.ttl = 0
    verdict.ip_id = 0
    verdict.tsval = 0
    verdict.stalled = 0
    verdict.proof = 0
    verdict.duplicate_acks = 0
    verdict.sacked_above = 0
    verdict.ip_id_step = 0
    verdict.tsval_step = 0
    verdict.ttl_step = 0
    verdict.sequence_step = 0
    verdict.original_frame = 0
    verdict.since_original = 0
    verdict.silence = 0
    verdict.round_trip = 0
    verdict.timeout = 0
    verdict.amended_by = 0


@rare_kernel
def fill_times(verdict: Any, sender: Any, receiver: Any) -> None:
    """Say what was known of the sender's times just before the segment."""
    verdict.round_trip = round_trip(sender, receiver)
    verdict.timeout = timeout(sender, receiver, LEAST_VARIATION)


@rare_kernel
def begin(verdict: Any, packet: Any, sender: Any, receiver: Any) -> None:
    """Begin the row of a verdict on a segment that ``sender`` sent."""
    fill_ends(verdict, packet, packet.from_client)
    fill_blank(verdict, packet.seq, packet.length)
    verdict.ttl = packet.ttl
    verdict.ip_id = packet.ip_id
    verdict.tsval = packet.tsval
    fill_times(verdict, sender, receiver)


@rare_kernel
def fill_reports(verdict: Any, trouble: Any, sender: Any, packet: Any) -> None:
    """Say what the receiver had reported, and how much is sent again."""
    verdict.duplicate_acks = sender.duplicate_acks
    verdict.sacked_above = scoreboard.bytes_above(trouble, packet.seq)
    verdict.bytes_again = min(packet.length, distance(signed(sender.snd_max), packet.seq))


@rare_kernel
def write(state: State, verdict: Any, out: Any) -> None:
    """Write a row to the output."""
    written = state.counters[counter.WRITTEN]
    out[written] = verdict
    state.counters[counter.WRITTEN] = written + 1
    state.counters[counter.USES] += 1


@rare_kernel
def amend(state: State, place: int, frame: int, confidence: float, out: Any) -> None:
    """Write the next revision of a noted verdict; ``confidence``: that of its need and place."""
    verdict = state.rows[place]
    verdict.revision += 1
    verdict.amended_by = frame
    verdict.confidence = state.notes[place].confidence * confidence
    write(state, verdict, out)


@rare_kernel
def call_spurious(verdict: Any) -> None:
    """Say that the receiver had it: nothing was lost, and delivery did not wait for it."""
    verdict.needed = _SPURIOUS
    verdict.place = _NOWHERE
    verdict.stalled = 0


@rare_kernel
def new_row(state: State, packet: Any, sender: Any, receiver: Any, out: Any) -> Any:
    """Return the next row of the output, begun: it is written as soon as the caller has filled in the rest."""
    verdict = next_row(state, out)
    begin(verdict, packet, sender, receiver)
    return verdict


@rare_kernel
def next_row(state: State, out: Any) -> Any:
    """Return the next row of the output, which holds anything: the caller fills it."""
    written = signed(state.counters[counter.WRITTEN])
    state.counters[counter.WRITTEN] = written + 1
    state.counters[counter.USES] += 1
    return out[written]
