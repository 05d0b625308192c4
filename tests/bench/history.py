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
BELONGS_TO: Final = {
    "anomalies": "anomalies",
    "anomalies_1m": "anomalies",
    "verdicts": "verdicts",
    "intervals": "intervals",
    "flows": "intervals",
    "traffic_1m": "intervals",
    "hosts_1m": "intervals",
}
"""What the rows of a table are weighed by: an anomaly, a verdict's revision, or a flow-minute."""
RANGES: Final = {"a day": 1, "a week": 7}
NETWORK: Final = ("network_verdicts", "network_verdicts_per_minute")
"""Views that compare the verdicts of all sensors when they are asked: they are asked of hours (docs/network.md)."""
_BYTES_A_ROW: Final = 290
"""Room on the disk for an anomaly and all that comes with it, merges included."""
_ANOMALIES_A_CONVERSATION: Final = 3.9
_PIECES: Final = 8
"""Inserts for a day and table."""
_MERGED: Final = ("flows", "traffic_1m", "anomalies_1m", "hosts_1m", "verdicts")
"""Tables whose settings have every day merged when it is over."""
_Queries = dict[str, list[str]]
"""By name, one for each of ``RANGES``."""
_SQL: Final = Path(__file__).with_name("history_sql")


def history(captures: Captures, rounds: int, _peers: Sequence[str]) -> list[Table]:
    """Fill a store; measure every question and every view over each of ``RANGES``, and the bytes on the disk."""
    anomalies = captures.history
    if shutil.disk_usage(captures.folder).free < anomalies * _BYTES_A_ROW:
        raise ProgramFailedError(f"{captures.folder} has no room for {anomalies:,} anomalies; --history makes it less")
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with _server(captures.folder / "history") as store:
        seconds = _fill(store.client, anomalies, end)
        _settle(store.client, end)
        rows = _rows(store.client)
        note = (
            f"{rows['anomalies']:,} anomalies, {rows['verdicts']:,} revisions of verdicts and {rows['intervals']:,} "
            f"flow-minutes of {rows['flows']:,} conversations in {DAYS} days, made inside of the server in "
            f"{seconds:,.0f} s, the rollups by their views."
        )
        return [
            _answers(store.client, "History, the questions of docs/sql.md", _questions(end), rounds, note),
            _answers(store.client, "History, the last hundred rows of each view", _views(end), rounds, note),
            _an_hour(store.client, end, rounds),
            _weight(store.client, rows),
        ]


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
    sql = {path.stem: path.read_text("utf-8") for path in _SQL.glob("*.sql")}
    began = time.monotonic()
    for number in range(DAYS):
        day = end - timedelta(days=DAYS - number)
        values = {"day": f"{day:%F}", "day_number": number, "begin": int(day.timestamp()), "a_day": a_day}
        for piece in range(_PIECES):
            first, after = (number * a_day + place * a_day // _PIECES for place in (piece, piece + 1))
            made = sql["conversations"].format(**values, first=first, count=after - first)
            for table in ("intervals", "anomalies", "verdicts"):
                client.execute(sql[table].format(**values, conversations=made), settings={"optimize_on_insert": 0})
        client.execute(sql["sensors"].format(**values))
    return time.monotonic() - began


def _settle(client: Any, end: datetime) -> None:
    """Have days that are over merged, as the server does an hour later; wait until nothing is merged any more."""
    for table in _MERGED:
        for number in range(1, DAYS):
            client.execute(f"OPTIMIZE TABLE {table} PARTITION '{end - timedelta(days=number + 1):%F}' FINAL")
    while client.execute("SELECT count() FROM system.merges") != [(0,)]:
        time.sleep(1)


def _rows(client: Any) -> dict[str, int]:
    return {name: client.execute(f"SELECT count() FROM {name}")[0][0] for name in BELONGS_TO}


def _questions(end: datetime) -> _Queries:
    return {
        f"{one.number}. {one.words}": [one.until(f"{end:%F %T}", days) for days in RANGES.values()]
        for one in questions()
    }


def _views(end: datetime) -> _Queries:
    return {
        f"`{view}`": [
            f"SELECT * FROM {view} WHERE time >= '{end - timedelta(days=days):%F %T}' ORDER BY time DESC LIMIT 100"
            for days in RANGES.values()
        ]
        for view, kind in created_objects().items()
        if kind == "VIEW" and view not in NETWORK
    }


def _an_hour(client: Any, end: datetime, rounds: int) -> Table:
    """Ask what sensors say together of an hour in the middle of the last day."""
    noon = end - timedelta(hours=12)
    hour = f"time >= '{noon:%F %T}' AND time < '{noon + timedelta(hours=1):%F %T}'"
    ((verdicts,),) = client.execute(f"SELECT count() FROM current_verdicts WHERE {hour}")
    rows = [
        Row((f"`{view}`", f"{_seconds(client, f'SELECT count(), max(time) FROM {view} WHERE {hour}', rounds):.2f}"))
        for view in NETWORK
    ]
    return Table("History, what sensors say together", ("", "an hour, s"), rows, f"{verdicts:,} verdicts in that hour.")


def _answers(client: Any, title: str, queries: _Queries, rounds: int, note: str) -> Table:
    rows = []
    for name, by_range in queries.items():
        seconds = [_seconds(client, query, rounds) for query in by_range]
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
    weights: dict[str, int] = dict(
        client.execute(
            "SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() "
            "GROUP BY table"
        )
    )
    table = [
        Row(
            (
                f"`{name}`",
                f"{count / MILLION:.2f}",
                f"{weights[name] / count:.1f}",
                f"{weights[name] / rows[whole]:.1f}",
            )
        )
        for (name, count), whole in zip(rows.items(), BELONGS_TO.values(), strict=True)
    ]
    for whole in dict.fromkeys(BELONGS_TO.values()):
        together = sum(weights[name] for name, of in BELONGS_TO.items() if of == whole)
        table.append(Row((f"all that belongs to `{whole}`", "", "", f"{together / rows[whole]:.1f}")))
    head = ("table", "million rows", "bytes a row", "bytes an anomaly, a verdict, or a flow-minute")
    return Table(
        "History, what it weighs on the disk", head, table, f"All of it: {sum(weights.values()) / 2**30:.2f} GiB."
    )
