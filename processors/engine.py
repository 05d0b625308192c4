"""The analysis as an object: segment batches in, findings, verdicts and closed intervals out; no clock, no I/O."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from processors.analysis import analyze_rows
from processors.flow_table import counter, unacked
from processors.flow_table.expiry import places_without_expired, places_without_longest_silent, remove_expired
from processors.flow_table.state import OPEN_INTERVAL, new_state
from processors.flow_table.table import FlowTable
from processors.intervals import MOST_CLOSED, close_all, minute_of, sweep
from processors.rules.rule_sets import DEFAULT_RULES, rule_set
from processors.verdicts.output import Output
from segwatch.memory import copied, grown, joined
from segwatch.records.findings import FindingColumns
from segwatch.records.intervals import INTERVAL
from segwatch.records.segments import SegmentColumns
from segwatch.records.verdicts import VERDICT

if TYPE_CHECKING:
    from processors.verdicts.engine import Verdicts  # who wants none need not load its kernels

_CLOSED_ROWS = 1024
VERDICTS = "verdicts."
"""What the names of arrays that verdicts remember begin with, among those of an engine."""


class Scratch:
    """Memory that engines need only while they work; engines that work in turn may share one."""

    def __init__(self) -> None:
        self.closed = np.zeros(_CLOSED_ROWS, OPEN_INTERVAL)
        self.judged = Output()


class Timeouts(NamedTuple):
    """After which silence a conversation is over, in nanoseconds; 0: never, as for files."""

    idle: int = 0
    closed: int = 0
    """For a conversation that was reset or closed by both sides."""


FOR_EVER = Timeouts()


class Judged(NamedTuple):
    """V verdicts, in the order in which they were found, amendments too."""

    rows: npt.NDArray[Any]
    """(V,) of ``VERDICT``."""
    sources: npt.NDArray[np.int32]
    """(V,) the row in the batch of the segment that each comes from."""


_NONE_JUDGED = Judged(np.zeros(0, VERDICT), np.zeros(0, np.int32))


class Engine:
    """Labels and counts the segments of one stream of records, in order.

    How the segments are cut into batches changes nothing. State can be taken out (``state``) and put back
    (``restore``) between any two batches without changing anything either.
    """

    def __init__(
        self,
        rules: str = DEFAULT_RULES,
        timeouts: Timeouts = FOR_EVER,
        scratch: Scratch | None = None,
        verdicts: "Verdicts | None" = None,
    ) -> None:
        """``verdicts`` judges what this engine labels (``judged``); it belongs to the engine from then on."""
        self._rules = rule_set(rules)
        self._timeouts = timeouts
        self.flows = FlowTable()
        """Finds conversations. Whoever has two threads calls it in one, and ``analyze_found`` in the other."""
        self._state = new_state()
        self._scratch = Scratch() if scratch is None else scratch
        self._verdicts = verdicts
        self.judged = _NONE_JUDGED
        """Verdicts of the last batch that was analysed; valid until the next."""
        self._set_timeouts()

    @property
    def conversations(self) -> int:
        """Conversations so far, each reuse of ports counted (the number of the next stream)."""
        return int(self._state.counters[counter.STREAMS])

    @property
    def remembered(self) -> int:
        """Conversations in memory."""
        return self.flows.conversations

    def analyze(self, segments: SegmentColumns, findings: FindingColumns, session: int = 0) -> npt.NDArray[Any]:
        """Fill one row of ``findings`` for each row of ``segments``.

        ``session`` (0 to 2^32-1) tells capture sessions apart: equal addresses of two sessions never meet.
        Returns the intervals that were closed meanwhile, as records of ``INTERVAL``, valid until the next call.
        """
        return self.analyze_found(segments, self.flows.find(segments, session), findings)

    def analyze_found(
        self, segments: SegmentColumns, numbers: npt.NDArray[np.int32], findings: FindingColumns
    ) -> npt.NDArray[Any]:
        """Do as ``analyze``, with the conversations that ``flows`` found; every batch, in order."""
        rows = len(segments.ts)
        self._make_room_for(1 + int(numbers.max(initial=-1)))
        self._state.counters[counter.CLOSED] = 0
        done = analyze_rows(self._state, self._rules, segments, findings, numbers, 0, rows, self._scratch.closed)
        while done < rows:
            self._make_room()
            done = analyze_rows(self._state, self._rules, segments, findings, numbers, done, rows, self._scratch.closed)
        if self._verdicts is not None:
            self.judged = Judged(self._verdicts.judge(segments, numbers, findings), self._verdicts.sources())
        return self._taken()

    def _set_timeouts(self) -> None:
        self._state.counters[counter.IDLE_TIMEOUT] = self._timeouts.idle
        self._state.counters[counter.CLOSED_TIMEOUT] = self._timeouts.closed

    def _taken(self) -> npt.NDArray[Any]:
        return self._scratch.closed[: self._state.counters[counter.CLOSED]].view(INTERVAL)

    def _make_room_for(self, conversations: int) -> None:
        while conversations > len(self._state.conversations):
            state = self._state
            larger = grown(state.conversations)
            self._state = state._replace(conversations=larger, directions=grown(state.directions, 2 * len(larger)))

    def _make_room(self) -> None:
        """Enlarge what stopped the kernel."""
        state = self._state
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
        removed = self._remove_expired(now) if any(self._timeouts) else 0
        return self._taken(), removed

    def _remove_expired(self, now: int) -> int:
        conversations = self.flows.conversations
        places, kept = places_without_expired(self._state, conversations, now)
        if kept == conversations:
            return 0
        self._keep(places, kept)
        return conversations - kept

    def _keep(self, places: npt.NDArray[np.int32], kept: int) -> None:
        """Give back the memory of all conversations but those that have new places."""
        remove_expired(self._state, places)
        self.flows.keep(places, kept)
        if self._verdicts is not None:
            self._verdicts.keep(places, kept)

    def forget(self, keep: int) -> tuple[npt.NDArray[Any], int]:
        """Forget those conversations that have been silent longest, so that ``keep`` of them stay.

        Returns their intervals, as ``analyze`` does, and how many conversations were forgotten. One that sends again
        begins anew in its middle. To be called when everything that ``flows`` found was analysed.
        """
        self._state.counters[counter.CLOSED] = 0
        conversations = self.flows.conversations
        if conversations <= keep:
            return self._taken(), 0
        while len(self._scratch.closed) < conversations - keep:
            self._scratch.closed = grown(self._scratch.closed)
        places = places_without_longest_silent(self._state, conversations, keep, self._scratch.closed)
        self._keep(places, keep)
        return self._taken(), conversations - keep

    def open_intervals(self) -> npt.NDArray[Any]:
        """Return the intervals as they are now, a view: records of ``INTERVAL``, whose ``flow`` is -1 where unused."""
        return self._state.intervals[: self._state.counters[counter.INTERVALS_USED]].view(INTERVAL)

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
        self.flows = FlowTable()
        self._state = new_state()
        self._set_timeouts()
        self._state.counters[counter.STREAMS] = streams
        if self._verdicts is not None:
            self._verdicts.clear()

    def finish(self) -> npt.NDArray[Any]:
        """End the analysis; return all intervals that were open as records of ``INTERVAL``."""
        return joined([np.zeros(0, INTERVAL), *(copied(block) for block in self.finish_in_blocks())])

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all that is remembered, by name, without the unused ends of the arrays.

        What verdicts remember has names that begin with ``VERDICTS``.
        """
        counters = self._state.counters
        conversations = self.flows.conversations
        judging = {} if self._verdicts is None else self._verdicts.state()
        return {f"{VERDICTS}{name}": array for name, array in judging.items()} | {
            "keys": self.flows.keys(),
            "conversations": copied(self._state.conversations[:conversations]),
            "directions": copied(self._state.directions[: 2 * conversations]),
            "unacked": copied(self._state.unacked[: counters[counter.UNACKED_USED]]),
            "intervals": copied(self._state.intervals[: counters[counter.INTERVALS_USED]]),
            "counters": counters.copy(),
        }

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Continue from what ``state`` returned, of this or of another engine made like this one."""
        sizes = (max(len(state[name]), 1) for name in ("conversations", "unacked", "intervals"))
        fresh = new_state(*sizes)
        for name in fresh._fields:
            content = state[name]
            getattr(fresh, name)[: len(content)] = content
        self._state = fresh
        self._set_timeouts()
        self.flows.restore(state["keys"])
        if self._verdicts is not None:
            judging = {name[len(VERDICTS) :]: array for name, array in state.items() if name.startswith(VERDICTS)}
            self._verdicts.restore(judging)
