"""How much room the tables take, and what their times to live free next."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sinks.connection import ServerAddress, as_store_errors
from sinks.layout import Layout, read_layout
from sinks.migration_files import created_objects
from sinks.retention import TimeToLive, times_to_live

_READ_PARTITIONS = """
SELECT table, partition, sum(rows), sum(bytes_on_disk), count() FROM {parts}
WHERE active AND database = %(database)s AND table IN %(tables)s
GROUP BY table, partition ORDER BY table, partition
"""


class Partition(NamedTuple):
    """What a table holds of one day of storing."""

    table: str
    day: date | None
    """``None``: the table is not divided by days."""
    rows: int
    bytes: int
    """On disk, of one copy."""
    parts: int


class Freed(NamedTuple):
    """What a table's time to live removes next."""

    on: date
    """Today, where it is due already: the server drops what is over within hours."""
    rows: int
    bytes: int


class TableSize(NamedTuple):
    """The size of a table."""

    table: str
    rows: int
    bytes: int
    parts: int
    oldest: date | None
    newest: date | None
    keep_days: int | None
    """0: for ever; ``None``: a rule of somebody's own."""
    next: Freed | None


def today() -> date:
    """Return the day by which rows are stored."""
    return datetime.now(UTC).date()


def read_partitions(client: Any, address: ServerAddress, layout: Layout) -> list[Partition]:
    """Return what all tables hold, the oldest day of each table first. Raises ``StoreError``."""
    tables = {layout.rows(name): name for name, kind in created_objects().items() if kind == "TABLE"}
    query = _READ_PARTITIONS.format(parts=layout.facts("parts"))
    with as_store_errors(address):
        rows = client.execute(query, {"database": address.database, "tables": tuple(tables)})
    return [Partition(tables[table], _day(partition), *numbers) for table, partition, *numbers in rows]


def read_sizes(client: Any, address: ServerAddress) -> list[TableSize]:
    """Return the size of each table, in the order of their making. Raises ``StoreError``."""
    with as_store_errors(address):
        layout = read_layout(client)
        kept = times_to_live(client, layout)
    held: dict[str, list[Partition]] = {name: [] for name, kind in created_objects().items() if kind == "TABLE"}
    for partition in read_partitions(client, address, layout):
        held[partition.table].append(partition)
    return [_size(table, partitions, kept.get(table, TimeToLive("")).days) for table, partitions in held.items()]


def _size(table: str, partitions: list[Partition], days: int | None) -> TableSize:
    dates = [partition.day for partition in partitions if partition.day is not None]
    return TableSize(
        table=table,
        rows=sum(partition.rows for partition in partitions),
        bytes=sum(partition.bytes for partition in partitions),
        parts=sum(partition.parts for partition in partitions),
        oldest=min(dates, default=None),
        newest=max(dates, default=None),
        keep_days=days,
        next=_next(partitions, days, today()) if days and dates else None,
    )


def _next(partitions: list[Partition], days: int, now: date) -> Freed:
    ends = [(partition.day + timedelta(days), partition) for partition in partitions if partition.day is not None]
    on = max(now, min(end for end, _ in ends))
    over = [partition for end, partition in ends if end <= on]
    return Freed(on, sum(partition.rows for partition in over), sum(partition.bytes for partition in over))


def _day(partition: str) -> date | None:
    """Return the day in the name of a partition; a table without partitions has one named ``tuple()``."""
    return date.fromisoformat(partition) if partition[:1].isdigit() else None
