"""Numbers out of the bytes of a frame: the only reads of the decoder, so none can wrap around or touch floats.

Offsets are turned to unsigned ones. Compiled, that spares the code for negative indices; uncompiled, a negative offset
raises OverflowError, and one beyond the end raises IndexError. The compiler merges the bytes into one load.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from segwatch.compilation import kernel


@kernel
def _load_8(buffer: Any, offset: int) -> Any:
    """Return the byte at ``offset`` as int64."""
    return np.int64(buffer[np.uint64(offset)])


load_8: Callable[[Any, int], int] = _load_8


@kernel
def load_16(buffer: Any, offset: int) -> int:
    """Return the big-endian 16-bit number at ``offset`` as int64."""
    return load_8(buffer, offset) << 8 | load_8(buffer, offset + 1)


@kernel
def load_32(buffer: Any, offset: int) -> int:
    """Return the big-endian 32-bit number at ``offset`` as int64."""
    return (
        load_8(buffer, offset) << 24
        | load_8(buffer, offset + 1) << 16
        | load_8(buffer, offset + 2) << 8
        | load_8(buffer, offset + 3)
    )


@kernel
def load_memory_32(buffer: Any, offset: int) -> int:
    """Return the little-endian 32-bit number at ``offset`` as int64."""
    return (
        load_8(buffer, offset)
        | load_8(buffer, offset + 1) << 8
        | load_8(buffer, offset + 2) << 16
        | load_8(buffer, offset + 3) << 24
    )


@kernel
def load_memory_64(buffer: Any, offset: int) -> int:
    """Return eight bytes as a little-endian machine holds them in a 64-bit number (the sign bit is one of them).

    Address columns hold the bytes as they are on the wire.
    """
    return load_memory_32(buffer, offset) | load_memory_32(buffer, offset + 4) << 32
