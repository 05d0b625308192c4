"""Memory that lasting processes give back."""

import ctypes
import mmap
from contextlib import suppress
from pathlib import Path
from typing import Final

_MAPPINGS: Final = Path("/proc/self/maps")
_CODE: Final = "r-xp"
"""Code that no one has written to: the kernel reads it from its file again when it is needed."""
_COMPILER: Final = "libllvmlite.so"
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_OWN_MAPPING_BYTES: Final = 5 << 19
"""A message with its columns is smaller: to map and to clear it each time would cost a sixth of a processor's time."""
_KEPT_BYTES: Final = 32 << 20
"""Free memory at the end of the heap that is kept for the next batch."""
_ARENAS: Final = 2


def give_back_compiler() -> None:
    """Take the compiler's code out of memory, once everything that is compiled was loaded (50 MB, measured)."""
    with suppress(OSError):
        for line in _MAPPINGS.read_text("utf-8").splitlines():
            addresses, rights, *_, file = line.split(maxsplit=5)
            if rights == _CODE and file.endswith(_COMPILER):
                start, end = (int(address, 16) for address in addresses.split("-"))
                ctypes.CDLL(None).madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)


def give_back_large_blocks() -> None:
    """Have large blocks given back to the system when they are freed: mallopt(3) of the GNU C library.

    By itself that library takes ever larger blocks from its heap, where small ones between them keep them: a processor
    that writes checkpoints of some megabytes grew by hundreds of megabytes under changing traffic (measured).
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_MMAP_THRESHOLD, _OWN_MAPPING_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_M_ARENA_MAX, _ARENAS)
