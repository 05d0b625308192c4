"""Messages of the topic ``segwatch.anomalies.v1``: segments with a label or a RST, and what was found of them."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from segwatch.messages.arrays import number_array, numbers
from segwatch.messages.errors import MessageError, Reason
from segwatch.messages.findings import ROW, FindingsHeader
from segwatch.messages.segments import SEGMENTS_SCHEMA, segment_arrays, segment_columns
from segwatch.messages.stream import SchemaVersion, read_message, write_message
from segwatch.records.findings import FINDING_TYPES, FindingColumns
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import RESET_NAMES

ANOMALIES_VERSION: Final = SchemaVersion("anomalies", 1, 0)
RAW_NAMES: Final = {"seq": "seq_raw", "ack": "ack_raw", "window": "window_raw"}
"""Segment columns whose plain name belongs to a finding."""

ANOMALIES_SCHEMA: Final = pa.schema(
    [
        ROW,
        *(pa.field(RAW_NAMES.get(field.name, field.name), field.type, nullable=False) for field in SEGMENTS_SCHEMA),
        *(pa.field(name, pa.from_numpy_dtype(dtype), nullable=False) for name, dtype in FINDING_TYPES.items()),
    ]
)


_FINDING_KINDS: Final = [(name, ANOMALIES_SCHEMA.field(name).type) for name in FINDING_TYPES]


class Anomalies(NamedTuple):
    """The rows of a message."""

    row: npt.NDArray[np.int64]
    segments: SegmentColumns
    findings: FindingColumns


def write_anomalies(anomalies: Anomalies, header: FindingsHeader) -> bytes:
    """Return the message of these rows."""
    arrays = [number_array(anomalies.row, ROW.type), *segment_arrays(anomalies.segments)]
    arrays += [number_array(getattr(anomalies.findings, name), kind) for name, kind in _FINDING_KINDS]
    return write_message(ANOMALIES_SCHEMA, ANOMALIES_VERSION, arrays, header.as_metadata())


def read_anomalies(content: bytes) -> tuple[FindingsHeader, Anomalies]:
    """Return header and rows of a message; columns may point into ``content``. Raises ``MessageError``."""
    metadata, arrays = read_message(content, ANOMALIES_SCHEMA, ANOMALIES_VERSION)
    header = FindingsHeader.from_metadata(metadata)
    columns: dict[str, Any] = dict(zip(ANOMALIES_SCHEMA.names, arrays, strict=True))
    segments = segment_columns({name: columns[RAW_NAMES.get(name, name)] for name in SEGMENTS_SCHEMA.names})
    findings = FindingColumns(**{name: numbers(columns[name], dtype) for name, dtype in FINDING_TYPES.items()})
    if len(findings.reset) and int(findings.reset.max()) >= len(RESET_NAMES):
        raise MessageError(Reason.WRONG_VALUES, f"reset has classes above {len(RESET_NAMES) - 1}")
    return header, Anomalies(numbers(columns["row"], np.int64), segments, findings)
