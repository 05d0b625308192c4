"""NumPy columns as Arrow arrays and back, without a copy where the memory is in one piece."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from segwatch.compilation import kernel
from segwatch.messages.errors import MessageError, Reason
from segwatch.records.segments import SACK_EDGES

ADDRESS: Final = pa.binary(16)
TIME: Final = pa.timestamp("ns", "UTC")
EDGES: Final = pa.list_(pa.field("item", pa.uint32(), nullable=False))
_WORDS = 2


def number_array(column: npt.NDArray[Any], kind: pa.DataType) -> Any:
    """Return an (N,) array of integers as an Arrow array of type ``kind``, of the same width."""
    values = np.ascontiguousarray(column)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def numbers(array: Any, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return (N,) the values of an Arrow array of integers or times; they may share its memory."""
    return np.frombuffer(array.buffers()[1] or b"", dtype, len(array), array.offset * np.dtype(dtype).itemsize)


def text_array(text: str) -> Any:
    """Return one text as an Arrow array; ``pyarrow.array`` would import pandas wherever that is installed."""
    content = text.encode()
    offsets = np.array([0, len(content)], np.int32)
    return pa.StringArray.from_buffers(1, pa.py_buffer(offsets), pa.py_buffer(content))


def address_array(column: npt.NDArray[np.uint64]) -> Any:
    """Return (N, 2) addresses as an Arrow array of 16 bytes each."""
    return number_array(column.reshape(-1, _WORDS), ADDRESS)


def addresses(array: Any) -> npt.NDArray[np.uint64]:
    """Return (N, 2) the addresses in an Arrow array of 16 bytes each."""
    return np.frombuffer(array.buffers()[1] or b"", np.uint64, _WORDS * len(array), 16 * array.offset).reshape(
        -1, _WORDS
    )


@kernel
def _flatten_edges(sack: Any, blocks: Any, offsets: Any, values: Any) -> None:
    end = 0
    for row in range(len(blocks)):
        offsets[row] = end
        for edge in range(2 * int(blocks[row])):
            values[end] = sack[row, edge]
            end += 1
    offsets[len(blocks)] = end


@kernel
def _spread_edges(offsets: Any, values: Any, sack: Any, blocks: Any) -> bool:
    for row in range(len(blocks)):
        first = int(offsets[row])
        edges = int(offsets[row + 1]) - first
        if edges < 0 or edges > sack.shape[1] or edges % 2:
            return False
        blocks[row] = edges // 2
        for edge in range(sack.shape[1]):
            sack[row, edge] = values[first + edge] if edge < edges else 0
    return True


def edge_lists(sack: npt.NDArray[np.uint32], blocks: npt.NDArray[np.uint8]) -> Any:
    """Return (N, 8) SACK edges, of which the first ``blocks`` pairs count, as an Arrow array of lists."""
    offsets = np.empty(len(blocks) + 1, np.int32)
    values = np.empty(2 * int(blocks.sum(dtype=np.int64)), np.uint32)
    _flatten_edges(sack, blocks, offsets, values)
    items = number_array(values, pa.uint32())
    return pa.Array.from_buffers(EDGES, len(blocks), [None, pa.py_buffer(offsets)], children=[items])


def edges(array: Any) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]:
    """Return (N, 8) SACK edges and (N,) pairs of them out of lists. Raises ``MessageError`` for odd or long lists."""
    rows = len(array)
    sack, blocks = np.empty((rows, SACK_EDGES), np.uint32), np.empty(rows, np.uint8)
    offsets = np.frombuffer(array.buffers()[1] or bytes(4), np.int32, rows + 1, 4 * array.offset)
    if not _spread_edges(offsets, numbers(array.values, np.uint32), sack, blocks):
        raise MessageError(Reason.WRONG_VALUES, f"a list of SACK edges is not of 0, 2, 4, 6 or {SACK_EDGES} numbers")
    return sack, blocks
