"""NumPy columns as ClickHouse's native column format, without a Python object per value.

clickhouse-driver speaks the protocol; only the bytes of a block's columns come from here. Its own columns take these
types (addresses, enumerations, UUIDs, arrays) value by value. Format: ClickHouse documentation, "Native" format, and
``ISerialization`` of each type.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from clickhouse_driver.block import BlockInfo, ColumnOrientedBlock
from clickhouse_driver.defines import (
    DBMS_MIN_REVISION_WITH_BLOCK_INFO,
    DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION,
    DBMS_MIN_REVISION_WITH_TEMPORARY_TABLES,
)
from clickhouse_driver.protocol import ClientPacketTypes
from clickhouse_driver.varint import write_varint
from clickhouse_driver.writer import write_binary_str, write_binary_uint8


class Constant(NamedTuple):
    """A column with the same value in every row: a number, a text, or a UUID as 32 hexadecimal digits."""

    value: int | str


class Coded(NamedTuple):
    """A column of few different texts, or UUIDs as 32 hexadecimal digits: row i holds ``values[codes[i]]``."""

    values: Sequence[str]
    """Different from one another."""
    codes: npt.NDArray[np.integer[Any]]
    """(N,)"""


class Edges(NamedTuple):
    """A column of lists: row i holds the first ``2 * blocks[i]`` numbers of ``values[i]``."""

    values: npt.NDArray[np.uint32]
    """(N, E)"""
    blocks: npt.NDArray[np.uint8]
    """(N,) pairs of numbers, 2 * blocks <= E."""


Column = npt.NDArray[Any] | Constant | Coded | Edges

WIRE_TYPES = {
    "Bool": "<u1", "UInt8": "<u1", "UInt16": "<u2", "UInt32": "<u4", "UInt64": "<u8", "Int8": "<i1", "Int16": "<i2",
    "Int32": "<i4", "Int64": "<i8", "Float32": "<f4", "Date": "<u2", "DateTime": "<u4", "DateTime64": "<i8",
    "Enum8": "<i1",
}  # fmt: skip
"""NumPy type of a value, by the name of the server's type without its arguments."""
_ADDRESS_WORDS = 2

# LowCardinality: version of the keys' format; dictionary in the block, and a new one at that.
_DICTIONARY_VERSION = 1
_DICTIONARY_FLAGS = 1 << 9 | 1 << 10
_KEY_TYPES = ("<u1", "<u2", "<u4")
"""Types of the keys; their places stand in the flags."""


def _numbers(column: Column, rows: int, wire_type: str) -> Any:
    if isinstance(column, Constant):
        return np.dtype(wire_type).type(column.value).tobytes() * rows
    return np.ascontiguousarray(column, wire_type).tobytes()


def _addresses(column: Column, _rows: int) -> bytes:
    if not isinstance(column, np.ndarray) or column.dtype != np.uint64 or column.shape[1:] != (_ADDRESS_WORDS,):
        raise TypeError("an address column is an (N, 2) array of uint64")
    return np.ascontiguousarray(column).tobytes()


def _coded(column: Column, rows: int) -> Coded:
    if isinstance(column, Constant):
        return Coded((str(column.value),), np.zeros(rows, np.uint8))
    if not isinstance(column, Coded):
        raise TypeError("a column of texts or UUIDs is a constant or coded")
    return column


def _uuids(column: Column, rows: int) -> bytes:
    values, codes = _coded(column, rows)
    halves = np.frombuffer(bytes.fromhex("".join(values)), ">u8").reshape(-1, 2)
    content: bytes = halves.astype("<u8")[codes].tobytes()
    return content


def _text(value: str) -> bytes:
    content = value.encode()
    length, prefix = len(content), bytearray()
    while length >= 0x80:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    return bytes(prefix) + content


def _dictionary_texts(column: Column, rows: int) -> bytes:
    values, codes = _coded(column, rows)
    size = next(place for place, kind in enumerate(_KEY_TYPES) if len(values) - 1 <= np.iinfo(kind).max)
    header = np.array([_DICTIONARY_VERSION, _DICTIONARY_FLAGS | size, len(values)], "<u8").tobytes()
    keys = np.uint64(rows).tobytes() + codes.astype(_KEY_TYPES[size]).tobytes()
    return header + b"".join(map(_text, values)) + keys


def _texts(column: Column, rows: int) -> bytes:
    values, codes = _coded(column, rows)
    content = [_text(value) for value in values]
    return b"".join([content[code] for code in codes.tolist()])


def _lists(column: Column, _rows: int) -> bytes:
    if not isinstance(column, Edges):
        raise TypeError("a list column is made of edges")
    lengths = 2 * column.blocks.astype(np.int64)
    present = np.arange(column.values.shape[1]) < lengths[:, None]
    return np.cumsum(lengths).astype("<u8").tobytes() + column.values[present].astype("<u4").tobytes()


_ENCODERS: dict[str, Callable[[Column, int], bytes]] = {
    "IPv6": _addresses,
    "UUID": _uuids,
    "String": _texts,
    "LowCardinality(String)": _dictionary_texts,
    "Array(UInt32)": _lists,
}


def encode_column(type_name: str, column: Column, rows: int) -> bytes:
    """Return ``rows`` values of a column as the server's type ``type_name`` reads them."""
    encoder = _ENCODERS.get(type_name)
    if encoder is not None:
        return encoder(column, rows)
    wire_type = WIRE_TYPES.get(type_name.partition("(")[0])
    if wire_type is None:
        raise TypeError(f"no encoder for columns of type {type_name}")
    return bytes(_numbers(column, rows, wire_type))


def insert_block(client: Any, table: str, columns: Mapping[str, Column], rows: int, settings: dict[str, Any]) -> None:
    """Insert ``rows`` rows as one block. Raises what clickhouse-driver raises."""
    query = f"INSERT INTO {table} ({', '.join(columns)}) VALUES"
    with client.disconnect_on_error(query, settings):
        connection = client.connection
        connection.send_query(query)
        connection.send_external_tables(None)
        sample = client.receive_sample_block()
        _send_block(connection, sample.columns_with_types, columns, rows)
        client.receive_profile_events()
        connection.send_data(ColumnOrientedBlock())  # an empty block ends the data
        client.receive_profile_events()
        client.receive_end_of_insert_query()


def _send_block(connection: Any, types: list[tuple[str, str]], columns: Mapping[str, Column], rows: int) -> None:
    revision = connection.server_info.used_revision
    write_varint(ClientPacketTypes.DATA, connection.fout)
    if revision >= DBMS_MIN_REVISION_WITH_TEMPORARY_TABLES:
        write_binary_str("", connection.fout)
    stream = connection.block_out
    out = stream.fout
    if revision >= DBMS_MIN_REVISION_WITH_BLOCK_INFO:
        BlockInfo().write(out)
    write_varint(len(types), out)
    write_varint(rows, out)
    for name, type_name in types:
        write_binary_str(name, out)
        write_binary_str(type_name, out)
        if revision >= DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION:
            write_binary_uint8(0, out)
        out.write(encode_column(type_name, columns[name], rows))
    stream.finalize()
