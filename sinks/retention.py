"""How long rows are kept: the days of the settings, as the times to live of the tables.

A table's time to live counts from the day of storing, which is its partition. So what is over is dropped as whole
parts, and another number of days changes what each part knows of its end, not the part's rows: ClickHouse reads one
column and links the files of all others (``materialize_ttl_recalculate_only``).
"""

import re
from typing import Any, Final, NamedTuple

from segwatch.errors import UsageError
from segwatch.settings import settings
from sinks.layout import Layout, read_layout

SETTING_OF: Final = {
    "anomalies": "keep_anomalies_days",
    "anomalies_1m": "keep_rollups_days",
    "verdicts": "keep_verdicts_days",
    "intervals": "keep_intervals_days",
    "flows": "keep_rollups_days",
    "traffic_1m": "keep_rollups_days",
    "hosts_1m": "keep_rollups_days",
    "segments": "keep_segments_days",
    "sensors": "keep_sensors_days",
}
"""Tables that have a time to live, and the setting that says how long it is."""
MOST_DAYS: Final = 36_500
"""A sum of days that a ``Date`` cannot hold, beyond the year 2149, would be one of long ago."""

_TTL = re.compile(r" TTL (.+?)(?= SETTINGS |$)")
_DAYS = re.compile(r"stored \+ toIntervalDay\((\d+)\)")


class TimeToLive(NamedTuple):
    """The time to live of a table as the server has it."""

    expression: str
    """Empty: rows stay for ever."""

    @property
    def days(self) -> int | None:
        """Days from the day of storing, 0 for ever; ``None`` where somebody has given the table another rule."""
        if not self.expression:
            return 0
        match = _DAYS.fullmatch(self.expression)
        return int(match[1]) if match else None


class Change(NamedTuple):
    """A table whose days are not those of the settings."""

    table: str
    before: int
    after: int


def wanted_days() -> dict[str, int]:
    """Return the days of each table as the settings say, 0 for ever. Raises ``UsageError``."""
    chosen = settings()
    wanted = {table: int(getattr(chosen, name)) for table, name in SETTING_OF.items()}
    for table, days in wanted.items():
        if days > MOST_DAYS:
            raise UsageError(f"the setting {SETTING_OF[table]} is {days}: at most {MOST_DAYS} days, or 0 for ever.")
    return wanted


def times_to_live(client: Any, layout: Layout) -> dict[str, TimeToLive]:
    """Return the times to live of those tables of ``SETTING_OF`` that are there."""
    tables = {layout.rows(table): table for table in SETTING_OF}
    rows = client.execute(
        "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase() AND name IN %(names)s",
        {"names": tuple(tables)},
    )
    matches = {tables[name]: _TTL.search(engine) for name, engine in rows}
    return {table: TimeToLive(match[1] if match else "") for table, match in matches.items()}


def keep_as_set(client: Any, known: Layout | None = None) -> list[Change]:
    """Give each table the days of the settings, where it has others; return what was changed.

    Tables with a rule of somebody's own, such as one that moves old parts to another disk, are left alone. ``known`` is
    the layout where it need not be asked for. Raises ``UsageError`` for a number of days that is too large.
    """
    wanted = wanted_days()
    layout = known or read_layout(client)
    found = {table: ttl.days for table, ttl in times_to_live(client, layout).items()}
    changes = [
        Change(table, days, wanted[table])
        for table in wanted
        if (days := found.get(table)) is not None and days != wanted[table]
    ]
    for change in changes:
        for statement in ttl_statements(layout.named(change.table), change.after):
            client.execute(statement)
    return changes


def ttl_statements(table: str, days: int) -> list[str]:
    """Return the statements that give a table, named as ``Layout.named`` does, its days."""
    if days == 0:
        return [f"ALTER TABLE {table} REMOVE TTL"]
    return [
        f"ALTER TABLE {table} MODIFY SETTING materialize_ttl_recalculate_only = 1",
        f"ALTER TABLE {table} MODIFY TTL stored + toIntervalDay({days})",
    ]
