"""What the store keeps of conversations: counters by minute, and the segments with a label or a RST."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from segwatch.memory import joined
from segwatch.records.findings import FINDING_TYPES, FindingColumns, empty_findings
from segwatch.records.intervals import DIRECTION_COUNTERS, INTERVAL, INTERVAL_NANOSECONDS
from segwatch.records.segments import SEGMENT_TYPES, SegmentColumns, empty_segments
from segwatch.scope import Scope
from segwatch.times import NANOSECONDS
from segwatch.vocabulary import LABEL_NAMES
from sinks.decoding import ArrayReader, Block
from sinks.stored_segments import fill_segments
from sinks.writer import NOT_IN_ANOMALIES, SEGMENT_NAMES

_SIDES: Final = ("client", "server")
_EARLIER: Final = 3600 * NANOSECONDS
"""How far the clock of a sensor may have gone back within a conversation, for its rows to be found."""
_KEYS: Final = ("session", "stream", "opened", "client", "client_port", "server", "server_port")
"""What tells conversations apart, as in the table ``flows``."""
_SUMMED: Final = tuple(
    name for name in DIRECTION_COUNTERS.names or () if name not in {"labels", "quality", "rtt_min", "rtt_max"}
)
_ON_DISK_BYTES: Final = 512 << 20
_SETTINGS: Final = {
    "max_bytes_before_external_group_by": _ON_DISK_BYTES, "max_bytes_ratio_before_external_group_by": 0,
    "max_bytes_before_external_sort": _ON_DISK_BYTES, "max_bytes_ratio_before_external_sort": 0,
}  # fmt: skip


def _columns() -> Iterator[str]:
    """Yield what is asked of the rows of ``intervals`` that belong together."""
    yield from _KEYS
    yield "min(part.time) AS start, min(part.first) AS first, max(part.last) AS last"
    yield "max(part.ip_version) AS ip_version, anyIf(part.initial_rtt, part.initial_rtt != 0) AS initial_rtt"
    yield "argMax(part.completeness, part.last) AS completeness, argMax(part.closer, part.last) AS closer"
    yield "argMaxIf(part.reset, part.last, part.reset != '') AS reset"
    for side in _SIDES:
        for name in (*_SUMMED, *LABEL_NAMES):
            yield f"sum(part.{side}_{name}) AS {side}_{name}"
        yield f"minIf(part.{side}_rtt_min, part.{side}_rtt_count > 0) AS {side}_rtt_min"
        yield f"max(part.{side}_rtt_max) AS {side}_rtt_max"


def _statement(condition: str, *, by_minute: bool) -> str:
    minute = ", part.time" if by_minute else ""
    return (
        f"SELECT {', '.join(_columns())} FROM intervals AS part WHERE {condition} "  # noqa: S608  # literals are quoted
        f"GROUP BY {', '.join(_KEYS)}{minute} ORDER BY session, stream, opened, start"
    )


class ConversationBlock(NamedTuple):
    """Some conversations of a scope, (N,) each."""

    sessions: npt.NDArray[np.uint64]
    """(N, 2) the halves of the session's number."""
    totals: npt.NDArray[Any]
    """``INTERVAL``: the sums of all minutes in the scope, without quality. ``stream``: its number in its session."""


def conversation_totals(reader: ArrayReader, scope: Scope) -> Iterator[ConversationBlock]:
    """Yield all conversations of a scope in the order of session and stream, each once."""
    for block in reader.blocks(_statement(scope.condition, by_minute=False), None, _SETTINGS):
        yield ConversationBlock(block.columns["session"], _records(block))


class ConversationKey(NamedTuple):
    """What finds a conversation in the store."""

    session: str
    """32 hexadecimal digits."""
    stream: int
    opened: int
    """Time of its first segment, nanoseconds since the epoch."""
    client_port: int
    server_port: int

    @property
    def scope(self) -> Scope:
        """Its rows, or those of all of that number in the session (there is hardly ever another one)."""
        begin = max(self.opened - _EARLIER, 0) // INTERVAL_NANOSECONDS * INTERVAL_NANOSECONDS
        return Scope(begin, session=self.session, stream=self.stream)

    @property
    def condition(self) -> str:
        """What holds for its rows of ``intervals`` and ``anomalies``."""
        return f"{self.scope.condition} AND client_port = {self.client_port} AND server_port = {self.server_port}"


def session_name(halves: npt.NDArray[np.uint64]) -> str:
    """Return the 32 hexadecimal digits of a session, (2,) as blocks have it."""
    return "".join(f"{int(half):016x}" for half in halves)


def conversation_minutes(reader: ArrayReader, key: ConversationKey) -> npt.NDArray[Any]:
    """Return the counters of a conversation, (M,) ``INTERVAL``: a record for each minute, in order."""
    blocks = reader.blocks(_statement(key.condition, by_minute=True), None, _SETTINGS)
    records = joined([np.zeros(0, INTERVAL), *map(_records, blocks)])
    found: npt.NDArray[Any] = records[records["opened"] == key.opened]
    return found


def _records(block: Block) -> npt.NDArray[Any]:
    columns = block.columns
    records = np.zeros(block.rows, INTERVAL)
    records["start"] = columns["start"].astype(np.int64) * NANOSECONDS
    for name in INTERVAL.names or ():
        if name not in {"start", "flow", "sent"}:
            records[name] = columns[name]
    for place, side in enumerate(_SIDES):
        sent = records["sent"][:, place]
        for name in (*_SUMMED, "rtt_min", "rtt_max"):
            sent[name] = np.minimum(columns[f"{side}_{name}"], np.iinfo(DIRECTION_COUNTERS[name]).max)
        for bit, label in enumerate(LABEL_NAMES):
            sent["labels"][:, bit] = np.minimum(columns[f"{side}_{label}"], np.iinfo(np.uint32).max)
    return records


_ANOMALY_COLUMNS: Final = (
    *(SEGMENT_NAMES.get(name, name) for name in SEGMENT_TYPES if name not in NOT_IN_ANOMALIES),
    *FINDING_TYPES,
    "client", "client_port", "server", "server_port", "sack",
)  # fmt: skip


def conversation_anomalies(reader: ArrayReader, key: ConversationKey) -> tuple[SegmentColumns, FindingColumns]:
    """Return the segments of a conversation that have a label or a RST, with their findings, in order."""
    statement = (
        f"SELECT {', '.join(_ANOMALY_COLUMNS)} FROM anomalies WHERE {key.condition} "  # noqa: S608  # made of numbers
        f"AND ts >= fromUnixTimestamp64Nano(toInt64({key.opened - _EARLIER}), 'UTC') ORDER BY frame, ts"
    )
    blocks = list(reader.blocks(statement, None, _SETTINGS))
    segments, findings = zip(*map(_anomalies, blocks), strict=True) if blocks else ((), ())
    return (
        SegmentColumns(*map(np.concatenate, zip(empty_segments(0), *segments, strict=True))),
        FindingColumns(*map(np.concatenate, zip(empty_findings(0), *findings, strict=True))),
    )


def _anomalies(block: Block) -> tuple[SegmentColumns, FindingColumns]:
    columns = block.columns
    segments, findings = empty_segments(block.rows), empty_findings(block.rows)
    is_client = columns["from_client"] != 0
    for name, source, destination in (("src", "client", "server"), ("dst", "server", "client")):
        getattr(segments, name)[:] = np.where(is_client[:, None], columns[source], columns[destination])
    for name, source, destination in (("sport", "client", "server"), ("dport", "server", "client")):
        getattr(segments, name)[:] = np.where(is_client, columns[f"{source}_port"], columns[f"{destination}_port"])
    named = {name: columns[SEGMENT_NAMES.get(name, name)] for name in SEGMENT_TYPES if name not in NOT_IN_ANOMALIES}
    fill_segments(segments, named, columns["sack"])
    for name in FINDING_TYPES:
        getattr(findings, name)[:] = columns[name]
    return segments, findings
