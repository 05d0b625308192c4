"""How compiled code is declared and where it is kept.

``@kernel`` marks the functions that run once per packet. They are compiled by Numba without the interpreter lock,
inlined into their callers, and the machine code is cached on disk. Kernels never allocate: Numba's run time for
allocation is switched off in them, for it would count references of every array at every call (measured: twenty
times slower where columns are passed on). Numba itself notices only a change of the file that holds an entry function,
not of the helpers that were compiled into it, so the cache folder is named by a digest of every source that can
hold kernels: code of another version is never loaded. Where that folder cannot be written, nothing is kept.

With ``NUMBA_DISABLE_JIT=1`` the same functions run as plain Python.
"""

import hashlib
import os
import platform
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
import platformdirs

COMPILED_PACKAGES = ("segwatch", "ingest", "processors", "sinks")
_COMPILED_MARKS = (b"@kernel", b"@inner_kernel", b"@rare_kernel", b"@callback")
_ROOT = Path(__file__).resolve().parent.parent
_Function = TypeVar("_Function", bound=Callable[..., Any])


@cache
def sources_digest() -> str:
    """Return a hexadecimal digest of all sources that can hold kernels and of what else decides their code.

    Their place is part of it: Numba finds its files by that, so those of one installation are nothing to another.
    """
    digest = hashlib.blake2b(digest_size=10)
    versions = numba.__version__, np.__version__, platform.python_version(), os.environ.get("NUMBA_BOUNDSCHECK", "")
    for part in (str(_ROOT), *versions):
        digest.update(os.fsencode(part) + b"\0")
    for package in COMPILED_PACKAGES:
        for path in sorted((_ROOT / package).rglob("*.py")):
            content = path.read_bytes()
            if any(mark in content for mark in _COMPILED_MARKS):
                digest.update(path.name.encode() + b"\0" + content)
    return digest.hexdigest()


def kernels_directory() -> Path:
    """Return the folder of the machine code for exactly these sources.

    It is what ``NUMBA_CACHE_DIR`` says, else a folder under ``SEGWATCH_CACHE_DIR``, else one under the user's cache
    folder.
    """
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(chosen)
    base = os.environ.get("SEGWATCH_CACHE_DIR") or platformdirs.user_cache_dir("segwatch")
    return Path(base) / "kernels" / sources_digest()


def kernels_are_kept() -> bool:
    """Return whether machine code can be written to its folder; makes the folder."""
    with suppress(OSError):
        kernels_directory().mkdir(parents=True, exist_ok=True)
    return os.access(kernels_directory(), os.W_OK | os.X_OK)


# Numba makes the attributes of its configuration at run time, so the type checker knows none.
numba.config.CACHE_DIR = str(kernels_directory())  # type: ignore[attr-defined]
_KEPT: Final = kernels_are_kept()
_KERNEL_OPTIONS: Final[dict[str, Any]] = {
    "nogil": True,
    "cache": _KEPT,
    "error_model": "numpy",
    "forceinline": True,
    "_nrt": False,
}
_INNER_OPTIONS: Final[dict[str, Any]] = {
    **_KERNEL_OPTIONS,
    "cache": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}


def kernel(function: _Function) -> _Function:
    """Compile ``function`` on its first call; it may touch only its arguments and runs without the interpreter lock."""
    return cast("_Function", numba.njit(**_KERNEL_OPTIONS)(function))


def inner_kernel(function: _Function) -> _Function:
    """Compile ``function`` like a ``kernel`` that only kernels call: it is part of their code, and nothing else.

    What Python needs to call it, and a copy on disk of its own, take more than half of the time of compiling it.
    Called from Python it would crash.
    """
    return cast("_Function", numba.njit(**_INNER_OPTIONS)(function))


def rare_kernel(function: _Function) -> _Function:
    """Compile ``function`` like an ``inner_kernel`` that few packets need: it is called instead of inlined.

    So its code is there once, not at every place that calls it and in all that these are inlined into; and what most
    packets need stays short. A call that passes columns on costs some 100 ns.
    """
    return cast("_Function", numba.njit(**{**_INNER_OPTIONS, "forceinline": False})(function))


def callback(signature: str) -> Callable[[_Function], Any]:
    """Compile a function at once into one that C code can call; its ``address`` is what to pass.

    It is compiled with ``NUMBA_DISABLE_JIT=1`` too, so it may call no ``@kernel`` function.
    """
    return cast("Callable[[_Function], Any]", numba.cfunc(signature, cache=_KEPT))
