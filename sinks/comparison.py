"""Two labelled sets of the same traffic, side by side: how often each label is given, and which rows differ.

Rows belong together by frame and both ends, never by the number of the conversation: processors count these otherwise.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from segwatch.records.findings import FINDING_TYPES
from segwatch.vocabulary import RESET_NAMES, label_text
from sinks.connection import ServerAddress, as_store_errors
from sinks.stored_segments import IN_RANGE, range_values

_NUMBERS = tuple(name for name in FINDING_TYPES if name not in {"stream", "labels", "reset"})
"""Findings that are compared beside labels and reset."""
_GROUP_ON_DISK_BYTES = 512 << 20
_SETTINGS = {"max_bytes_before_external_group_by": _GROUP_ON_DISK_BYTES, "max_bytes_ratio_before_external_group_by": 0}

_SETS = f"""
    SELECT
        session = toUUID(%(after)s) AS is_after, frame, labels, reset, ts, {", ".join(_NUMBERS)},
        if(from_client, (client, client_port), (server, server_port)) AS source,
        if(from_client, (server, server_port), (client, client_port)) AS destination
    FROM anomalies
    WHERE session IN (toUUID(%(before)s), toUUID(%(after)s)) AND {IN_RANGE}
"""  # noqa: S608  # made of constants
_KINDS = f"""
SELECT kind, countIf(NOT is_after), countIf(is_after)
FROM (
    SELECT
        is_after,
        arrayJoin(arrayConcat([''], bitPositionsToArray(labels)::Array(String), if(reset = '', [], [toString(reset)])))
        AS kind
    FROM ({_SETS})
)
GROUP BY kind
"""  # noqa: S608  # made of constants
_DIFFERING = f"""
    SELECT
        frame,
        sumIf(cityHash64(labels, reset), NOT is_after) != sumIf(cityHash64(labels, reset), is_after) AS other_labels
    FROM (SELECT *, cityHash64({", ".join(_NUMBERS)}) AS numbers FROM ({_SETS}))
    GROUP BY frame, source, destination
    HAVING other_labels OR sumIf(numbers, NOT is_after) != sumIf(numbers, is_after)
"""  # noqa: S608  # made of constants
_TOTALS = f"SELECT count(), countIf(other_labels) FROM ({_DIFFERING})"  # noqa: S608  # made of constants
_FINDING = f"(labels, toUInt8(reset), {', '.join(f'toInt64({name})' for name in _NUMBERS)})"
_ROWS = f"""
SELECT
    frame,
    toUnixTimestamp64Nano(any(ts)),
    replaceRegexpOne(toString(source.1), '^::ffff:([0-9.]+)$', '\\\\1'),
    source.2,
    replaceRegexpOne(toString(destination.1), '^::ffff:([0-9.]+)$', '\\\\1'),
    destination.2,
    arraySort(groupArrayIf({_FINDING}, NOT is_after)) AS old,
    arraySort(groupArrayIf({_FINDING}, is_after)) AS new
FROM ({_SETS})
WHERE frame IN (SELECT frame FROM ({_DIFFERING}) ORDER BY frame LIMIT %(limit)s)
GROUP BY frame, source, destination
HAVING old != new
ORDER BY frame, source, destination
LIMIT %(limit)s
"""  # noqa: S608  # made of constants


class Count(NamedTuple):
    """How many rows each of the two sets has."""

    before: int
    after: int


class Said(NamedTuple):
    """What a set says of a segment."""

    labels: str
    """Names, sorted, separated by commas; empty without labels."""
    reset: str
    """Class of the reset; empty for other segments."""


class Difference(NamedTuple):
    """A segment of which the two sets say different things."""

    frame: int
    ts: int
    """Nanoseconds since the epoch."""
    source: str
    source_port: int
    destination: str
    destination_port: int
    before: tuple[Said, ...]
    """One for each row; none where the segment is not in that set."""
    after: tuple[Said, ...]
    numbers: tuple[str, ...]
    """Names of other findings that differ, where each set has one row."""


class Comparison(NamedTuple):
    """Two sets side by side."""

    rows: Count
    labels: dict[str, Count]
    """By name; those that none of the sets has are left out."""
    resets: dict[str, Count]
    other_labels: int
    """Segments with other labels or another class of reset, those that only one set has among them."""
    other_numbers: int
    """Segments with the same labels and other numbers."""
    differences: list[Difference]
    """The first of them by frame, as many as were asked for."""


def compare_sets(
    client: Any, address: ServerAddress, before: str, after: str, begin: int, end: int, limit: int
) -> Comparison:
    """Compare what two sessions (32 hexadecimal digits) say of segments captured in a range (nanoseconds)."""
    values = {"before": before, "after": after, "limit": limit, **range_values(begin, end)}
    with as_store_errors(address):
        kinds = {kind: Count(*counts) for kind, *counts in client.execute(_KINDS, values, settings=_SETTINGS)}
        ((differing, other_labels),) = client.execute(_TOTALS, values, settings=_SETTINGS)
        rows = client.execute(_ROWS, values, settings=_SETTINGS) if differing and limit else []
    return Comparison(
        rows=kinds.pop("", Count(0, 0)),
        labels={label_text(1 << int(bit)): kinds[bit] for bit in sorted(filter(str.isdecimal, kinds), key=int)},
        resets={name: kinds[name] for name in RESET_NAMES if name in kinds},
        other_labels=other_labels,
        other_numbers=differing - other_labels,
        differences=list(_differences(rows)),
    )


def _differences(rows: list[tuple[Any, ...]]) -> Iterator[Difference]:
    for frame, ts, source, source_port, destination, destination_port, old, new in rows:
        numbers: tuple[str, ...] = ()
        if len(old) == len(new) == 1:
            numbers = tuple(
                name for name, was, is_now in zip(_NUMBERS, old[0][2:], new[0][2:], strict=True) if was != is_now
            )
        ends = source, source_port, destination, destination_port
        yield Difference(frame, ts, *ends, _said(old), _said(new), numbers)


def _said(findings: list[tuple[int, ...]]) -> tuple[Said, ...]:
    return tuple(Said(label_text(labels), RESET_NAMES[reset]) for labels, reset, *_ in findings)
