"""The analysis as an object: segment batches in, findings and closed intervals out; no clock, no I/O."""

import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from processors.analysis import analyze_rows
from processors.flow_table import counter, unacked
from processors.flow_table.expiry import remove_expired
from processors.flow_table.lookup import find_conversations, rebuild_slots
from processors.flow_table.state import OPEN_INTERVAL, new_state
from processors.intervals import MOST_CLOSED, close_all, minute_of, sweep
from processors.rules.rule_sets import DEFAULT_RULES, rule_set
from segwatch.memory import grown, zeroed
from segwatch.records.findings import FindingColumns
from segwatch.records.intervals import INTERVAL
from segwatch.records.segments import SegmentColumns

_CLOSED_ROWS = 1024
_SEED_BITS = 63


class Scratch:
    """Memory that engines need only while they work; engines that work in turn may share one."""

    def __init__(self) -> None:
        self.closed = np.zeros(_CLOSED_ROWS, OPEN_INTERVAL)
        self.conversation_of_row = np.empty(0, np.int32)


class Timeouts(NamedTuple):
    """After which silence a conversation is over, in nanoseconds; 0: never, as for files."""

    idle: int = 0
    closed: int = 0
    """For a conversation that was reset or closed by both sides."""


FOR_EVER = Timeouts()


class Engine:
    """Labels and counts the segments of one stream of records, in order.

    How the segments are cut into batches changes nothing. State can be taken out (``state``) and put back
    (``restore``) between any two batches without changing anything either.
    """

    def __init__(
        self, rules: str = DEFAULT_RULES, timeouts: Timeouts = FOR_EVER, scratch: Scratch | None = None
    ) -> None:
        self._rules = rule_set(rules)
        self._timeouts = timeouts
        self._state = new_state()
        self._scratch = Scratch() if scratch is None else scratch
        self._set_timeouts()
        # Who can choose addresses and ports must not be able to choose collisions.
        self._seed = np.uint64(secrets.randbits(_SEED_BITS))

    @property
    def conversations(self) -> int:
        """Conversations so far, each reuse of ports counted (the number of the next stream)."""
        return int(self._state.counters[counter.STREAMS])

    @property
    def remembered(self) -> int:
        """Conversations in memory."""
        return int(self._state.counters[counter.CONVERSATIONS])

    def analyze(self, segments: SegmentColumns, findings: FindingColumns, session: int = 0) -> npt.NDArray[Any]:
        """Fill one row of ``findings`` for each row of ``segments``.

        ``session`` (0 to 2^32-1) tells capture sessions apart: equal addresses of two sessions never meet.
        Returns the intervals that were closed meanwhile, as records of ``INTERVAL``, valid until the next call.
        """
        rows = len(segments.ts)
        scratch = self._scratch
        if len(scratch.conversation_of_row) < rows:
            scratch.conversation_of_row = np.empty(rows, np.int32)
        self._state.counters[counter.CLOSED] = 0
        # Hashing wraps around on purpose; NumPy would warn where this runs uncompiled.
        with np.errstate(over="ignore"):
            found = done = 0
            while done < rows:
                if found < rows:
                    found = find_conversations(
                        self._state, segments, session, self._seed, found, scratch.conversation_of_row
                    )
                done = analyze_rows(
                    self._state,
                    self._rules,
                    segments,
                    findings,
                    scratch.conversation_of_row,
                    done,
                    found,
                    scratch.closed,
                )
                if done < rows:
                    self._make_room(looked_up=done == found)
        return self._taken()

    def _set_timeouts(self) -> None:
        self._state.counters[counter.IDLE_TIMEOUT] = self._timeouts.idle
        self._state.counters[counter.CLOSED_TIMEOUT] = self._timeouts.closed

    def _taken(self) -> npt.NDArray[Any]:
        return self._scratch.closed[: self._state.counters[counter.CLOSED]].view(INTERVAL)

    def _make_room(self, *, looked_up: bool) -> None:
        """Enlarge what stopped the kernels."""
        state = self._state
        if looked_up:
            larger = state._replace(slots=zeroed(2 * len(state.slots), state.slots.dtype))
            if state.counters[counter.CONVERSATIONS] >= len(state.conversations):
                larger = larger._replace(conversations=grown(state.conversations), directions=grown(state.directions))
            self._state = larger
            rebuild_slots(larger, self._seed)
            return
        if not unacked.has_room(state):
            self._state = state._replace(unacked=grown(state.unacked))
        elif state.counters[counter.CLOSED] + MOST_CLOSED > len(self._scratch.closed):
            self._scratch.closed = grown(self._scratch.closed)
        else:
            self._state = state._replace(intervals=grown(state.intervals))

    def advance(self, now: int) -> tuple[npt.NDArray[Any], int]:
        """Let time pass without a segment: nothing captured before ``now`` (nanoseconds) will come any more.

        Closes the intervals of earlier minutes and gives back the memory of conversations that are over. Returns the
        closed intervals, as ``analyze`` does, and how many conversations were removed.
        """
        self._state.counters[counter.CLOSED] = 0
        while not sweep(self._state, minute_of(now), self._scratch.closed):
            self._scratch.closed = grown(self._scratch.closed)
        with np.errstate(over="ignore"):
            removed = remove_expired(self._state, now, self._seed) if any(self._timeouts) else 0
        return self._taken(), removed

    def finish_in_blocks(self) -> Iterator[npt.NDArray[Any]]:
        """Close all open intervals; yield them as records of ``INTERVAL``, each block valid until the next.

        This ends the analysis: all conversations are forgotten, and their memory is free.
        """
        done = False
        while not done:
            self._state.counters[counter.CLOSED] = 0
            done = close_all(self._state, self._scratch.closed)
            if self._state.counters[counter.CLOSED]:
                yield self._taken()
        streams = self.conversations
        self._state = new_state()
        self._set_timeouts()
        self._state.counters[counter.STREAMS] = streams

    def finish(self) -> npt.NDArray[Any]:
        """End the analysis; return all intervals that were open as records of ``INTERVAL``."""
        blocks = [block.copy() for block in self.finish_in_blocks()]
        return np.concatenate(blocks) if blocks else np.zeros(0, INTERVAL)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all that is remembered, by name, without the unused ends of the arrays."""
        counters = self._state.counters
        conversations = int(counters[counter.CONVERSATIONS])
        return {
            "conversations": self._state.conversations[:conversations].copy(),
            "directions": self._state.directions[: 2 * conversations].copy(),
            "unacked": self._state.unacked[: counters[counter.UNACKED_USED]].copy(),
            "intervals": self._state.intervals[: counters[counter.INTERVALS_USED]].copy(),
            "counters": counters.copy(),
        }

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Continue from what ``state`` returned, of this or of another engine with the same rules."""
        conversations = _room_for(len(state["conversations"]))
        fresh = new_state(conversations, _room_for(len(state["unacked"])), _room_for(len(state["intervals"])))
        for name, content in state.items():
            getattr(fresh, name)[: len(content)] = content
        self._state = fresh
        self._set_timeouts()
        with np.errstate(over="ignore"):
            rebuild_slots(fresh, self._seed)


def _room_for(used: int) -> int:
    """Return a power of two that leaves room beside what is used."""
    return 1 << max(6, used.bit_length())
