"""Which rows of the store a question is about, as the condition of its SQL."""

from datetime import UTC, datetime
from typing import Final, NamedTuple, Self
from uuid import UUID

from segwatch.records.intervals import INTERVAL_NANOSECONDS
from segwatch.times import NANOSECONDS, time_text

REPLAY_SUFFIX: Final = " (replay)"
"""End of the name of a sensor whose sessions are replays of another's."""
_LAST_SECOND: Final = 2**32 - 1
"""Of a ClickHouse ``DateTime``."""
# What another process is storing at this moment, or has given up, does not stand in captures yet.
_COMPLETE: Final = (
    "session NOT IN (SELECT session FROM session_claims WHERE session NOT IN (SELECT session FROM captures))"
)


class Scope(NamedTuple):
    """A range of whole minutes, as counters are kept by the minute, a sensor, a session, a conversation of it.

    What is None is not asked for.
    """

    begin: int | None = None
    """Nanoseconds since the epoch."""
    end: int | None = None
    """The first time that does not belong to it."""
    sensor: str | None = None
    session: str | None = None
    """32 hexadecimal digits."""
    stream: int | None = None

    @classmethod
    def of_range(cls, begin: int, end: int, sensor: str | None = None, session: str | None = None) -> Self:
        """Return the minutes that a range of times (nanoseconds since the epoch) touches."""
        first, last = begin // INTERVAL_NANOSECONDS, -(-end // INTERVAL_NANOSECONDS)
        return cls(first * INTERVAL_NANOSECONDS, last * INTERVAL_NANOSECONDS, sensor, session)

    @property
    def condition(self) -> str:
        """What holds for its rows of any table with ``time``, ``sensor`` and ``session``.

        Unless it names a session or a sensor, replays do not belong to it: they would count traffic twice.
        """
        parts = []
        if self.begin is not None:
            parts.append(f"time >= {time_literal(self.begin)}")
        if self.end is not None and self.end // NANOSECONDS <= _LAST_SECOND:
            parts.append(f"time < {time_literal(self.end)}")
        if self.sensor is not None:
            parts.append(f"sensor = {text_literal(self.sensor)}")
        if self.session is not None:
            parts.append(f"session = '{UUID(hex=self.session)}'")
        else:
            parts += [] if self.sensor is not None else [f"NOT endsWith(sensor, {text_literal(REPLAY_SUFFIX)})"]
            parts.append(_COMPLETE)
        if self.stream is not None:
            parts.append(f"stream = {self.stream}")
        return " AND ".join(parts)

    @property
    def sessions_condition(self) -> str:
        """What holds for its rows of ``captures``."""
        if self.session is not None:
            return f"session = '{UUID(hex=self.session)}'"
        return f"session IN (SELECT session FROM intervals WHERE {self.condition})"  # noqa: S608  # literals are quoted

    @property
    def text(self) -> str:
        """The scope for people, as the end of a sentence."""
        parts = [f"of sensor {self.sensor}"] if self.sensor is not None else []
        if self.session is not None:
            parts.append(f"of session {self.session}")
        if self.begin is not None and self.end is not None:
            parts.append(f"from {time_text(self.begin)} to {time_text(self.end)}")
        return " ".join(parts)


def time_literal(nanoseconds: int) -> str:
    """Return a time since the epoch as SQL, in whole seconds."""
    seconds = min(max(nanoseconds // NANOSECONDS, 0), _LAST_SECOND)
    return f"toDateTime('{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}', 'UTC')"


def text_literal(text: str) -> str:
    """Return a text as SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
