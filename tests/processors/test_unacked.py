"""The list of unacknowledged segments gives what Wireshark's plain walk gives."""

from dataclasses import dataclass

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from processors.flow_table import unacked
from processors.flow_table.state import NOTHING, new_state
from processors.rules.conversation import forget_direction
from processors.serial import HALF, MODULUS_MASK, after, not_after


@dataclass
class _Entry:
    start: int
    end: int
    frame: int


class _PlainList:
    """Wireshark's list, as its source walks it: newest first, all of it, at every acknowledgment."""

    def __init__(self) -> None:
        self.entries: list[_Entry] = []

    def append(self, start: int, end: int, frame: int) -> None:
        self.entries.insert(0, _Entry(start, end, frame))

    def purge(self, ack: int) -> int:
        matched = 0
        kept = []
        for entry in self.entries:
            if ack == entry.end:
                matched = entry.frame
                continue
            if after(ack, entry.start) and not_after(ack, entry.end):
                entry.start = ack
            if after(entry.end, ack):
                kept.append(entry)
        self.entries = kept
        return matched

    def extent(self, base: int) -> tuple[int, int]:
        starts = [(entry.start - base) & MODULUS_MASK for entry in self.entries]
        ends = [(entry.end - base) & MODULUS_MASK for entry in self.entries]
        return min(starts), max(ends)


_NUMBERS = st.one_of(
    st.integers(0, 20).map(lambda step: step * 50),
    st.integers(-300, 300).map(lambda step: step % 2**32),
    st.integers(-300, 300).map(lambda step: HALF + step),
    st.integers(0, 2**32 - 1),
)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), _NUMBERS, st.sampled_from([0, 1, 50, 100, 2**31 - 1])),
        st.tuples(st.just("acknowledge"), _NUMBERS, st.just(0)),
        st.tuples(st.just("acknowledge again"), st.just(0), st.just(0)),
        st.tuples(st.just("send the next"), st.just(0), st.sampled_from([1, 50, 100])),
    ),
    max_size=60,
)


_ALL_THE_WAY_ROUND = [
    ("send", 2147484148, 100),
    ("send", 4294967295, 1),
    ("send", 2147483448, 1400),
    ("acknowledge", 2147483048, 0),
]


@settings(deadline=None, max_examples=500)
@example(_ALL_THE_WAY_ROUND, 2147484048)
@given(_STEPS, _NUMBERS)
def test_same_as_the_plain_walk(steps: list[tuple[str, int, int]], base: int) -> None:
    state = new_state()
    sender = state.directions[0]
    forget_direction(sender)
    sender.base_seq = base
    plain = _PlainList()
    last_ack = last_end = 0
    for frame, (what, number, length) in enumerate(steps, start=1):
        if what in ("send", "send the next"):
            start = last_end if what == "send the next" else number
            last_end = (start + length) & MODULUS_MASK
            unacked.append(state, sender, start, last_end, frame, 1000 * frame)
            plain.append(start, last_end, frame)
        else:
            last_ack = last_ack if what == "acknowledge again" else number
            node = unacked.purge(state, sender, last_ack)
            matched = plain.purge(last_ack)
            assert (0 if node == NOTHING else int(state.unacked[node].frame)) == matched
        assert int(sender.unacked_count) == len(plain.entries)
        if plain.entries:
            assert (int(sender.unacked_low), int(sender.unacked_high)) == plain.extent(base)
            oldest = unacked.oldest(state, sender)
            assert (int(oldest.start), int(oldest.frame)) == (plain.entries[-1].start, plain.entries[-1].frame)
        else:
            assert sender.unacked_first == NOTHING


def test_nodes_are_used_again() -> None:
    state = new_state()
    sender = state.directions[0]
    forget_direction(sender)
    for step in range(1000):
        unacked.append(state, sender, step, step + 1, step, step)
        unacked.purge(state, sender, step + 1)
    assert unacked.has_room(state)
    assert np.count_nonzero(state.unacked["frame"]) <= 1
