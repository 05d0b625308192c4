"""Sessions: each is stored once and completely, or not at all.

A session is claimed before its first row is written and listed in ``captures`` after its last. ClickHouse has neither
locks nor transactions over several tables, so a claim is a row inserted under a deduplication token that belongs to
the session and the claim's number: of all who try, one row gets in, and everybody reads whose.

Only the holder of a session's newest claim may write or delete its rows. A claim whose owner is gone is taken over by
a claim with the next number, whose holder deletes what is left in all tables and all view targets. The number is part
of the blocks' tokens: under the old ones the server would take the same rows for repetitions and drop them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, NamedTuple

from segwatch.errors import StoreError
from sinks.layout import read_layout
from sinks.ownership import is_alive, new_owner

LEASE_SECONDS = 900
"""A claim that was not renewed for so long, by an owner that cannot be seen from here, has no owner any more."""
RENEW_SECONDS = 60

SESSION_TABLES = (
    "captures", "anomalies", "intervals", "verdicts", "segments", "anomalies_1m", "flows", "traffic_1m", "hosts_1m",
    "sensors",
)  # fmt: skip
"""Every table, and every target of a view, that holds rows of sessions; the list of complete ones first."""

_ONCE = {"insert_deduplicate": 1}
_AT_ONCE = {"lightweight_deletes_sync": 2, "mutations_sync": 2}
_CLAIM = (
    "INSERT INTO session_claims (session, stored, generation, event, owner, at) "
    "SELECT toUUID(%(session)s), %(stored)s, %(generation)s, %(event)s, %(owner)s, now64(3)"
)
_READ_CLAIMS = """
SELECT
    session,
    generation,
    anyIf(owner, event = 'begun'),
    anyIf(stored, event = 'begun'),
    toUnixTimestamp64Milli(max(at)) / 1000 AS renewed,
    toBool(countIf(event = 'removed') > 0) AS removed,
    toBool((session, generation) IN (SELECT session, generation FROM captures)) AS finished
FROM session_claims {where}
GROUP BY session, generation
ORDER BY session, generation
"""


class SessionState(Enum):
    """What the store knows of a session."""

    ABSENT = "absent"
    STORING = "storing"
    """Another process is storing it now."""
    STORED = "stored"


@dataclass(frozen=True)
class Claim:
    """The right to store a session, and what its blocks' tokens are made of."""

    session: str
    generation: int
    owner: str
    stored: date

    def token(self, table: str, number: int) -> str:
        """Return the deduplication token of a block."""
        return f"{self.session}/{self.generation}/{table}/{number}"


class _KnownClaim(NamedTuple):
    session: str
    generation: int
    owner: str
    stored: date
    renewed: float
    removed: bool
    finished: bool

    @property
    def is_open(self) -> bool:
        return not self.removed and not self.finished

    @property
    def is_abandoned(self) -> bool:
        alive = is_alive(self.owner)
        if alive is None:
            return datetime.now(UTC).timestamp() - self.renewed > LEASE_SECONDS
        return not alive


def plain(session: str) -> str:
    """Return a session's name as 32 hexadecimal digits. Raises ``ValueError``."""
    digits = session.replace("-", "").lower()
    if len(digits) != 32 or set(digits) - set("0123456789abcdef"):
        raise ValueError(f"{session!r} is not a session: 32 hexadecimal digits")
    return digits


def session_state(client: Any, session: str) -> SessionState:
    """Return what the store knows of a session."""
    newest = _newest_claim(client, session)
    if newest is None or newest.removed:
        return SessionState.ABSENT
    if newest.finished:
        return SessionState.STORED
    return SessionState.ABSENT if newest.is_abandoned else SessionState.STORING


def claim_session(client: Any, session: str) -> Claim | None:
    """Claim a session that nobody holds and remove what an earlier attempt left; ``None`` if another was faster."""
    newest = _newest_claim(client, session)
    claim = _take(client, session, newest.generation + 1 if newest else 1)
    if claim is not None and newest is not None and newest.is_open:
        remove_rows(client, session)
    return claim


def renew_claim(client: Any, claim: Claim, number: int) -> bool:
    """Say that the owner of a claim is still at work; return False if it has lost the claim."""
    _write_event(client, claim, "renewed", claim.token("renewed", number))
    newest = _newest_claim(client, claim.session)
    return newest is not None and newest.generation == claim.generation


def clear_claim(client: Any, claim: Claim) -> None:
    """Remove all rows of the claimed session, and close the claim."""
    remove_rows(client, claim.session)
    close_claims(client, [claim])


def clear_abandoned(client: Any) -> int:
    """Remove what sessions left behind whose owners are gone; return how many these were."""
    cleared = 0
    for known in _newest_claims(client).values():
        if known.is_open and known.is_abandoned:
            claim = _take(client, known.session, known.generation + 1)
            if claim is not None:
                clear_claim(client, claim)
                cleared += 1
    return cleared


def remove_session(client: Any, session: str) -> bool:
    """Remove a session that nobody is storing, a sensor's too; return False if somebody is.

    Sinks claim nothing: what a sensor's session brings afterwards is stored.
    """
    newest = _newest_claim(client, session)
    if newest is not None and newest.is_open and not newest.is_abandoned:
        return False
    claim = _take(client, session, newest.generation + 1 if newest else 1)
    if claim is not None:
        clear_claim(client, claim)
    return claim is not None


def claim_sessions(client: Any, last: date) -> list[Claim]:
    """Claim all sessions that were stored until the day ``last``, for somebody who is to remove their rows.

    Raises ``StoreError`` if one of them is still being stored.
    """
    found = [known for known in _newest_claims(client).values() if known.stored <= last and not known.removed]
    for known in found:
        if known.is_open and not known.is_abandoned:
            raise StoreError(
                f"Another process has been at work on the session {known.session} since {known.stored}; wait until it "
                "is done, or prune only what is older."
            )
    claims = [_take(client, known.session, known.generation + 1) for known in found]
    return [claim for claim in claims if claim is not None]


def close_claims(client: Any, claims: Iterable[Claim]) -> None:
    """Say that the rows of claimed sessions were removed."""
    for claim in claims:
        _write_event(client, claim, "removed", claim.token("removed", 0))


def remove_rows(client: Any, session: str, tables: Iterable[str] = SESSION_TABLES) -> None:
    """Delete the rows of a session from all tables and view targets, or from ``tables``; wait until they are gone."""
    layout = read_layout(client)
    for table in tables:
        client.execute(
            f"DELETE FROM {layout.named(table)} WHERE session = toUUID(%(session)s)",  # noqa: S608 - names of our own
            {"session": session},
            settings=_AT_ONCE,
        )


def _take(client: Any, session: str, generation: int) -> Claim | None:
    """Try to become the holder of a claim; ``None`` if another process was faster."""
    claim = Claim(session, generation, str(new_owner()), datetime.now(UTC).date())
    _write_event(client, claim, "begun", f"claim/{session}/{generation}")
    newest = _newest_claim(client, session)
    return claim if newest is not None and newest.owner == claim.owner else None


def _newest_claim(client: Any, session: str) -> _KnownClaim | None:
    return _newest_claims(client, session).get(session)


def _newest_claims(client: Any, session: str | None = None) -> dict[str, _KnownClaim]:
    where = "" if session is None else "WHERE session = toUUID(%(session)s)"
    rows = client.execute(_READ_CLAIMS.format(where=where), {"session": session})
    claims = [_KnownClaim(plain(str(name)), *rest) for name, *rest in rows]
    return {claim.session: claim for claim in claims}  # they come in ascending order: the last one stays


def _write_event(client: Any, claim: Claim, event: str, token: str) -> None:
    values = {
        "session": claim.session, "stored": claim.stored, "generation": claim.generation, "event": event,
        "owner": claim.owner,
    }  # fmt: skip
    client.execute(_CLAIM, values, settings=_ONCE | {"insert_deduplication_token": token})
