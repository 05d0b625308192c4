"""A cluster of two shards, really run: the answers of one server, and every row once, whatever fails.

Its tables are not replicated, because the servers cannot do that (``tests/sinks/shards.py``); all else is as made.
"""

import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import Any

import numpy as np
import pytest

from segwatch.errors import StoreError, StoreUnavailableError
from sinks.cluster import SHARDING_KEYS, Cluster
from sinks.consumer.batch import Batch, Place
from sinks.consumer.cycle import Cycle
from sinks.consumer.kinds import Kind
from sinks.layout import Layout, read_layout
from sinks.migration_files import created_objects, migrations
from sinks.schema import TableDescription, describe, migrate
from sinks.sizes import read_sizes
from sinks.store import Store
from sinks.writer import Origin, Writer
from tests.sinks.consumer.sender import unsteadily
from tests.sinks.consumer.simulated import KIND, CrashError, Fault, SimulatedBus, SimulatedKafka, message_value
from tests.sinks.consumer.test_exactly_once import Clock
from tests.sinks.rows import some_findings, some_intervals, some_segments, some_verdicts
from tests.sinks.shards import NAME, Shards, for_one_server

DATABASE = "divided"
ORIGIN = Origin("edge", "00ff" * 8, date(2026, 11, 23))
SUMS = {
    "anomalies": "sum(payload_len)", "anomalies_1m": "sum(segments)", "intervals": "sum(client_segments)",
    "flows": "sum(client_segments)", "traffic_1m": "sum(segments)", "hosts_1m": "sum(sent_segments)",
    "segments": "sum(seq)", "verdicts": "sum(stalled)",
}  # fmt: skip
PARTITIONS, MESSAGES, ROWS = 2, 8, 4


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shards]:
    """Start both servers, and make the schema on them."""
    started = Shards(tmp_path_factory.mktemp("shards"), DATABASE)
    try:
        for client in started.clients():
            for statement in Cluster(NAME, DATABASE).everything():
                client.execute(for_one_server(statement))
            client.disconnect()
        yield started
    finally:
        started.stop()


@pytest.fixture
def clients(shards: Shards) -> Iterator[list[Any]]:
    """Give a client of each server; no rows are there."""
    found = shards.clients()
    for client in found:
        for table in SUMS:
            client.execute(f"TRUNCATE TABLE {table}_local")
    yield found
    for client in found:
        client.disconnect()


@pytest.fixture
def writer(shards: Shards, clients: list[Any]) -> Writer:
    return Writer(clients[0], shards.addresses[0], attempts=1)


def _fill(writer: Writer, token: str, seed: int = 1) -> None:
    segments = some_segments(300, seed)
    writer.write_anomalies(segments, some_findings(300), ORIGIN, token)
    writer.write_segments(segments, ORIGIN, token)
    writer.write_intervals(some_intervals(200), ORIGIN, token)
    writer.write_verdicts(some_verdicts(100), ORIGIN, token)


def _sums(client: Any) -> dict[str, tuple[int, ...]]:
    return {table: client.execute(f"SELECT count(), {value} FROM {table}")[0] for table, value in SUMS.items()}


def _answers(client: Any) -> list[Any]:
    """Return what all views say whose rows do not only mean something when they are added up, and some queries."""
    views = client.execute(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View' "
        "AND comment NOT LIKE '%add up%' ORDER BY name"
    )
    answers = [(view, sorted(client.execute(f"SELECT * FROM {view}"), key=str)) for (view,) in views]
    return answers + [
        client.execute(query)
        for query in (
            "SELECT kind, sum(segments), uniqMerge(conversations) FROM anomalies_1m GROUP BY kind ORDER BY kind",
            "SELECT frame, label_names, community_id, src_address FROM anomalies ORDER BY frame",
            "SELECT frame, conversation, quality_names FROM segments ORDER BY frame",
        )
    ]


def _plain(table: TableDescription) -> TableDescription:
    return table._replace(engine=table.engine.replace("Replicated", ""), order="")


def test_the_schema_is_that_of_one_server(shards: Shards, clients: list[Any], store: Store) -> None:
    found = {table.name: _plain(table) for table in describe(clients[1], shards.addresses[1])}
    layout = read_layout(clients[1])
    assert layout == Layout(NAME, layout.sharded)
    for table in describe(store.client, store.address):
        expected = "Distributed" if table.name in layout.sharded else table.engine
        assert found[table.name] == _plain(table)._replace(engine=expected)
    assert migrate(clients[1], shards.addresses[1]) == []


def test_clickhouse_makes_the_replicated_tables(clients: list[Any]) -> None:
    """Their engines, paths, settings and keys are accepted, and noted in Keeper."""
    statements = [one.replace(f" ON CLUSTER '{NAME}'", "") for one in Cluster(NAME, "replicated").everything()]
    clients[0].execute("CREATE DATABASE replicated")
    for statement in statements:
        if statement.startswith("CREATE TABLE") and "ENGINE = Replicated" in statement:
            clients[0].execute(statement)
    paths = clients[0].execute(
        "SELECT table, replica_name, zookeeper_path FROM system.replicas WHERE database = 'replicated' ORDER BY table"
    )
    assert ("anomalies_local", "only", "/clickhouse/tables/1/replicated/anomalies_local") in paths
    assert ("captures", "1-only", "/clickhouse/tables/all/replicated/captures") in paths
    assert {name.removesuffix("_local") for name, _, _ in paths} == {
        name for name, kind in created_objects().items() if kind == "TABLE"
    }


def test_a_newer_version_does_not_spoil_it(shards: Shards, clients: list[Any]) -> None:
    newer = migrations()[-1]._replace(number=9999, name="9999_future.sql")
    with pytest.raises(StoreError, match=f"`segwatch db migrate --cluster {NAME}`"):
        migrate(clients[0], shards.addresses[0], (*migrations(), newer))


def test_answers_are_those_of_one_server(clients: list[Any], writer: Writer, store: Store) -> None:
    _fill(writer, "answers")
    _fill(Writer(store.client, store.address), "answers")
    for client in clients:
        assert _answers(client) == _answers(store.client)


def test_a_conversation_lies_on_one_shard(clients: list[Any], writer: Writer) -> None:
    _fill(writer, "conversation")

    def conversations(client: Any, table: str) -> set[tuple[int]]:
        key = SHARDING_KEYS.get(table, SHARDING_KEYS["intervals"])
        return set(client.execute(f"SELECT DISTINCT {key} FROM {table}_local"))

    for table, same in (("anomalies", "segments"), ("intervals", "flows")):
        first, second = (conversations(client, table) for client in clients)
        assert len(first) > 50
        assert len(second) > 50
        assert not first & second
        assert [conversations(client, same) for client in clients] == [first, second]


def test_a_block_that_comes_again_changes_nothing(clients: list[Any], writer: Writer) -> None:
    _fill(writer, "again")
    before = _sums(clients[0])
    assert before["intervals"][0] == 200
    assert before["flows"][1] == before["intervals"][1]
    for number in (0, 1):
        _fill(Writer(clients[number], writer._address, attempts=1), "again")
        assert _sums(clients[0]) == before


@pytest.mark.parametrize("table", ["intervals_local", "flows_local", "traffic_1m_local"])
def test_a_block_that_came_half_is_completed(clients: list[Any], writer: Writer, table: str) -> None:
    """A shard's table, or what one of its views fills, is away at the first try."""
    token = f"half {table}"
    clients[1].execute(f"DETACH TABLE {table}")
    try:
        with pytest.raises(StoreError):
            writer.write_intervals(some_intervals(200), ORIGIN, token)
    finally:
        clients[1].execute(f"ATTACH TABLE {table}")
    writer.write_intervals(some_intervals(200), ORIGIN, token)
    found = _sums(clients[0])
    assert found["intervals"][0] == 200
    assert found["flows"][1] == found["intervals"][1]
    assert clients[0].execute("SELECT sum(segments) FROM traffic_1m") == clients[0].execute(
        "SELECT sum(client_segments + server_segments) FROM intervals"
    )


def test_sizes_are_those_of_all_shards(clients: list[Any], writer: Writer, shards: Shards) -> None:
    _fill(writer, "sizes")
    sizes = {size.table: size for size in read_sizes(clients[1], shards.addresses[1])}
    assert (sizes["intervals"].rows, sizes["intervals"].parts, sizes["intervals"].keep_days) == (200, 2, 90)
    assert sizes["schema_migrations"].rows == 2 * len(migrations()), "each of these servers has made its own list"


class _ShardedTables:
    """The cluster as a sink sees it, which fails on demand: ``ports.Tables``."""

    def __init__(self, writer: Writer, fault: Fault) -> None:
        self._writer = writer
        self._fault = fault

    def insert(self, kind: Kind, batch: Batch) -> None:
        """Insert a conversation's minute for each row of a batch."""
        self._pass("before insert")
        rows = batch.columns()[0]
        numbers = (batch.place.partition * MESSAGES + rows[:, 0]) * ROWS + rows[:, 1]
        origin = batch.origin()._replace(stored=ORIGIN.stored)  # the simulated day is one of 1970
        self._writer.write_intervals(_minutes()[numbers], origin, batch.token)
        self._pass("after insert")

    def _pass(self, operation: str) -> None:
        match self._fault(operation):
            case "crash":
                raise CrashError
            case "away":
                raise StoreUnavailableError("away.")


def _minutes() -> np.ndarray:
    return some_intervals(PARTITIONS * MESSAGES * ROWS)


@pytest.mark.parametrize("seed", range(6))
def test_sinks_that_die_store_every_row_once(clients: list[Any], shards: Shards, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # a trial, no secret
    topic = f"findings of trial {seed}"
    kafka = SimulatedKafka()
    for partition in range(PARTITIONS):
        for sent in unsteadily(chance, MESSAGES, ROWS):
            kafka.append(message_value(*sent, partition) if sent else b"poison", Place(topic, partition))
    faults = [chance.choice(["", "", "", "crash", "away"]) for _ in range(40)]

    def fault(_operation: str) -> str:
        return faults.pop() if faults else ""

    while any(kafka.committed.get(place, (0, ""))[0] < len(log) for place, log in kafka.logs.items()):
        kafka.generation += 1
        number = chance.randrange(len(clients))
        tables = _ShardedTables(Writer(clients[number], shards.addresses[number], attempts=1), fault)
        bus = SimulatedBus(kafka, fault, lambda: chance.randrange(4))
        cycle = Cycle(bus, tables, {topic: KIND}, lambda: False, Clock(0.6, chance))
        with suppress(CrashError):
            for _ in range(20):
                cycle.turn(0)
    expected = _minutes()
    total = int(expected["sent"]["segments"][:, 0].sum())
    assert clients[0].execute("SELECT count(), uniqExact(stream), sum(client_segments) FROM intervals") == [
        (len(expected), len(expected), total)
    ]
    assert _sums(clients[0])["flows"] == (len(expected), total)
