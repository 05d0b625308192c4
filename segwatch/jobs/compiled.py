"""Whether everything is compiled already, for exactly this code on this kind of processor."""

import os
from contextlib import suppress
from pathlib import Path

from llvmlite import binding

from segwatch.compilation import kernels_directory

_MARK = "warm"


def compiled_directory() -> Path:
    """Return the folder that Numba keeps the machine code in."""
    return Path(os.environ.get("NUMBA_CACHE_DIR") or kernels_directory())


def is_warm() -> bool:
    """Return whether everything was compiled once and remembered."""
    with suppress(OSError):
        return (compiled_directory() / _MARK).read_text("utf-8") == _processor()
    return False


def remember_warm() -> None:
    """Note that everything is compiled."""
    compiled_directory().mkdir(parents=True, exist_ok=True)
    (compiled_directory() / _MARK).write_text(_processor(), "utf-8")


def _processor() -> str:
    """Return what machine code depends on."""
    return f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}"
