"""One capture session through an engine again: findings into a spool, and counts."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from processors.engine import FOR_EVER, Engine
from processors.stream.settings import configured_timeouts
from segwatch import __version__
from segwatch.jobs.pipeline import new_verdicts
from segwatch.jobs.replay.span import Original, Span
from segwatch.records.findings import FindingColumns, empty_findings, take_findings
from segwatch.records.intervals import INTERVAL_NANOSECONDS
from segwatch.records.segments import SegmentColumns, take_segments
from segwatch.scope import REPLAY_SUFFIX
from segwatch.times import NANOSECONDS, time_text
from segwatch.vocabulary import Flag
from sinks.spool import FindingSpool
from sinks.store import CaptureFacts

_SPOOL_BYTES: Final = 16 << 20
"""Memory for the findings of a session: several may be under way at a time."""
_LATE: Final = 60 * NANOSECONDS
"""How far back times may go without an influence on what is forgotten."""
_MID_STREAM, _IN_RANGE = np.uint8(1), np.uint8(2)


class Totals(NamedTuple):
    """What was analysed again."""

    segments: int
    """In the range."""
    lead_segments: int
    """Before it."""
    conversations: int
    """With segments in the range."""
    mid_stream_conversations: int
    """Those of them that were under way when the analysis began, and whose beginning was there to be analysed."""
    mid_stream_segments: int
    """Their segments in the range."""


class SessionReplay:
    """``add`` all segments of a session in order, then ``finish``, then take what was found."""

    def __init__(self, original: Original, span: Span, rules: str) -> None:
        self.original = original
        self.spool = FindingSpool(_SPOOL_BYTES)
        self._span = span
        self._rules = rules
        self._timeouts = FOR_EVER if original.is_file else configured_timeouts()
        self._engine = Engine(rules, self._timeouts, verdicts=new_verdicts())
        self._findings = empty_findings(0)
        self._marks = np.zeros(1024, np.uint8)
        """What is known of each conversation, by its number."""
        self._streams = 0
        self._segments = self._lead_segments = self._mid_stream_segments = self._frames = 0
        self._last_frame = -1
        self._first, self._last = np.iinfo(np.int64).max, 0
        self._advanced = 0

    def add(self, segments: SegmentColumns) -> None:
        """Analyse the next N segments; their memory must be writable, as kernels are compiled for that."""
        rows = len(segments.ts)
        if rows == 0:
            return
        if rows > len(self._findings.stream):
            self._findings = empty_findings(2 * rows)
        findings = take_findings(self._findings, slice(0, rows))
        self._keep_intervals(self._engine.analyze(segments, findings))
        inside = segments.ts >= self._span.begin
        self._mark_conversations(segments, findings, inside)
        self._count(segments, inside)
        found = np.flatnonzero(((findings.labels != 0) | (findings.reset != 0)) & inside)
        if len(found):
            self.spool.add_anomalies(take_segments(segments, found), take_findings(findings, found))
        self._keep_verdicts()
        if not self.original.is_file:
            self._let_time_pass(int(segments.ts.max()) - _LATE)

    def finish(self) -> None:
        """End the analysis."""
        for intervals in self._engine.finish_in_blocks():
            self._keep_intervals(intervals)

    @property
    def totals(self) -> Totals:
        """What was analysed so far."""
        marks = self._marks[: self._streams]
        mid_stream = np.count_nonzero(marks == _MID_STREAM | _IN_RANGE) if self.original.has_earlier else 0
        return Totals(
            self._segments,
            self._lead_segments,
            int(np.count_nonzero(marks & _IN_RANGE)),
            int(mid_stream),
            self._mid_stream_segments if self.original.has_earlier else 0,
        )

    @property
    def name(self) -> str:
        """Name of the set, 32 hexadecimal digits: the same for the same segments, rules, range and version."""
        told = (
            self.original.session, self._rules, *self._span, self._segments, self._lead_segments, __version__,
        )  # fmt: skip
        return xxhash.xxh3_128_hexdigest("replay " + " ".join(map(str, told)))

    @property
    def sensor(self) -> str:
        """Sensor of the set: another name, so that nothing is counted twice where traffic of a sensor is summed up."""
        return f"{self.original.sensor}{REPLAY_SUFFIX}"

    @property
    def facts(self) -> CaptureFacts:
        """What the store is told of the set."""
        span = self._span
        told = f"{time_text(span.begin)} to {time_text(span.end)}"
        lead = f", analysed from {time_text(span.start)}" if span.lead else ""
        return CaptureFacts(
            file_name=f"replay of session {self.original.session} of {self.original.sensor}, {told}{lead}",
            file_bytes=0,
            frames=self._frames,
            segments=self._segments,
            conversations=self.totals.conversations,
            first=int(self._first) if self._segments else 0,
            last=int(self._last),
            rules=self._rules,
        )

    def _keep_intervals(self, intervals: npt.NDArray[Any]) -> None:
        """Keep those of the range; the minute in which it begins counts whole."""
        first = self._span.begin // INTERVAL_NANOSECONDS * INTERVAL_NANOSECONDS
        kept = intervals[intervals["start"] >= first]
        if len(kept):
            self.spool.add_intervals(kept.copy())

    def _keep_verdicts(self) -> None:
        """Keep those on segments of the range, with their amendments."""
        judged = self._engine.judged.rows
        kept = judged[judged["time"] >= self._span.begin]
        if len(kept):
            self.spool.add_verdicts(kept.copy())

    def _mark_conversations(
        self, segments: SegmentColumns, findings: FindingColumns, inside: npt.NDArray[np.bool_]
    ) -> None:
        known = np.flatnonzero(findings.stream >= 0)
        streams = findings.stream[known]
        before, self._streams = self._streams, self._engine.conversations
        if self._streams > len(self._marks):
            self._marks = np.concatenate([self._marks, np.zeros(2 * self._streams - len(self._marks), np.uint8)])
        new = np.flatnonzero(streams >= before)
        numbers, firsts = np.unique(streams[new], return_index=True)
        rows = known[new[firsts]]
        # Later, what had been silent for so long would have been forgotten, too.
        begun = (segments.ts[rows] < self._span.start + self._timeouts.idle) | (self._timeouts.idle == 0)
        self._marks[numbers[((segments.flags[rows] & Flag.SYN) == 0) & begun]] |= _MID_STREAM
        in_range = streams[inside[known]]
        self._marks[in_range] |= _IN_RANGE
        self._mid_stream_segments += int(np.count_nonzero(self._marks[in_range] & _MID_STREAM))

    def _count(self, segments: SegmentColumns, inside: npt.NDArray[np.bool_]) -> None:
        frames, times = segments.frame[inside], segments.ts[inside]
        self._lead_segments += len(segments.ts) - len(times)
        if len(times):
            self._segments += len(times)
            self._frames += int(np.count_nonzero(np.diff(frames, prepend=self._last_frame)))
            self._last_frame = int(frames[-1])
            self._first, self._last = min(self._first, int(times.min())), max(self._last, int(times.max()))

    def _let_time_pass(self, now: int) -> None:
        """Give back the memory of conversations that are over, once a minute of the capture."""
        if now // INTERVAL_NANOSECONDS > self._advanced:
            self._advanced = now // INTERVAL_NANOSECONDS
            closed, _ = self._engine.advance(now)
            self._keep_intervals(closed)
