"""How long rows are kept: the days of the settings reach the tables, and history is not written anew for it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from segwatch.errors import UsageError
from segwatch.settings import settings
from sinks.layout import ONE_SERVER
from sinks.retention import MOST_DAYS, SETTING_OF, Change, keep_as_set, times_to_live, wanted_days
from sinks.schema import migrate
from sinks.sessions import SESSION_TABLES
from sinks.sizes import today
from sinks.store import Store
from sinks.writer import Origin, Writer
from tests.sinks.rows import some_findings, some_intervals, some_segments, some_verdicts

SESSION = "00ff" * 8
PATIENCE_SECONDS = 60
ROLLUPS = ("anomalies_1m", "flows", "traffic_1m", "hosts_1m")
Keep = Callable[..., None]


@pytest.fixture
def keep(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keep]:
    """Give a function that sets days: ``keep(anomalies=30)``."""

    def set_days(**days: int) -> None:
        for name, number in days.items():
            monkeypatch.setenv(f"SEGWATCH_KEEP_{name.upper()}_DAYS", str(number))
        settings.cache_clear()

    monkeypatch.setenv("SEGWATCH_CONFIG", "/dev/null")
    yield set_days
    settings.cache_clear()


def _days(store: Store) -> dict[str, int | None]:
    return {table: ttl.days for table, ttl in times_to_live(store.client, ONE_SERVER).items()}


def _fill(store: Store, day: date) -> None:
    writer = Writer(store.client, store.address)
    origin = Origin("edge", SESSION, day)
    writer.write_anomalies(some_segments(50), some_findings(50), origin, f"anomalies {day}")
    writer.write_intervals(some_intervals(40), origin, f"intervals {day}")
    writer.write_verdicts(some_verdicts(20), origin, f"verdicts {day}")
    writer.write_segments(some_segments(30), origin, f"segments {day}")


def _counts(store: Store) -> dict[str, int]:
    return {
        table: store.client.execute(f"SELECT count() FROM {table}")[0][0] for table in SETTING_OF if table != "sensors"
    }


def _mutate(store: Store) -> None:
    """Wait until all changes have reached the parts."""
    unfinished = "SELECT count() FROM system.mutations WHERE database = currentDatabase() AND NOT is_done"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while store.client.execute(unfinished) != [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _parts(store: Store, table: str) -> list[tuple[Any, ...]]:
    query = (
        "SELECT path, toDate(delete_ttl_info_max) FROM system.parts "
        "WHERE active AND database = currentDatabase() AND table = %(table)s"
    )
    found: list[tuple[Any, ...]] = store.client.execute(query, {"table": table})
    return found


def test_all_rows_of_sessions_have_a_time_to_live() -> None:
    assert set(SETTING_OF) == set(SESSION_TABLES) - {"captures"}


def test_a_new_store_keeps_rows_as_long_as_the_settings_say(keep: Keep, store: Store) -> None:
    assert _days(store) == wanted_days()
    assert keep_as_set(store.client) == []


def test_rollups_outlive_details(keep: Keep, store: Store) -> None:
    _fill(store, today() - timedelta(100))
    for table in SETTING_OF:
        store.client.execute(f"OPTIMIZE TABLE {table} FINAL")
    gone = {"anomalies": 0, "intervals": 0, "verdicts": 0, "segments": 0}
    after = _counts(store)
    assert {table: after[table] for table in gone} == gone
    assert min(after[table] for table in ROLLUPS) > 0


def test_other_days_reach_the_local_store_at_its_next_use(keep: Keep, store: Store) -> None:
    keep(anomalies=30, rollups=0)
    migrate(store.client, store.address)
    expected = wanted_days()
    assert (expected["anomalies"], expected["flows"], expected["intervals"]) == (30, 0, 90)
    assert _days(store) == expected
    keep(rollups=500)
    assert keep_as_set(store.client) == [Change(table, 0, 500) for table in ROLLUPS]
    assert keep_as_set(store.client) == []


def test_other_days_do_not_reach_the_stores_of_others(keep: Keep, store: Store) -> None:
    """Whoever analyses a capture into a shared store has not been asked how long it keeps rows."""
    keep(anomalies=1)
    shared = replace(store.address, is_local=False)
    before = _days(store)
    Store(shared).__exit__(None, None, None)
    assert _days(store) == before
    assert [change.table for change in keep_as_set(store.client)] == ["anomalies"]


@pytest.mark.parametrize("days", [20, 300])
def test_other_days_do_not_write_history_anew(keep: Keep, store: Store, days: int) -> None:
    """Parts learn when they end; the files of their columns stay what they were, linked from the new parts."""
    store.client.execute("ALTER TABLE intervals MODIFY SETTING min_bytes_for_wide_part = 0")
    stored = today() - timedelta(10)
    _fill(store, stored)
    ((old, ends),) = _parts(store, "intervals")
    assert ends == stored + timedelta(90)
    columns = {name: Path(old, name).stat().st_ino for name in ("client.bin", "stored.bin", "last.bin")}
    keep(intervals=days)
    migrate(store.client, store.address)
    _mutate(store)
    ((new, ends),) = _parts(store, "intervals")
    assert ends == stored + timedelta(days)
    assert new != old
    assert {name: Path(new, name).stat().st_ino for name in columns} == columns


def test_fewer_days_free_what_is_over(keep: Keep, store: Store) -> None:
    for age in (40, 5):
        _fill(store, today() - timedelta(age))
    keep(anomalies=30)
    migrate(store.client, store.address)
    _mutate(store)
    store.client.execute("OPTIMIZE TABLE anomalies FINAL")
    assert store.client.execute("SELECT DISTINCT stored FROM anomalies") == [(today() - timedelta(5),)]


def test_more_days_keep_what_would_have_gone(keep: Keep, store: Store) -> None:
    keep(anomalies=120)
    migrate(store.client, store.address)
    _fill(store, today() - timedelta(100))
    keep(anomalies=200)
    migrate(store.client, store.address)
    _mutate(store)
    assert [ends for _, ends in _parts(store, "anomalies")] == [today() + timedelta(100)]


def test_a_rule_of_somebodys_own_is_left_alone(keep: Keep, store: Store) -> None:
    own = "stored + toIntervalDay(20), stored + toIntervalDay(5) RECOMPRESS CODEC(ZSTD(9))"
    store.client.execute(f"ALTER TABLE segments MODIFY TTL {own}")
    assert keep_as_set(store.client) == []
    assert _days(store)["segments"] is None


def test_days_beyond_the_calendar_are_refused(keep: Keep) -> None:
    keep(sensors=MOST_DAYS)
    assert wanted_days()["sensors"] == MOST_DAYS
    keep(sensors=MOST_DAYS + 1)
    with pytest.raises(UsageError, match=r"keep_sensors_days is 36501: at most 36500 days, or 0 for ever"):
        wanted_days()
