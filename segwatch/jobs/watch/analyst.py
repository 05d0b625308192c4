"""Sessions through the engine into the picture, whichever thread brings them."""

import threading
from collections.abc import Iterator
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from processors.engine import Engine, Timeouts
from processors.intervals import minute_of
from segwatch.jobs.pipeline import AnalysedBatch, new_verdicts
from segwatch.jobs.watch.picture import Look, Picture
from segwatch.records.findings import take_findings
from segwatch.records.pool import finding_pool
from segwatch.records.segments import SegmentColumns, take_segments

BATCH_ROWS: Final = 1 << 15
_LATE_NANOSECONDS: Final = 1_000_000_000
"""How much earlier than one before it a segment may have been captured."""


class Limits:
    """How much an analysis remembers."""

    def __init__(self, timeouts: Timeouts, conversations: int | None) -> None:
        """``conversations``: of each session, None for all of them."""
        self.timeouts = timeouts
        self.conversations = conversations


class Follower(Protocol):
    """Gets everything that is found in a session, in order."""

    def add_batch(self, batch: AnalysedBatch) -> None:
        """Take some segments; the arrays are used again afterwards."""
        ...

    def add_intervals(self, intervals: npt.NDArray[Any]) -> None:
        """Take intervals that were closed otherwise; the memory is used again afterwards."""
        ...


class AnalysedSession:
    """A session with its engine."""

    def __init__(self, number: int, origin: int, engine: Engine, followers: tuple[Follower, ...]) -> None:
        self.number = number
        self.origin = origin
        self.engine = engine
        self.followers = followers
        self.clock = 0
        """Nothing captured before will come any more."""

    def open_intervals(self) -> npt.NDArray[Any]:
        """Return the intervals that are open, a view."""
        return self.engine.open_intervals()


class Analyst:
    """Analyses sessions, and keeps the picture; may be looked at from another thread."""

    def __init__(self, picture: Picture, rules: str, limits: Limits, *, judges: bool = False) -> None:
        """``judges``: followers want verdicts, too."""
        self.evicted = 0
        """Conversations that were forgotten while they were going on, as there were too many."""
        self._picture = picture
        self._rules = rules
        self._limits = limits
        self._judges = judges
        self._lock = threading.Lock()
        self._findings = finding_pool(BATCH_ROWS)
        self._open: list[AnalysedSession] = []
        self._begun = 0
        self._conversations = 0

    def begin(self, origin: int, *followers: Follower) -> AnalysedSession:
        """Begin a session of the interface at a place."""
        engine = Engine(self._rules, self._limits.timeouts, verdicts=new_verdicts() if self._judges else None)
        session = AnalysedSession(self._begun, origin, engine, followers)
        with self._lock:
            self._begun += 1
            self._open.append(session)
            self._picture.sessions.append(session)
        return session

    def add(self, session: AnalysedSession, segments: SegmentColumns) -> None:
        """Analyse the next segments of a session."""
        with self._lock:
            for rows in self._parts(segments.ts):
                self._analyse(session, take_segments(segments, rows))
                self._bound(session)
            self._advance(session, int(segments.ts[-1]) - _LATE_NANOSECONDS)

    def pass_time(self, session: AnalysedSession, until: int) -> None:
        """Note that all segments captured before ``until`` (nanoseconds since the epoch) were added."""
        with self._lock:
            if self._picture.began is not None:
                self._picture.reach(until)
            self._advance(session, until)

    def finish(self, session: AnalysedSession) -> None:
        """End a session."""
        with self._lock:
            for intervals in session.engine.finish_in_blocks():
                self._take_closed(session, intervals)
            self._open.remove(session)
            self._picture.sessions.remove(session)
            self._conversations += session.engine.conversations

    def count_conversations(self) -> int:
        """Return how many conversations there were so far."""
        return self._conversations + sum(one.engine.conversations for one in self._open)

    def look(self, *, since_start: bool) -> Look:
        """Return what is to be seen now."""
        with self._lock:
            return self._picture.look(self.count_conversations(), since_start=since_start)

    def _parts(self, ts: npt.NDArray[np.int64]) -> Iterator[slice]:
        """Yield the rows in parts that lie in one slot of time each; the picture has reached a part's slot."""
        latest = np.maximum.accumulate(ts)
        first = 0
        while first < len(ts):
            self._picture.reach(int(latest[first]))
            end = int(np.searchsorted(latest, self._picture.slot_end))
            yield slice(first, end)
            self._picture.reach(int(latest[end - 1]))
            first = end

    def _analyse(self, session: AnalysedSession, segments: SegmentColumns) -> None:
        rows = len(segments.ts)
        findings = take_findings(self._findings.lease(rows), slice(0, rows))
        closed = session.engine.analyze(segments, findings)
        self._picture.add_rows(findings.reset)
        self._picture.add_closed(closed, session)
        for follower in session.followers:
            follower.add_batch(AnalysedBatch(segments, findings, closed, session.engine.judged.rows))

    def _bound(self, session: AnalysedSession) -> None:
        """Forget what has been silent longest where too much is remembered; a quarter, so that it is seldom done."""
        most = self._limits.conversations
        if most is not None and session.engine.remembered > most:
            intervals, removed = session.engine.forget(most - most // 4)
            self.evicted += removed
            self._take_closed(session, intervals)
        self._picture.bound()

    def _advance(self, session: AnalysedSession, until: int) -> None:
        """Close the intervals of earlier minutes, and forget conversations that are over, once a minute."""
        before, session.clock = session.clock, max(session.clock, until)
        if minute_of(before) != minute_of(session.clock) and any(self._limits.timeouts):
            self._take_closed(session, session.engine.advance(session.clock)[0])

    def _take_closed(self, session: AnalysedSession, intervals: npt.NDArray[Any]) -> None:
        self._picture.add_closed(intervals, session)
        for follower in session.followers:
            follower.add_intervals(intervals)
