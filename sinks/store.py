"""The store: a migrated database, on this machine or elsewhere, into which sessions go as a whole."""

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from segwatch import __version__
from segwatch.errors import StoreError
from segwatch.records.findings import FindingColumns
from segwatch.records.segments import SegmentColumns
from sinks.connection import ServerAddress, as_store_errors, connect, parse_store_url
from sinks.local_server import LocalServer
from sinks.schema import migrate
from sinks.sessions import (
    RENEW_SECONDS,
    Claim,
    SessionState,
    claim_session,
    clear_abandoned,
    clear_claim,
    plain,
    remove_session,
    renew_claim,
    session_state,
)
from sinks.spool import FindingSpool
from sinks.writer import Origin, Writer

LOCAL = "local"

_SENSOR = "SELECT sensor FROM captures WHERE session = toUUID(%(session)s) ORDER BY stored_at DESC LIMIT 1"
_FINISH = """
INSERT INTO captures (
    session, sensor, stored, generation, file_name, file_bytes, frames, segments, conversations, anomalies, intervals,
    verdicts, stored_segments, first, last, state, problem, rules, version, stored_at
)
SELECT
    toUUID(%(session)s), %(sensor)s, %(stored)s, %(generation)s, %(file_name)s, %(file_bytes)s, %(frames)s,
    %(segments)s, %(conversations)s, %(anomalies)s, %(intervals)s, %(verdicts)s, %(stored_segments)s,
    fromUnixTimestamp64Nano(toInt64(%(first)s), 'UTC'), fromUnixTimestamp64Nano(toInt64(%(last)s), 'UTC'), %(state)s,
    %(problem)s, %(rules)s, %(version)s, now64(3)
"""


@dataclass(frozen=True)
class CaptureFacts:
    """What is said of a capture beside its findings."""

    file_name: str
    file_bytes: int
    frames: int
    segments: int
    conversations: int
    first: int
    """Time of the first frame, nanoseconds since the epoch; 0 if there is none."""
    last: int
    problem: str = ""
    """Why the file could be read only in part, in words; empty if all was read."""
    rules: str = "wireshark-4.0"


class _OpenSession:
    """A session while it is being stored."""

    def __init__(self, claim: Claim, sensor: str) -> None:
        self.claim = claim
        self.origin = Origin(sensor, claim.session, claim.stored)
        self.blocks = {"anomalies": 0, "intervals": 0, "verdicts": 0, "segments": 0}
        self.rows = dict.fromkeys(self.blocks, 0)
        self.renewed_at = time.monotonic()
        self.renewals = 0

    def next_token(self, table: str, rows: int) -> str:
        """Count a block and return its token."""
        token = self.claim.token(table, self.blocks[table])
        self.blocks[table] += 1
        self.rows[table] += rows
        return token


class Store:
    """One session at a time: ``begin``, ``add_...``, then ``finish`` or ``abandon``. Errors are ``StoreError``.

    Leaving the context with a session open abandons it.
    """

    def __init__(self, address: ServerAddress) -> None:
        self.address = address
        self.client: Any = connect(address)
        try:
            migrate(self.client, address)
            with as_store_errors(address):
                clear_abandoned(self.client)
        except BaseException:
            self.client.disconnect()
            raise
        self._writer = Writer(self.client, address)
        self._session: _OpenSession | None = None

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Abandon an unfinished session and close the connection."""
        try:
            self.abandon()
        except StoreError:
            if error is None:
                raise  # else the first error is the one to tell; the next start clears up
        finally:
            self.client.disconnect()

    def session_state(self, session: str) -> SessionState:
        """Return whether a session (32 hexadecimal digits) is absent, being stored by another process, or stored."""
        with as_store_errors(self.address):
            return session_state(self.client, plain(session))

    def stored_sensor(self, session: str) -> str:
        """Return the sensor under whose name a session (32 hexadecimal digits) that is stored stands."""
        with as_store_errors(self.address):
            rows = self.client.execute(_SENSOR, {"session": plain(session)})
        return str(rows[0][0])

    def begin(self, session: str, sensor: str) -> None:
        """Claim a session (32 hexadecimal digits) that is absent. Raises ``StoreError`` if it is not."""
        if self._session is not None:
            raise ValueError("another session is open")
        session = plain(session)
        with as_store_errors(self.address):
            state = session_state(self.client, session)
            if state is SessionState.STORED:
                raise StoreError(f"The session {session} is in the store {self.address} already.")
            claim = None
            if state is SessionState.ABSENT:
                claim = claim_session(self.client, session)
            if claim is None:
                raise StoreError(
                    f"Another process is putting the session {session} into the store {self.address} at this moment; "
                    "wait until it is done."
                )
        self._session = _OpenSession(claim, sensor)

    def add_anomalies(self, segments: SegmentColumns, findings: FindingColumns) -> None:
        """Store one block of segments and their findings."""
        rows = len(segments.ts)
        open_session = self._at_work()
        token = open_session.next_token("anomalies", rows)
        self._writer.write_anomalies(segments, findings, open_session.origin, token)

    def add_intervals(self, intervals: npt.NDArray[np.void]) -> None:
        """Store one block of (N,) records of type ``INTERVAL``."""
        open_session = self._at_work()
        token = open_session.next_token("intervals", len(intervals))
        self._writer.write_intervals(intervals, open_session.origin, token)

    def add_verdicts(self, verdicts: npt.NDArray[Any]) -> None:
        """Store one block of (N,) records of type ``VERDICT``."""
        open_session = self._at_work()
        token = open_session.next_token("verdicts", len(verdicts))
        self._writer.write_verdicts(verdicts, open_session.origin, token)

    def add_segments(self, segments: SegmentColumns) -> None:
        """Store one block of segment records."""
        open_session = self._at_work()
        token = open_session.next_token("segments", len(segments.ts))
        self._writer.write_segments(segments, open_session.origin, token)

    def finish(self, facts: CaptureFacts) -> None:
        """List the open session as completely stored."""
        done = self._at_work()
        values: dict[str, Any] = {
            **vars(facts),
            "session": done.claim.session,
            "sensor": done.origin.sensor,
            "stored": done.claim.stored,
            "generation": done.claim.generation,
            "anomalies": done.rows["anomalies"],
            "intervals": done.rows["intervals"],
            "verdicts": done.rows["verdicts"],
            "stored_segments": done.rows["segments"],
            "file_name": facts.file_name.encode("utf-8", "backslashreplace").decode(),
            "state": "partial" if facts.problem else "complete",
            "version": __version__,
        }
        settings = {"insert_deduplicate": 1, "insert_deduplication_token": done.claim.token("captures", 0)}
        with as_store_errors(self.address):
            self.client.execute(_FINISH, values, settings=settings)
        self._session = None

    def abandon(self) -> None:
        """Remove all rows of the open session, if there is one."""
        if self._session is None:
            return
        claim, self._session = self._session.claim, None
        self.client.disconnect()  # what interrupted the session may have left half a block on the connection
        with as_store_errors(self.address):
            clear_claim(self.client, claim)

    def remove(self, session: str) -> None:
        """Remove a stored session (32 hexadecimal digits), so that it can be stored again."""
        with as_store_errors(self.address):
            if not remove_session(self.client, plain(session)):
                raise StoreError(f"Another process is at work on the session {session}; wait until it is done.")

    def store_session(self, session: str, sensor: str, spool: FindingSpool, facts: CaptureFacts) -> None:
        """Store everything that a spool holds as one session; after an error nothing of it is left."""
        self.begin(session, sensor)
        try:
            for segments, findings in spool.anomaly_blocks():
                self.add_anomalies(segments, findings)
            for intervals in spool.interval_blocks():
                self.add_intervals(intervals)
            for verdicts in spool.verdict_blocks():
                self.add_verdicts(verdicts)
            for segments in spool.segment_blocks():
                self.add_segments(segments)
            self.finish(facts)
        except BaseException as error:
            try:
                self.abandon()
            except StoreError as failure:
                # The first error is the one to tell: the next start clears up.
                error.add_note(str(failure))
            raise

    def _at_work(self) -> _OpenSession:
        """Return the open session; renew its claim now and then."""
        if self._session is None:
            raise ValueError("no session is open")
        now = time.monotonic()
        if now - self._session.renewed_at > RENEW_SECONDS:
            self._session.renewed_at = now
            self._session.renewals += 1
            with as_store_errors(self.address):
                if not renew_claim(self.client, self._session.claim, self._session.renewals):
                    claim, self._session = self._session.claim, None
                    raise StoreError(
                        f"Another process has taken over the session {claim.session} in the store {self.address}, "
                        "because this one was silent for too long; run the command again."
                    )
        return self._session


def store_address(url: str | None) -> ServerAddress:
    """Return where a store is; the local server (``None`` or ``local``) is started if it does not run."""
    if url is None or url == LOCAL:
        return LocalServer().wait_ready()
    return parse_store_url(url)


def open_store(url: str | None = None, local: LocalServer | None = None) -> Store:
    """Open the store at ``url``: the local one for ``None`` or ``local``, else ``clickhouse://user@host:port/database``.

    ``local`` is a local server that was told to start before. Raises ``StoreError`` or ``UsageError``.
    """
    if local is not None and (url is None or url == LOCAL):
        return Store(local.wait_ready())
    return Store(store_address(url))


__all__ = ["LOCAL", "CaptureFacts", "SessionState", "Store", "open_store", "store_address"]
