"""A long history in the store: how fast the questions of docs/sql.md and the views are answered, and what it weighs.

The history is made inside of the server, a piece of a day at a time, in the order of time, as a sink would insert it.
"""

import shutil
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sinks.local_server import LocalServer
from sinks.migration_files import created_objects
from sinks.store import Store
from tests.bench.captures import Captures
from tests.bench.measure import ProgramFailedError
from tests.bench.tables import MILLION, Row, Table
from tests.cookbook import questions

DAYS: Final = 30
SECONDS_BAR: Final = 1.0
RANGES: Final = {"a day": 1, "a week": 7}
_BYTES_A_ROW: Final = 250
"""Room on the disk for an anomaly and all that comes with it, merges included."""
_ANOMALIES_A_CONVERSATION: Final = 3.9
_PIECES: Final = 4
"""Inserts for a day and table."""
_SQL: Final = Path(__file__).with_name("history_sql")
_HEARTBEAT_SECONDS: Final = 10


def history(captures: Captures, rounds: int, _peers: Sequence[str]) -> list[Table]:
    """Fill a store; measure every question and every view over each of ``RANGES``, and the bytes on the disk."""
    anomalies = captures.history
    if shutil.disk_usage(captures.folder).free < anomalies * _BYTES_A_ROW:
        raise ProgramFailedError(f"{captures.folder} has no room for {anomalies:,} anomalies; --history makes it less")
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with _server(captures.folder / "history") as store:
        seconds = _fill(store.client, anomalies, end)
        _settle(store.client)
        rows = _rows(store.client)
        note = (
            f"{rows['anomalies']:,} anomalies and {rows['intervals']:,} flow-minutes of {rows['flows']:,} conversations in "
            f"{DAYS} days, made inside of the server in {seconds:,.0f} s, the rollups by their views; all of it on this machine."
        )
        asked = [
            (f"{one.number}. {one.words}", {name: one.until(f"{end:%F %T}", days) for name, days in RANGES.items()})
            for one in questions()
        ]
        tables = [_answers(store.client, "History, the questions of docs/sql.md", asked, rounds, note)]
        views = [name for name, kind in created_objects().items() if kind == "VIEW"]
        shown = [(f"`{view}`", {name: _last_rows(view, end, days) for name, days in RANGES.items()}) for view in views]
        tables.append(_answers(store.client, "History, the last hundred rows of each view", shown, rounds, note))
        return [*tables, _weight(store.client, rows)]


@contextmanager
def _server(folder: Path) -> Iterator[Store]:
    """Give an empty store of a server of its own; take it all away in the end."""
    shutil.rmtree(folder, ignore_errors=True)
    server = LocalServer(folder)
    try:
        with Store(server.wait_ready()) as store:
            yield store
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _fill(client: Any, anomalies: int, end: datetime) -> float:
    """Fill the tables with about so many anomalies, and what belongs to them; return how many seconds it took."""
    a_day = max(_PIECES, round(anomalies / DAYS / _ANOMALIES_A_CONVERSATION))
    conversations, intervals, labelled = (
        (_SQL / f"{name}.sql").read_text("utf-8") for name in ("conversations", "intervals", "anomalies")
    )
    began = time.monotonic()
    for number in range(DAYS):
        day = end - timedelta(days=DAYS - number)
        values = {"day": f"{day:%F}", "day_number": number, "begin": int(day.timestamp()), "a_day": a_day}
        for piece in range(_PIECES):
            first = number * a_day + piece * a_day // _PIECES
            count = number * a_day + (piece + 1) * a_day // _PIECES - first
            made = conversations.format(**values, first=first, count=count)
            for statement in (intervals, labelled):
                client.execute(statement.format(**values, conversations=made), settings={"optimize_on_insert": 0})
        client.execute(_HEARTBEATS.format(**values))
    return time.monotonic() - began


_HEARTBEATS: Final = f"""
INSERT INTO sensors (sensor, session, stored, ts, time, host, interface, snaplen, version, state, frames, segments, kernel_drops)
SELECT
    concat('sensor-', toString(number % 8)) AS sensor,
    toUUID(concat('00000000-0000-4000-8000-', leftPad(toString(1000 * intDiv({{day_number}}, 7) + number % 8), 12, '0'))),
    toDate('{{day}}'), fromUnixTimestamp64Nano(1000000000 * ({{begin}} + {_HEARTBEAT_SECONDS} * intDiv(number, 8)), 'UTC'),
    toDateTime({{begin}} + {_HEARTBEAT_SECONDS} * intDiv(number, 8), 'UTC'), concat(sensor, '.example'), 'eth0', 96, '0.1.0', 'running',
    100000 * number, 99000 * number, intDiv(number, 5000)
FROM numbers({8 * 86400 // _HEARTBEAT_SECONDS})
"""


def _settle(client: Any) -> None:
    """Wait until no parts are merged any more."""
    while client.execute("SELECT count() FROM system.merges") != [(0,)]:
        time.sleep(1)


def _rows(client: Any) -> dict[str, int]:
    names = ("anomalies", "intervals", "flows", "hosts_1m", "traffic_1m", "anomalies_1m")
    return {name: client.execute(f"SELECT count() FROM {name}")[0][0] for name in names}


def _last_rows(view: str, end: datetime, days: int) -> str:
    began = end - timedelta(days=days)
    return f"SELECT * FROM {view} WHERE time >= '{began:%F %T}' ORDER BY time DESC LIMIT 100"


def _answers(client: Any, title: str, queries: Sequence[tuple[str, dict[str, str]]], rounds: int, note: str) -> Table:
    rows = []
    for name, by_range in queries:
        seconds = [_seconds(client, query, rounds) for query in by_range.values()]
        cells = (name, *(f"{one:.2f}" for one in seconds))
        rows.append(Row(cells, f"at most {SECONDS_BAR:.0f} s", max(seconds) <= SECONDS_BAR))
    return Table(title, ("", *(f"{name}, s" for name in RANGES)), rows, note)


def _seconds(client: Any, query: str, rounds: int) -> float:
    """Return the median of so many answers."""
    taken = []
    for _ in range(rounds):
        began = time.monotonic()
        client.execute(query)
        taken.append(time.monotonic() - began)
    return statistics.median(taken)


def _weight(client: Any, rows: dict[str, int]) -> Table:
    weights = dict(
        client.execute(
            "SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table"
        )
    )
    of = {"anomalies": "anomaly", "anomalies_1m": "anomaly"}
    table = []
    for name, count in rows.items():
        whole = rows["anomalies" if name in of else "intervals"]
        cells = (
            f"`{name}`",
            f"{count / MILLION:.2f}",
            f"{weights[name] / count:.1f}",
            f"{weights[name] / whole:.1f} per {of.get(name, 'flow-minute')}",
        )
        table.append(Row(cells))
    for unit, whole, names in (("an anomaly", "anomalies", of), ("a flow-minute", "intervals", set(rows) - set(of))):
        together = sum(weights[name] for name in names)
        table.append(Row((f"all of {unit}", f"{rows[whole] / MILLION:.2f}", "", f"{together / rows[whole]:.1f}")))
    head = ("table", "million rows", "bytes a row on the disk", "bytes on the disk")
    return Table("History, what it weighs", head, table, f"All of it: {sum(weights.values()) / 2**30:.2f} GiB.")
