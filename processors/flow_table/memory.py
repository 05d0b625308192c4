"""Zeroed memory for arrays that grow: large ones on huge pages, so that millions of page faults are spared."""

import contextlib
import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

HUGE = 4 << 20
"""Bytes from which an array gets pages of its own."""


def zeroed(rows: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return an array of zeros; memory that is not written to is not used."""
    size = rows * dtype.itemsize
    if size < HUGE:
        return np.zeros(rows, dtype)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        # A kernel without huge pages refuses: the array works all the same.
        with contextlib.suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, dtype)


def grown(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array of twice the length that begins with the old content; the rest is zero."""
    larger = zeroed(2 * len(array), array.dtype)
    # As bytes: NumPy copies records field by field.
    larger.view(np.uint8)[: array.nbytes] = array.view(np.uint8)
    return larger
