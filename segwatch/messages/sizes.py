"""How large the columns of an Arrow stream become, by what it says itself: before anything of it is decompressed.

Arrow gives the metadata of a message as it stands there, a flatbuffer that it has verified (Message.fbs of the Arrow
format: https://arrow.apache.org/docs/format/Columnar.html). Each buffer of compressed columns begins with its size.
"""

import struct
from typing import Any, Final

import pyarrow as pa

from segwatch.messages.errors import MessageError, Reason

MOST_COLUMN_BYTES: Final = 16 << 20
"""Bytes of the columns of a message at most: eight times as many as the largest that segwatch writes."""
_ARROW_1_0: Final = 4
"""The number of ``MetadataVersion.V5``; what was before compressed in other ways."""
_HEADER: Final = 2
"""Place of the table ``RecordBatch`` in the table ``Message``."""
_BUFFERS, _COMPRESSION = 2, 3
"""Places in the table ``RecordBatch``."""
_UINT16, _UINT32, _INT32, _INT64 = map(struct.Struct, ("<H", "<I", "<i", "<q"))
_BUFFER: Final = struct.Struct("<qq")
_NOT_COMPRESSED: Final = -1


def check_sizes(content: Any) -> None:
    """Refuse an Arrow stream (an Arrow buffer) whose columns would be too large. Raises ``MessageError``.

    What Arrow cannot read at all raises what Arrow raises.
    """
    size = 0
    for message in pa.ipc.MessageReader.open_stream(content):
        if message.type == "dictionary":
            raise MessageError(Reason.NOT_ARROW, "it has dictionaries")
        if message.metadata_version < _ARROW_1_0:
            raise MessageError(Reason.NOT_ARROW, "it is written as before Arrow 1.0")
        if message.type == "record batch":
            try:
                size += _column_bytes(memoryview(message.metadata), memoryview(message.body))
            except struct.error as error:
                raise MessageError(Reason.NOT_ARROW, "its record batch has no description") from error
        if size > MOST_COLUMN_BYTES:
            raise MessageError(Reason.TOO_LARGE, f"{size} bytes of columns, and {MOST_COLUMN_BYTES} are the most")


def _column_bytes(metadata: memoryview, body: memoryview) -> int:
    """Return the bytes of the buffers of a record batch, decompressed."""
    batch = _follow(metadata, _field(metadata, _follow(metadata, 0), _HEADER))
    if not _field(metadata, batch, _COMPRESSION):
        return len(body)
    buffers = _field(metadata, batch, _BUFFERS)
    if not buffers:
        return 0
    first = _follow(metadata, buffers)
    begin = first + _UINT32.size
    end = begin + _BUFFER.size * _UINT32.unpack_from(metadata, first)[0]
    total, last, read = 0, len(body) - _INT64.size, _INT64.unpack_from
    for offset, length in _BUFFER.iter_unpack(metadata[begin:end]):
        if not length:
            continue
        if not 0 <= offset <= last:
            raise MessageError(Reason.CUT, "a column lies outside of it")
        size = read(body, offset)[0]
        if size < _NOT_COMPRESSED:
            raise MessageError(Reason.DAMAGED, f"a column has {size} bytes")
        total += length if size == _NOT_COMPRESSED else size
    return total


def _follow(metadata: memoryview, place: int) -> int:
    """Return where the offset at ``place`` leads to."""
    return place + int(_UINT32.unpack_from(metadata, place)[0])


def _field(metadata: memoryview, table: int, number: int) -> int:
    """Return where a field of a table stands, 0 if the table lacks it."""
    known = table - int(_INT32.unpack_from(metadata, table)[0])
    entry = 2 * (number + 2)
    if entry >= _UINT16.unpack_from(metadata, known)[0]:
        return 0
    offset = int(_UINT16.unpack_from(metadata, known + entry)[0])
    return table + offset if offset else 0
