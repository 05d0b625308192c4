"""Messages of the topic ``segwatch.verdicts.v1``: why segments are there, and what later ones contradicted."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from segwatch.messages.arrays import ADDRESS, TIME, address_array, addresses, number_array, numbers
from segwatch.messages.errors import MessageError, Reason
from segwatch.messages.findings import ROW, FindingsHeader
from segwatch.messages.stream import SchemaVersion, read_message, write_message
from segwatch.records.verdicts import VERDICT
from segwatch.vocabulary import Cause, Needed, Place, Stage

VERDICTS_VERSION: Final = SchemaVersion("verdicts", 1, 0)
VERDICT_NAMES: Final = {"time": "ts", "seq": "seq_raw", "length": "payload_len"}
"""Fields of ``VERDICT`` that have another name in messages and tables: that of the same thing of an anomaly."""
_ENDS: Final = ("client", "server")
_FIELDS: Final = tuple(VERDICT.names or ())
_MOST: Final = {"cause": max(Cause), "needed": max(Needed), "place": max(Place), "stage": max(Stage), "from_client": 1}


def _field_type(name: str) -> pa.DataType:
    if name in _ENDS:
        return ADDRESS
    return TIME if name == "time" else pa.from_numpy_dtype(VERDICT[name])


_TYPES: Final = {name: _field_type(name) for name in _FIELDS}
VERDICTS_SCHEMA: Final = pa.schema(
    [ROW, *(pa.field(VERDICT_NAMES.get(name, name), kind, nullable=False) for name, kind in _TYPES.items())]
)


class Verdicts(NamedTuple):
    """The rows of a message."""

    row: npt.NDArray[np.int64]
    records: npt.NDArray[Any]
    """(N,) of ``VERDICT``."""


def write_verdicts(verdicts: Verdicts, header: FindingsHeader) -> bytes:
    """Return the message of these rows."""
    arrays = [number_array(verdicts.row, ROW.type)]
    for name, kind in _TYPES.items():
        column = verdicts.records[name]
        arrays.append(address_array(column) if name in _ENDS else number_array(column, kind))
    return write_message(VERDICTS_SCHEMA, VERDICTS_VERSION, arrays, header.as_metadata())


def read_verdicts(content: bytes) -> tuple[FindingsHeader, Verdicts]:
    """Return header and rows of a message. Raises ``MessageError``."""
    metadata, (row, *arrays) = read_message(content, VERDICTS_SCHEMA, VERDICTS_VERSION)
    header = FindingsHeader.from_metadata(metadata)
    records = np.zeros(len(row), VERDICT)
    for name, array in zip(_FIELDS, arrays, strict=True):
        records[name] = addresses(array) if name in _ENDS else numbers(array, VERDICT[name])
    for name, most in _MOST.items():
        if np.any(records[name] > most):
            raise MessageError(Reason.WRONG_VALUES, f"{name} has numbers above {int(most)}")
    if not np.all((records["confidence"] >= 0) & (records["confidence"] <= 1)):
        raise MessageError(Reason.WRONG_VALUES, "confidence has numbers that are not between 0 and 1")
    return header, Verdicts(numbers(row, np.int64), records)
