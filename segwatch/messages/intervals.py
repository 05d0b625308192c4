"""Messages of the topic ``segwatch.intervals.v1``: counters of a conversation and minute."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from segwatch.messages.arrays import ADDRESS, TIME, address_array, addresses, number_array, numbers
from segwatch.messages.errors import MessageError, Reason
from segwatch.messages.findings import ROW, FindingsHeader
from segwatch.messages.stream import SchemaVersion, read_message, write_message
from segwatch.records.intervals import DIRECTION_COUNTERS, INTERVAL
from segwatch.vocabulary import LABEL_NAMES, RESET_NAMES

INTERVALS_VERSION: Final = SchemaVersion("intervals", 1, 1)
SIDES: Final = ("client", "server")
_INTERNAL: Final = frozenset({"flow", "sent"})
_TIMES: Final = frozenset({"start", "first", "last", "opened"})
_FIELDS: Final = tuple(name for name in INTERVAL.names or () if name not in _INTERNAL)
_COUNTERS: Final = tuple(name for name in DIRECTION_COUNTERS.names or () if name != "labels")
_LABELS: Final = pa.list_(pa.field("item", pa.uint32(), nullable=False), len(LABEL_NAMES))
_ADDED: Final = {f"{side}_quality": 0 for side in SIDES}
"""Columns that came with version 1.1."""
_NOBODY_CLIENT_SERVER = 3


def _field_type(name: str) -> pa.DataType:
    if name in SIDES:
        return ADDRESS
    return TIME if name in _TIMES else pa.from_numpy_dtype(INTERVAL[name])


def _side_fields(side: str) -> list[pa.Field]:
    types = _COUNTER_TYPES | {"labels": _LABELS}
    return [pa.field(f"{side}_{name}", kind, nullable=False) for name, kind in types.items()]


_TYPES: Final = {name: _field_type(name) for name in _FIELDS}
_COUNTER_TYPES: Final = {name: pa.from_numpy_dtype(DIRECTION_COUNTERS[name]) for name in _COUNTERS}
INTERVALS_SCHEMA: Final = pa.schema(
    [
        ROW,
        *(pa.field(name, kind, nullable=False) for name, kind in _TYPES.items()),
        *(field for side in SIDES for field in _side_fields(side)),
    ]
)
"""``client_labels`` and ``server_labels``: segments with each label, in bit order of ``vocabulary.Label``."""


class Intervals(NamedTuple):
    """The rows of a message."""

    row: npt.NDArray[np.int64]
    records: npt.NDArray[Any]
    """(N,) of ``INTERVAL``."""


def _field_array(column: npt.NDArray[Any], name: str) -> Any:
    return address_array(column) if name in SIDES else number_array(column, _TYPES[name])


def write_intervals(intervals: Intervals, header: FindingsHeader) -> bytes:
    """Return the message of these rows."""
    records = intervals.records
    arrays = [number_array(intervals.row, ROW.type)]
    arrays += [_field_array(records[name], name) for name in _FIELDS]
    for side in range(len(SIDES)):
        sent = records["sent"][:, side]
        arrays += [number_array(sent[name], kind) for name, kind in _COUNTER_TYPES.items()]
        labels = number_array(sent["labels"].reshape(-1), pa.uint32())
        arrays.append(pa.Array.from_buffers(_LABELS, len(records), [None], children=[labels]))
    return write_message(INTERVALS_SCHEMA, INTERVALS_VERSION, arrays, header.as_metadata())


def read_intervals(content: bytes) -> tuple[FindingsHeader, Intervals]:
    """Return header and rows of a message. Raises ``MessageError``."""
    metadata, arrays = read_message(content, INTERVALS_SCHEMA, INTERVALS_VERSION, _ADDED)
    header = FindingsHeader.from_metadata(metadata)
    columns: dict[str, Any] = dict(zip(INTERVALS_SCHEMA.names, arrays, strict=True))
    records = np.zeros(len(arrays[0]), INTERVAL)
    for name in _FIELDS:
        records[name] = addresses(columns[name]) if name in SIDES else numbers(columns[name], INTERVAL[name])
    for place, side in enumerate(SIDES):
        sent = records["sent"]
        for name in _COUNTERS:
            sent[name][:, place] = numbers(columns[f"{side}_{name}"], DIRECTION_COUNTERS[name])
        labels = columns[f"{side}_labels"].flatten()
        sent["labels"][:, place] = numbers(labels, np.uint32).reshape(-1, len(LABEL_NAMES))
    _check(records)
    return header, Intervals(numbers(columns["row"], np.int64), records)


def _check(records: npt.NDArray[Any]) -> None:
    if np.any(records["reset"] >= len(RESET_NAMES)) or np.any(records["closer"] >= _NOBODY_CLIENT_SERVER):
        raise MessageError(Reason.WRONG_VALUES, "reset or closer has a class that does not exist")
