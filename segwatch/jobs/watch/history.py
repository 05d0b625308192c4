"""Live sessions into the store while they go on, as a sink stores what sensors publish; the analysis never waits."""

import socket
import threading
import time
import uuid
from collections import deque
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from ingest.capture.counts import CaptureCounts
from ingest.capture.live.intake import Opened
from segwatch import __version__
from segwatch.errors import StoreError, StoreUnavailableError
from segwatch.jobs.pipeline import AnalysedBatch
from segwatch.memory import joined_columns
from segwatch.messages.status import SensorStatus
from segwatch.records.findings import FindingColumns, take_findings
from segwatch.records.segments import SegmentColumns, take_segments
from sinks.store import Store, open_store
from sinks.writer import BLOCK_ROWS, Origin, Writer

MOST_ROWS: Final = 1 << 19
"""Rows that wait for the store; when there are more, those that come are lost, and counted."""
STATUS_SECONDS: Final = 5.0
_GATHER_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 20.0
"""How long the store is tried at the end."""
_COLUMNS_OF_SEGMENTS: Final = len(SegmentColumns._fields)
_STATUSES, _INTERVALS, _ANOMALIES, _VERDICTS = "statuses", "intervals", "anomalies", "verdicts"


class _Rows(NamedTuple):
    """Rows of one table and session."""

    table: str
    session: str
    columns: tuple[npt.NDArray[Any], ...]

    @property
    def size(self) -> int:
        return len(self.columns[0])


class History:
    """A thread that stores rows; leaving the context waits until it has stored them all, or given up."""

    def __init__(self, store: Store, sensor: str) -> None:
        self.lost = 0
        """Rows that were lost, as the store did not take them in time."""
        self.stored = 0
        """Rows that were stored."""
        self.problem = ""
        """What the store said last; empty if all is well."""
        self.sensor = sensor
        self.servers = [] if store.address.is_local else [(store.address.host, store.address.port)]
        """What must not be captured: every row stored would make more of them."""
        self._store = store
        self._writer = Writer(store.client, store.address, attempts=1)
        self._waiting: deque[_Rows] = deque()
        self._rows = 0
        self._blocks = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._deadline = float("inf")
        self._thread = threading.Thread(target=self._run, name="segwatch-history", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deadline = time.monotonic() + _PATIENCE_SECONDS
        self._stop.set()
        self._thread.join()
        self._store.__exit__(kind, error, trace)

    def sessions(self, opened: Opened) -> tuple["SessionHistory"]:
        """Return what follows a session into the history."""
        return (SessionHistory(self, opened),)

    def outcome(self) -> str:
        """Say what became of it, at the end."""
        lost = f", {self.lost:,} were lost: {self.problem or 'the store was too slow.'}" if self.lost else "."
        return f"{self.stored:,} rows stored in {self._store.address} as sensor {self.sensor}{lost}"

    def put(self, table: str, session: str, columns: tuple[npt.NDArray[Any], ...]) -> None:
        """Take rows to be stored; they are lost where too many wait already."""
        rows = _Rows(table, session, columns)
        with self._lock:
            if self._rows + rows.size > MOST_ROWS:
                self.lost += rows.size
                return
            self._waiting.append(rows)
            self._rows += rows.size

    def _run(self) -> None:
        done = False
        while not done:
            # What was put before the end was asked for is taken in this round.
            done = self._stop.wait(_GATHER_SECONDS)
            with self._lock:
                taken = list(self._waiting)
                self._waiting.clear()
            for rows in _blocks(taken):
                self._write(rows)
                with self._lock:
                    self._rows -= rows.size

    def _write(self, rows: _Rows) -> None:
        """Store a block, as often as it takes."""
        self._blocks += 1
        origin = Origin(self.sensor, rows.session, datetime.now(UTC).date())
        token = f"{rows.session}/watch/{self._blocks}"
        while True:
            try:
                self._insert(rows, origin, token)
            except StoreUnavailableError as error:
                self.problem = str(error)
                if time.monotonic() < self._deadline:
                    # The event is set at the end: then the tries come as fast, but there is a last one.
                    time.sleep(_GATHER_SECONDS)
                    continue
            except StoreError as error:
                self.problem = str(error)
            else:
                self.problem = ""
                self.stored += rows.size
                return
            self.lost += rows.size
            return

    def _insert(self, rows: _Rows, origin: Origin, token: str) -> None:
        if rows.table == _STATUSES:
            self._writer.write_statuses(list(rows.columns[0]), origin, token)
        elif rows.table == _INTERVALS:
            self._writer.write_intervals(rows.columns[0], origin, token)
        elif rows.table == _VERDICTS:
            self._writer.write_verdicts(rows.columns[0], origin, token)
        else:
            segments = SegmentColumns(*rows.columns[:_COLUMNS_OF_SEGMENTS])
            findings = FindingColumns(*rows.columns[_COLUMNS_OF_SEGMENTS:])
            self._writer.write_anomalies(segments, findings, origin, token)


def open_history(url: str, sensor: str) -> History:
    """Open the store for the sessions of a sensor. Raises StoreError or UsageError."""
    return History(open_store(url), sensor)


class SessionHistory:
    """Follows one session into the history."""

    def __init__(self, history: History, opened: Opened) -> None:
        self._history = history
        self._opened = opened
        self._session = uuid.uuid4().hex
        self._segments = 0
        self._told = float("-inf")
        self.report("starting", CaptureCounts())

    def add_batch(self, batch: AnalysedBatch) -> None:
        """Keep segments with a label or a RST, verdicts, and closed intervals."""
        segments, findings, closed, judged = batch
        self._segments += len(segments.ts)
        rows = np.flatnonzero((findings.labels != 0) | (findings.reset != 0))
        if len(rows):
            columns = (*take_segments(segments, rows), *take_findings(findings, rows))
            self._history.put(_ANOMALIES, self._session, columns)
        if len(judged):
            self._history.put(_VERDICTS, self._session, (judged.copy(),))
        self.add_intervals(closed)

    def add_intervals(self, intervals: npt.NDArray[Any]) -> None:
        """Keep a copy of interval records."""
        if len(intervals):
            self._history.put(_INTERVALS, self._session, (intervals.copy(),))

    def count(self, counts: CaptureCounts) -> None:
        """Take the session's counters; they are kept every few seconds."""
        if time.monotonic() - self._told >= STATUS_SECONDS:
            self.report("running", counts)

    def end(self, counts: CaptureCounts, problem: str) -> None:
        """Keep the last counters of the session."""
        self.report("failed" if problem else "stopping", counts, problem)

    def report(self, state: str, counts: CaptureCounts, problem: str = "") -> None:
        """Keep a state of the session; ``state`` is one of ``messages.status.STATES``."""
        self._told = time.monotonic()
        opened = self._opened
        cell = np.empty(1, object)
        cell[0] = SensorStatus(
            sensor=self._history.sensor,
            session=self._session,
            ts=time.time_ns(),
            host=socket.gethostname(),
            interface=opened.interface,
            capture_filter=opened.capture_filter,
            snaplen=opened.snaplen,
            version=__version__,
            state=state,
            problem=problem,
            segments=self._segments,
            published_segments=0,
            dropped_segments=0,
            queued_batches=0,
            spooled_batches=0,
            spooled_bytes=0,
            **counts._asdict(),
        )
        self._history.put(_STATUSES, self._session, (cell,))


def _blocks(taken: list[_Rows]) -> list[_Rows]:
    """Return the rows in as few blocks as they make, in their order within each table and session."""
    groups: dict[tuple[str, str], list[_Rows]] = {}
    for rows in taken:
        groups.setdefault((rows.table, rows.session), []).append(rows)
    blocks: list[_Rows] = []
    for (table, session), parts in groups.items():
        columns = joined_columns([part.columns for part in parts])
        blocks += (
            _Rows(table, session, tuple(one[first : first + BLOCK_ROWS] for one in columns))
            for first in range(0, len(columns[0]), BLOCK_ROWS)
        )
    return blocks
