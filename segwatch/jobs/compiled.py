"""Whether everything is compiled already, for exactly this code on this kind of processor."""

from contextlib import suppress

import numba
from llvmlite import binding

from segwatch.compilation import kernels_directory, sources_digest

_MARK = "warm"


def is_warm() -> bool:
    """Return whether everything was compiled once and remembered."""
    with suppress(OSError):
        return (kernels_directory() / _MARK).read_text("utf-8") == _mark()
    return False


def remember_warm() -> None:
    """Note that everything is compiled."""
    kernels_directory().mkdir(parents=True, exist_ok=True)
    (kernels_directory() / _MARK).write_text(_mark(), "utf-8")


def _mark() -> str:
    return f"{sources_digest()} {_processor()}"


def _processor() -> str:
    """Return what machine code depends on: this processor, or the one that ``NUMBA_CPU_NAME`` says."""
    # Numba makes the attributes of its configuration at run time, so the type checker knows none.
    name, features = numba.config.CPU_NAME, numba.config.CPU_FEATURES  # type: ignore[attr-defined]
    if features is None:
        features = binding.get_host_cpu_features().flatten()
    return f"{name or binding.get_host_cpu_name()} {features}"
