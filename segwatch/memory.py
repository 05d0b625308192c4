"""Zeroed memory for arrays that grow: large ones reserve addresses ahead, so that growing copies nothing.

Pages that were never written to cost no memory. Large arrays ask for huge pages, which spares millions of page faults.
"""

import contextlib
import mmap
from typing import Any, Final

import numpy as np
import numpy.typing as npt

LARGE: Final = 4 << 20
"""Bytes from which an array gets a mapping of its own."""
RESERVED: Final = 64
"""How many times its size a large array reserves."""
_MAP_NORESERVE: Final = getattr(mmap, "MAP_NORESERVE", 0)


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
    if hasattr(mmap, "MADV_HUGEPAGE"):
        # A kernel without huge pages refuses: the array works all the same.
        with contextlib.suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, dtype)[:rows]


def grown(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array of twice the length that begins with the content of ``array``; the rest is zero.

    ``array`` must not be used afterwards: both may share their memory.
    """
    rows = 2 * len(array)
    whole = array.base
    if isinstance(whole, np.ndarray) and whole.dtype == array.dtype and len(whole) >= rows:
        return whole[:rows]
    larger = zeroed(rows, array.dtype)
    # As bytes: NumPy copies records field by field.
    larger.view(np.uint8)[: array.nbytes] = array.view(np.uint8)
    return larger
