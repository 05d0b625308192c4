"""Messages of the topic ``segwatch.sensors.v1``: what a sensor says of itself; one row a message."""

from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from segwatch.messages.arrays import TIME, number_array, text_array
from segwatch.messages.errors import MessageError, Reason
from segwatch.messages.stream import SchemaVersion, read_message, session_value, write_message

STATUS_VERSION: Final = SchemaVersion("sensors", 1, 2)
STATES: Final = ("starting", "running", "spooling", "stopping", "failed")
"""``spooling``: the bus is away and segments go to disk."""


class SensorStatus(NamedTuple):
    """State and counters of a sensor; all counters since its session began."""

    sensor: str
    session: str
    """Capture session, 32 hexadecimal digits."""
    ts: int
    """Nanoseconds since the epoch, by the clock of the sensor."""
    host: str
    interface: str
    """Interface that is captured, or the file that is read."""
    capture_filter: str
    snaplen: int
    version: str
    state: str
    """One of ``STATES``."""
    problem: str
    """What is wrong, in words; empty if nothing is."""
    frames: int
    segments: int
    undecoded: int
    """Frames that could not be decoded."""
    kernel_drops: int
    interface_drops: int
    published_segments: int
    """Segments of the whole sensor that the bus acknowledged: the sessions of its other interfaces tell the same."""
    dropped_segments: int
    """Segments of the whole sensor that were given up because the spool was full."""
    queued_batches: int
    spooled_batches: int
    spooled_bytes: int
    shed_segments: int = 0
    """Segments of conversations that were left out because more came than could be handled."""
    keep_one_in: int = 1
    """One in so many conversations is kept now: 1, 2, 4, ..."""
    super_segments: int = 0
    """Segments in frames longer than the interface's MTU, made by offload (LSO, GRO)."""
    clock_steps: int = 0
    """How often the clock was set by more than a second."""
    seen_twice: int = 0
    """Segments in frames that are copies of one seen just before."""
    one_way_conversations: int = 0
    """Conversations of which only one direction was seen."""


_ADDED: Final = SensorStatus._field_defaults
"""Columns that came with versions 1.1 and 1.2."""
_KINDS: Final = {int: pa.uint64(), str: pa.string()}
STATUS_SCHEMA: Final = pa.schema(
    [
        pa.field(name, TIME if name == "ts" else _KINDS[kind], nullable=False)
        for name, kind in SensorStatus.__annotations__.items()
    ]
)


def write_status(status: SensorStatus) -> bytes:
    """Return the message of a status."""
    arrays = [_value_array(value, field.type) for value, field in zip(status, STATUS_SCHEMA, strict=True)]
    return write_message(STATUS_SCHEMA, STATUS_VERSION, arrays, {})


def _value_array(value: Any, kind: pa.DataType) -> Any:
    return text_array(value) if isinstance(value, str) else number_array(np.array([value], np.int64), kind)


def read_status(content: bytes) -> SensorStatus:
    """Return the status in a message. Raises ``MessageError``."""
    _, arrays = read_message(content, STATUS_SCHEMA, STATUS_VERSION, _ADDED)
    if len(arrays[0]) != 1:
        raise MessageError(Reason.WRONG_VALUES, f"{len(arrays[0])} rows instead of one")
    values: dict[str, Any] = {}
    for name, array in zip(STATUS_SCHEMA.names, arrays, strict=True):
        values[name] = array.cast(pa.int64())[0].as_py() if name == "ts" else array[0].as_py()
    session_value(values)
    if values["state"] not in STATES:
        raise MessageError(Reason.WRONG_VALUES, f"state is {values['state']!r}, none of {', '.join(STATES)}")
    return SensorStatus(**values)
