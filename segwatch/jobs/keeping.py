"""Keeping what an analysis finds: in memory while a capture is read, in the store at its end."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from segwatch.jobs.content import Content
from segwatch.jobs.pipeline import AnalysedBatch
from segwatch.memory import copied
from segwatch.records.findings import take_findings
from segwatch.records.segments import take_segments
from segwatch.settings import settings
from sinks.connection import parse_store_url
from sinks.local_server import LocalServer
from sinks.spool import FindingSpool
from sinks.store import LOCAL, CaptureFacts, SessionState, Store, open_store


class Keeper:
    """Spools the findings of a capture and stores them at its end, as the digest of its content is its name.

    A local server starts at once, while the capture is read.
    """

    def __init__(self, url: str, sensor: str, *, with_segments: bool) -> None:
        self._url = url
        self._sensor = sensor
        if url != LOCAL:
            parse_store_url(url)  # a URL that is not understood is said before the work, not after it
        self._with_segments = with_segments
        self._local: LocalServer | None = None
        self._store: Store | None = None
        self._spool = FindingSpool()
        if url == LOCAL:
            self._local = LocalServer(settings().data_dir.absolute())
            self._local.start_async()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Forget what was not stored, and close the connection."""
        self._spool.close()
        if self._store is not None:
            self._store.__exit__(None, None, None)

    def begin(self) -> None:
        """Start with a capture; what was kept of an unfinished one is forgotten."""
        self._spool.close()
        self._spool = FindingSpool()

    def add_batch(self, batch: AnalysedBatch) -> None:
        """Keep segments with a label or a RST, verdicts, closed intervals and, if wanted, all segment records."""
        segments, findings, closed, judged = batch
        rows = np.flatnonzero((findings.labels != 0) | (findings.reset != 0))
        if len(rows):
            self._spool.add_anomalies(take_segments(segments, rows), take_findings(findings, rows))
        if len(judged):
            self._spool.add_verdicts(copied(judged))
        if self._with_segments:
            self._spool.add_segments(segments)
        self.add_intervals(closed)

    def add_intervals(self, intervals: npt.NDArray[Any]) -> None:
        """Keep a copy of interval records."""
        if len(intervals):
            self._spool.add_intervals(copied(intervals))

    def store(self, content: Content, segments: int, conversations: int, rules: str) -> str:
        """Store the capture, unless the store has it already; return in words what became of it."""
        if content.digest is None:
            raise ValueError("a capture is stored under its digest, and none was computed")
        if self._store is None:
            self._store = open_store(self._url, self._local)
        address = self._store.address
        if self._store.session_state(content.digest) is SessionState.STORED:
            sensor = self._store.stored_sensor(content.digest)
            return f"The store {address} has this capture already, as one of the sensor {sensor}."
        facts = CaptureFacts(
            file_name=content.name,
            file_bytes=content.bytes,
            frames=content.frames,
            segments=segments,
            conversations=conversations,
            first=content.first,
            last=content.last,
            problem=content.damage or "",
            rules=rules,
        )
        self._store.store_session(content.digest, self._sensor, self._spool, facts)
        spool = self._spool
        kept = f"{spool.anomalies:,} findings, {spool.verdicts:,} verdicts and {spool.intervals:,} intervals"
        return f"Stored {kept} {_at(str(address))}."


def _at(address: str) -> str:
    return address if address.startswith("on ") else f"in {address}"
