"""The kernel's events and the packets that came of them: why each repeat and each probe was sent."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.lab.flows import Flow, Send
from tests.lab.headers import distance
from tests.lab.kernel import LOSS, PENDING, RECOVERY, STATES, SYN_STATES, Probe, Repeat, StateSet, Word

_TLP: Final = 5
_NO_TIMER: Final = 0


class Cause(NamedTuple):
    """Why a host sent a packet."""

    name: str
    evidence: str
    """What the kernel said; empty where it said nothing."""
    acked: int = 0
    """Up to where its sender was acknowledged by then, counted from the SYN's number."""


class Match(NamedTuple):
    """A packet, and the event that it came of."""

    event: Repeat
    is_first: bool
    """Of the packets of this event."""


def match(flow: Flow, events: Sequence[Repeat]) -> tuple[dict[int, Match], list[Repeat]]:
    """Return the event of each repeat, by the packet's number, and the events of which a part was not seen.

    An event may cover several segments, which leave in order; events leave in order too. So a repeat belongs to the
    earliest event of which just its numbers come next.
    """
    found: dict[int, Match] = {}
    nexts = [distance(flow.start, event.seq) for event in events]
    ends = [distance(flow.start, event.end) for event in events]
    begins = list(nexts)
    first_open = 0
    for send in flow.repeats():
        while first_open < len(events) and nexts[first_open] >= ends[first_open]:
            first_open += 1
        for at in range(first_open, len(events)):
            if nexts[at] == send.begin and send.end <= ends[at]:
                found[send.packet] = Match(events[at], nexts[at] == begins[at])
                nexts[at] = send.end
                break
    return found, [event for event, begin, end in zip(events, nexts, ends, strict=True) if begin < end]


class _Recoveries:
    """Which repeat is the first since the connection last entered fast recovery."""

    def __init__(self, states: Sequence[StateSet]) -> None:
        self._entries = [one.time for one in states if one.ca_state == RECOVERY]
        self._used: set[int] = set()

    def is_first(self, moment: int) -> bool:
        """Tell it of a repeat in that state, once for each."""
        entry = bisect_right(self._entries, moment)
        if entry in self._used:
            return False
        self._used.add(entry)
        return True


def _name(event: Repeat, is_first_packet: bool, recoveries: _Recoveries) -> str:
    """Return the cause of a repeat by the state that the connection was in, and the timer that had gone off."""
    if event.state in SYN_STATES:
        return "syn_retry"
    if event.ca_state == LOSS:
        return "rto" if event.pending == _NO_TIMER and is_first_packet else "recovery"
    if event.ca_state == RECOVERY:
        return "fast_retransmit" if is_first_packet and recoveries.is_first(event.time) else "recovery"
    # In recovery, a probe's timer may be set still: an acknowledgement came before it went off.
    return "tail_loss_probe" if event.pending == _TLP else "unknown"


def causes(flow: Flow, word: Word) -> tuple[dict[int, Cause], list[Repeat]]:
    """Return why each repeat and probe of a flow was sent, by packet; and the events of which a part was not seen.

    ``word`` has the events of this flow's sender alone. The first repeat since the kernel entered fast recovery is
    ``fast_retransmit``; a repeat of the retransmission timer is ``rto``, each time that it goes off; all others in
    these two states are ``recovery``.
    """
    matches, unseen = match(flow, word.repeats)
    recoveries = _Recoveries(word.states)
    found = {}
    for send in flow.repeats():
        if send.packet in matches:
            event, is_first = matches[send.packet]
            acked = distance(flow.start, event.una)
            found[send.packet] = Cause(_name(event, is_first, recoveries), _evidence(event, send), acked)
        elif send.is_syn:
            found[send.packet] = Cause("syn_retry", "synack" if word.syn_acks else "")
        else:
            found[send.packet] = Cause("unknown", "")
    found.update(_probes(flow, word.probes))
    return found, unseen


def _probes(flow: Flow, events: Sequence[Probe]) -> dict[int, Cause]:
    """Return what each probe is: while data wait for room it is for a zero window, and never otherwise."""
    times = [event.time for event in events]
    found = {}
    for send in flow.probes:
        at = bisect_right(times, send.time) - 1
        if at < 0:
            found[send.packet] = Cause("unknown", "")
            continue
        name = "zero_window_probe" if events[at].unsent else "keep_alive"
        lag = (send.time - events[at].time) // 1000
        found[send.packet] = Cause(name, f"unsent={events[at].unsent} lag_us={lag}")
    return found


def _evidence(event: Repeat, send: Send) -> str:
    return (
        f"ca={STATES[event.ca_state]} pending={PENDING.get(event.pending, event.pending)}"
        f" retransmits={event.retransmits} lag_us={(send.time - event.time) // 1000}"
    )


def of_flow(word: Word, flow: Flow, namespace: int) -> Word:
    """Return the events of the sender of a flow, which is in a namespace."""
    wanted = namespace, flow.sport, flow.dport
    return word.only(lambda event: (event.namespace, event.sport, event.dport) == wanted)
