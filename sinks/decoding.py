"""ClickHouse's native column format as NumPy columns, without a Python object per value: the way back of ``encoding``.

clickhouse-driver speaks the protocol; only the bytes of a block's columns are read here.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from clickhouse_driver.block import BlockInfo
from clickhouse_driver.defines import DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION
from clickhouse_driver.reader import read_binary_str
from clickhouse_driver.varint import read_varint

from sinks.connection import ServerAddress, as_store_errors, new_client
from sinks.encoding import WIRE_TYPES

_REVISION = DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION - 1
"""Of the protocol: to a client that says this the server writes every column out, none as sparse."""
_BYTES_OF_TWO_WORDS = 16


class Lists(NamedTuple):
    """A column of N lists of numbers: row i holds ``values[ends[i - 1]:ends[i]]``."""

    ends: npt.NDArray[np.uint64]
    """(N,)"""
    values: npt.NDArray[np.uint32]


class Block(NamedTuple):
    """Some rows of an answer; arrays may not be written."""

    rows: int
    columns: dict[str, Any]
    """Arrays of numbers, (N, 2) of uint64 for addresses and UUIDs, or ``Lists``, by name."""


class ArrayReader:
    """A connection whose answers come as blocks of arrays. Errors are ``StoreError``."""

    def __init__(self, address: ServerAddress) -> None:
        self._address = address
        self._client = new_client(address)
        self._client.connection.client_revision = _REVISION

    def close(self) -> None:
        """End the connection; a statement that is not finished is given up."""
        self._client.disconnect()

    def blocks(self, statement: str, values: dict[str, Any] | None, settings: dict[str, Any]) -> Iterator[Block]:
        """Run a statement and yield what it finds, while the server works; without ``values`` it is sent as it is."""
        with as_store_errors(self._address):
            client, connection = self._client, self._client.connection
            with client.disconnect_on_error(statement, settings):
                query = statement if values is None else client.substitute_params(statement, values, connection.context)
                connection.block_in.read = partial(_read_block, connection.block_in)
                connection.send_query(query)
                connection.send_external_tables(None)
                for packet in client.packet_generator():
                    block = getattr(packet, "block", None)
                    if isinstance(block, Block) and block.rows:
                        yield block


def _read_block(stream: Any, use_numpy: object = None) -> Block:  # noqa: ARG001  # called as the driver's own is
    source = stream.fin
    BlockInfo().read(source)
    columns, rows = read_varint(source), read_varint(source)
    found = {}
    for _ in range(columns):
        name, type_name = read_binary_str(source), read_binary_str(source)
        found[name] = _read_column(source, type_name, rows)
    return Block(rows, found)


def _read_column(source: Any, type_name: str, rows: int) -> Any:
    if type_name in {"IPv6", "UUID"}:
        return np.frombuffer(source.read(_BYTES_OF_TWO_WORDS * rows), np.uint64).reshape(rows, 2)
    if type_name == "Array(UInt32)":
        ends = _numbers(source, "<u8", rows)
        return Lists(ends, _numbers(source, "<u4", int(ends[-1]) if rows else 0))
    wire_type = WIRE_TYPES.get(type_name.partition("(")[0])
    if wire_type is None:
        raise TypeError(f"no decoder for columns of type {type_name}")
    return _numbers(source, wire_type, rows)


def _numbers(source: Any, wire_type: str, count: int) -> npt.NDArray[Any]:
    return np.frombuffer(source.read(np.dtype(wire_type).itemsize * count), wire_type, count)
