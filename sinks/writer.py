"""Rows into the tables: columns of arrays, one insert a block.

A block is inserted under a deduplication token. The same rows under the same token change nothing when they come
again, neither in the table nor in the targets of its views; so a retry sends exactly what the first try sent.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from clickhouse_driver.errors import Error

from segwatch.messages.status import STATES, SensorStatus
from segwatch.messages.verdicts import VERDICT_NAMES
from segwatch.records.findings import FINDING_TYPES, FindingColumns
from segwatch.records.intervals import INTERVAL
from segwatch.records.segments import SEGMENT_TYPES, SegmentColumns
from segwatch.records.verdicts import VERDICT
from segwatch.vocabulary import LABEL_NAMES
from sinks.connection import ServerAddress
from sinks.encoding import Coded, Column, Constant, Edges, insert_block
from sinks.failures import is_worth_retrying, store_error

BLOCK_ROWS = 100_000
"""Rows of a block at most: what the server takes best."""
ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.25

_DEDUPLICATION = {
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "async_insert": 0,
    "distributed_foreground_insert": 1,  # an answer means that the shards of a cluster have the rows
    "optimize_on_insert": 0,  # rows of one block seldom merge, and looking for them costs a third of the time
}
_NANOSECONDS = 1_000_000_000
_LAST_SECOND = 2**32 - 1
_EPOCH = date(1970, 1, 1)

SEGMENT_NAMES = {"seq": "seq_raw", "ack": "ack_raw", "window": "window_raw"}
"""Segment fields whose plain name belongs to a finding in the table ``anomalies``."""
NOT_IN_ANOMALIES = frozenset({"src", "dst", "sport", "dport", "sack", "sack_count"})
_INTERVAL_FIELDS = (
    "stream", "client", "client_port", "server", "server_port", "ip_version", "completeness", "reset", "closer",
    "first", "last", "opened", "initial_rtt",
)  # fmt: skip

_STATUS_TEXTS = ("host", "interface", "capture_filter", "version", "problem")
_STATUS_NUMBERS = {
    name: np.uint32 if name == "snaplen" else np.uint64
    for name, kind in SensorStatus.__annotations__.items()
    if kind is int and name != "ts"
}


class Origin(NamedTuple):
    """Where rows come from: the same for all rows of a block, or coded for each of them."""

    sensor: str | Coded
    session: str | Coded
    """32 hexadecimal digits."""
    stored: date
    """Day of storing: fixed with the rows' token, because a token counts within one day."""

    def columns(self) -> dict[str, Column]:
        """Return the columns of the origin."""
        days = (self.stored - _EPOCH).days
        return {"sensor": _names(self.sensor), "session": _names(self.session), "stored": Constant(days)}


def _names(names: str | Coded) -> Column:
    return Constant(names) if isinstance(names, str) else names


def whole_seconds(nanoseconds: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    """Return (N,) times as seconds of the epoch, held within what a ClickHouse ``DateTime`` can say."""
    return np.clip(nanoseconds // _NANOSECONDS, 0, _LAST_SECOND).astype(np.uint32)


def anomaly_columns(segments: SegmentColumns, findings: FindingColumns) -> dict[str, Column]:
    """Return the columns of the table ``anomalies`` for rows of segments and their findings."""
    from_client = findings.from_client != 0
    columns: dict[str, Column] = {
        "time": whole_seconds(segments.ts),
        "client": np.where(from_client[:, None], segments.src, segments.dst),
        "client_port": np.where(from_client, segments.sport, segments.dport),
        "server": np.where(from_client[:, None], segments.dst, segments.src),
        "server_port": np.where(from_client, segments.dport, segments.sport),
        "sack": Edges(segments.sack, segments.sack_count),
    }
    for name in SEGMENT_TYPES:
        if name not in NOT_IN_ANOMALIES:
            columns[SEGMENT_NAMES.get(name, name)] = getattr(segments, name)
    for name in FINDING_TYPES:
        columns[name] = getattr(findings, name)
    return columns


def segment_columns(segments: SegmentColumns) -> dict[str, Column]:
    """Return the columns of the table ``segments``."""
    columns: dict[str, Column] = {name: getattr(segments, name) for name in SEGMENT_TYPES if name != "sack_count"}
    return columns | {"time": whole_seconds(segments.ts), "sack": Edges(segments.sack, segments.sack_count)}


def interval_columns(intervals: npt.NDArray[np.void]) -> dict[str, Column]:
    """Return the columns of the table ``intervals`` for (N,) records of type ``INTERVAL``."""
    columns: dict[str, Column] = {"time": whole_seconds(intervals["start"])}
    for name in _INTERVAL_FIELDS:
        columns[name] = intervals[name]
    counters = [name for name in INTERVAL["sent"].base.names or () if name != "labels"]
    for index, side in enumerate(("client", "server")):
        sent = intervals["sent"][:, index]
        for name in counters:
            columns[f"{side}_{name}"] = sent[name]
        for bit, label in enumerate(LABEL_NAMES):
            columns[f"{side}_{label}"] = sent["labels"][:, bit]
    return columns


def verdict_columns(verdicts: npt.NDArray[Any]) -> dict[str, Column]:
    """Return the columns of the table ``verdicts`` for (N,) records of type ``VERDICT``."""
    columns: dict[str, Column] = {VERDICT_NAMES.get(name, name): verdicts[name] for name in VERDICT.names or ()}
    return columns | {"time": whole_seconds(verdicts["time"])}


def status_columns(statuses: Sequence[SensorStatus]) -> dict[str, Column]:
    """Return the columns of the table ``sensors`` but for those of the origin."""
    ts = np.array([status.ts for status in statuses], np.int64)
    columns: dict[str, Column] = {"ts": ts, "time": whole_seconds(ts)}
    for name in _STATUS_TEXTS:
        columns[name] = coded([getattr(status, name) for status in statuses])
    columns["state"] = np.array([STATES.index(status.state) + 1 for status in statuses], np.int8)
    for name, kind in _STATUS_NUMBERS.items():
        values = np.array([getattr(status, name) for status in statuses], np.uint64)
        columns[name] = np.minimum(values, np.iinfo(kind).max).astype(kind)
    return columns


def coded(values: Sequence[str]) -> Coded:
    """Return texts as a coded column of as many rows."""
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    return Coded(tuple(places), np.array([places[value] for value in values], np.int64))


class Writer:
    """Inserts rows into one database. Errors are ``StoreError``, and ``StoreUnavailableError`` where waiting helps.

    A block is tried ``attempts`` times, with growing pauses.
    """

    def __init__(self, client: Any, address: ServerAddress, attempts: int = ATTEMPTS) -> None:
        self._client = client
        self._address = address
        self._attempts = attempts

    def write_anomalies(self, segments: SegmentColumns, findings: FindingColumns, origin: Origin, token: str) -> None:
        """Insert N rows of segments and their findings (N <= ``BLOCK_ROWS``) under ``token``."""
        self._insert("anomalies", anomaly_columns(segments, findings), len(segments.ts), origin, token)

    def write_intervals(self, intervals: npt.NDArray[np.void], origin: Origin, token: str) -> None:
        """Insert (N,) records of type ``INTERVAL`` (N <= ``BLOCK_ROWS``) under ``token``."""
        self._insert("intervals", interval_columns(intervals), len(intervals), origin, token)

    def write_verdicts(self, verdicts: npt.NDArray[Any], origin: Origin, token: str) -> None:
        """Insert (N,) records of type ``VERDICT`` (N <= ``BLOCK_ROWS``) under ``token``."""
        self._insert("verdicts", verdict_columns(verdicts), len(verdicts), origin, token)

    def write_segments(self, segments: SegmentColumns, origin: Origin, token: str) -> None:
        """Insert N segment records (N <= ``BLOCK_ROWS``) under ``token``."""
        self._insert("segments", segment_columns(segments), len(segments.ts), origin, token)

    def write_statuses(self, statuses: Sequence[SensorStatus], origin: Origin, token: str) -> None:
        """Insert N states of sensors (N <= ``BLOCK_ROWS``) under ``token``."""
        self._insert("sensors", status_columns(statuses), len(statuses), origin, token)

    def _insert(self, table: str, columns: Mapping[str, Column], rows: int, origin: Origin, token: str) -> None:
        if rows > BLOCK_ROWS:
            raise ValueError(f"a block has at most {BLOCK_ROWS} rows, not {rows}")
        if rows == 0:
            return
        settings = _DEDUPLICATION | {"insert_deduplication_token": token}
        everything = origin.columns() | dict(columns)
        for attempt in range(1, self._attempts + 1):
            try:
                insert_block(self._client, table, everything, rows, settings)
            except (Error, OSError, EOFError) as error:
                if attempt == self._attempts or not is_worth_retrying(error):
                    raise store_error(error, str(self._address)) from error
                time.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            else:
                return
