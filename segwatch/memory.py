"""Zeroed memory for arrays that grow: large ones reserve addresses ahead, so that growing copies nothing.

A large array grows by small steps whose pages are there at once: the kernel makes many pages in one call for a third
of what it takes to make each when it is touched, and no page is read before it is written, which would give it twice.
None are huge: on virtual machines the first touch of a huge page costs four times as much a byte as that of small ones
(2.2 s/GB against 0.5 s/GB, measured), and conversations that are in use at the same time lie close together.
"""

import ctypes
import mmap
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

LARGE: Final = 4 << 20
"""Bytes from which an array gets a mapping of its own."""
RESERVED: Final = 64
"""How many times its size a large array reserves."""
_STEPS: Final = 16
"""A large array grows by this part of itself, or by ``LARGE``."""
_MAP_NORESERVE: Final = getattr(mmap, "MAP_NORESERVE", 0)
_MADV_POPULATE_WRITE: Final = 23
"""Of madvise(2), since Linux 5.14; Python has no name for it yet."""
# Not the method of ``mmap``, which keeps the interpreter lock: other threads would stand still meanwhile.
_MADVISE: Final = ctypes.CDLL(None).madvise
_MADVISE.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


def zeroed(rows: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return an array of zeros, of ``rows`` rows."""
    size = rows * dtype.itemsize
    if size < LARGE:
        return np.zeros(rows, dtype)
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
    try:
        memory = mmap.mmap(-1, size * RESERVED, flags=flags)
    except OSError:
        # Addresses are limited (RLIMIT_AS, or no overcommitment): growing will copy.
        memory = mmap.mmap(-1, size, flags=flags)
    whole = np.frombuffer(memory, dtype)
    _populate(whole, 0, size)
    return whole[:rows]


def grown(array: npt.NDArray[Any], rows: int = 0) -> npt.NDArray[Any]:
    """Return an array that begins with the content of ``array`` and goes on with zeros.

    It has ``rows`` rows (more than ``array``), or as many as are worth the call. ``array`` must not be used
    afterwards: both may share their memory.
    """
    rows = rows or len(array) + max(min(len(array), LARGE // array.itemsize), len(array) // _STEPS)
    whole = array.base
    if isinstance(whole, np.ndarray) and whole.dtype == array.dtype and len(whole) >= rows:
        if isinstance(whole.base, memoryview) and isinstance(whole.base.obj, mmap.mmap):
            _populate(whole, array.nbytes, (rows - len(array)) * array.itemsize)
        return whole[:rows]
    larger = zeroed(rows, array.dtype)
    # As bytes: NumPy copies records field by field.
    larger.view(np.uint8)[: array.nbytes] = array.view(np.uint8)
    return larger


def copied(records: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a copy of (N,) records that lie one behind the other; as bytes, which takes a tenth of the time."""
    return records.view(np.uint8).copy().view(records.dtype)


def joined(blocks: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return one or more arrays of one type, each in one piece, one behind the other.

    Records as bytes: NumPy would compare their types field by field, and copy so, which takes forty times as long for
    few of them.
    """
    if blocks[0].dtype.names is None:
        return np.concatenate(blocks)
    return np.concatenate([block.view(np.uint8) for block in blocks]).view(blocks[0].dtype)


def joined_columns(parts: Sequence[Sequence[npt.NDArray[Any]]]) -> list[npt.NDArray[Any]]:
    """Return the columns of one or more parts, each ``joined``; those of a single part as they are."""
    if len(parts) == 1:
        return list(parts[0])
    return [joined(columns) for columns in zip(*parts, strict=True)]


def _populate(whole: npt.NDArray[Any], start: int, size: int) -> None:
    """Have the pages of a part of a mapping made, all at once; ``whole`` begins where the mapping does."""
    first = start - start % mmap.PAGESIZE
    # A kernel that does not know this, or has no memory left, says so: then each page comes when it is touched.
    _MADVISE(whole.ctypes.data + first, start + size - first, _MADV_POPULATE_WRITE)
