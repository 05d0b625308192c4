"""The answer that one engine gives of a file, beside what the pipeline has stored of it.

The offline answer goes through the same writer into another database of the same server; then the server compares.
Numbers of conversations, names of days and how minutes are cut into rows may differ; nothing else may.
"""

import uuid
from collections.abc import Iterable
from typing import Any

import numpy as np

from segwatch.jobs.pipeline import CapturePipeline
from segwatch.records.findings import take_findings
from segwatch.records.segments import take_segments
from segwatch.settings import Settings
from sinks.connection import ServerAddress, new_client
from sinks.spool import FindingSpool
from sinks.store import CaptureFacts, Store
from tests.pipeline.cluster import Cluster

OFFLINE = "offline"
_NOT_COMPARED = frozenset({"stream", "stored"})
_ARRIVED = "arrived_verdicts"
"""Has every row that came into ``verdicts``, as amended ones are replaced there: a doubled one is there twice."""
_INTERVAL_KEY = ("sensor", "session", "time", "client", "client_port", "server", "server_port", "ip_version", "opened")


def store_offline(cluster: Cluster, captures: Iterable[tuple[str, str]], sensor: str = "edge") -> None:
    """Analyse files, and store each as the session that it was published as: pairs of file and session."""
    keep_arrivals(cluster.database(OFFLINE))
    with Store(cluster.database(OFFLINE)) as store:
        for path, session in captures:
            with CapturePipeline(path, Settings.rules, judges=True) as pipeline:
                spool = _spooled(pipeline)
                content = pipeline.content()
            facts = CaptureFacts(path, content.bytes, content.frames, 0, 0, content.first, content.last)
            store.store_session(session, sensor, spool, facts)
            spool.close()


def _spooled(pipeline: CapturePipeline) -> FindingSpool:
    spool = FindingSpool()
    for batch in pipeline:
        rows = np.flatnonzero((batch.findings.labels != 0) | (batch.findings.reset != 0))
        spool.add_anomalies(take_segments(batch.segments, rows), take_findings(batch.findings, rows))
        spool.add_intervals(batch.closed.copy())
        spool.add_verdicts(batch.judged.copy())
    for intervals in pipeline.remaining_intervals():
        spool.add_intervals(intervals.copy())
    return spool


def keep_arrivals(address: ServerAddress) -> None:
    """Make the tables of a database before anything is stored, and keep all verdicts that come, to be compared."""
    with Store(address) as store:
        store.client.execute(
            f"CREATE TABLE IF NOT EXISTS {_ARRIVED} AS verdicts "
            "ENGINE = MergeTree ORDER BY (toStartOfHour(time), sensor, session, frame) "
            "SETTINGS non_replicated_deduplication_window = 10000"
        )
        store.client.execute(
            f"CREATE MATERIALIZED VIEW IF NOT EXISTS verdicts_to_arrived TO {_ARRIVED} "
            "DEFINER = CURRENT_USER SQL SECURITY DEFINER AS SELECT * FROM verdicts"
        )


def differences(cluster: Cluster, unfinished: Iterable[str] = ()) -> dict[str, Any]:
    """Return, by table, how many rows one answer has and the other has not, with an example; empty if none differ.

    ``unfinished``: sessions without an end, whose last intervals are still to come; only their anomalies and verdicts
    are compared. Where ``keep_arrivals`` was called before, all revisions of verdicts are compared, else the last ones
    alone.
    """
    client = new_client(cluster.store, database="")
    without = "".join(f" AND session != '{uuid.UUID(session)}'" for session in unfinished)
    try:
        found = {}
        for table, every in _queries(client, cluster.store.database).items():
            is_settled = table.startswith("anomalies") or "verdicts" in table
            query = every if is_settled else f"SELECT * FROM ({every}) WHERE true{without}"
            here, there = query.format(database=cluster.store.database), query.format(database=OFFLINE)
            lost = client.execute(f"SELECT * FROM ({there}) EXCEPT SELECT * FROM ({here})")
            added = client.execute(f"SELECT * FROM ({here}) EXCEPT SELECT * FROM ({there})")
            if lost or added:
                found[table] = {"lost": len(lost), "added": len(added), "examples": (lost[:1], added[:1])}
        return found
    finally:
        client.disconnect()


def _queries(client: Any, database: str) -> dict[str, str]:
    """Return a query of each table; equal rows are counted, so that a doubled one differs."""
    queries = {}
    for table in ("anomalies", "anomalies_1m", "flows", "traffic_1m", "hosts_1m", "verdicts", _ARRIVED):
        columns = _columns(client, database, table)
        if not columns:
            continue
        shown = [
            f"finalizeAggregation({name}) AS {name}" if kind.startswith("AggregateFunction") else name
            for name, kind in columns.items()
            if name not in _NOT_COMPARED
        ]
        final = "" if table in {"anomalies", _ARRIVED} else "FINAL"
        queries[table] = f"SELECT {', '.join(shown)}, count() AS rows FROM {{database}}.{table} {final} GROUP BY ALL"
    sums = [
        f"{'max' if name.endswith('_max') else 'sum'}({name})"
        for name in _columns(client, database, "intervals")
        if name.startswith(("client_", "server_")) and name not in _INTERVAL_KEY and not name.endswith("_min")
    ]
    key = ", ".join(_INTERVAL_KEY)
    queries["intervals"] = (
        f"SELECT {key}, min(first), max(last), {', '.join(sums)} FROM {{database}}.intervals GROUP BY {key}"
    )
    return queries


def _columns(client: Any, database: str, table: str) -> dict[str, str]:
    rows = client.execute(
        "SELECT name, type FROM system.columns WHERE database = %(database)s AND table = %(table)s "
        "AND default_kind = '' ORDER BY position",
        {"database": database, "table": table},
    )
    return dict(rows)
