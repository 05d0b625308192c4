"""Arithmetic on 32-bit sequence numbers (RFC 9293 section 3.4, in the form that Wireshark uses).

Numbers are int64 between 0 and 2^32-1. At a distance of exactly 2^31 both ``before`` and ``after`` hold.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from segwatch.compilation import kernel

MODULUS_MASK = 0xFFFFFFFF
HALF = 0x80000000


@kernel
def _signed(value: Any) -> Any:
    """Return an integer field of any width as int64: arithmetic on unsigned fields would wrap or turn to floats."""
    return np.int64(value)


signed: Callable[[Any], int] = _signed


@kernel
def _as_index(value: Any) -> Any:
    """Return a number that is not negative as an index of an array that is not asked whether it counts from the end.

    Numba asks that of every index of a signed type, at every use. It is for nothing else: arithmetic of it and of
    signed numbers would turn to floats.
    """
    return np.uint64(value)


as_index: Callable[[Any], int] = _as_index


@kernel
def distance(later: int, earlier: int) -> int:
    """Return ``later - earlier`` modulo 2^32."""
    return (later - earlier) & MODULUS_MASK


@kernel
def signed_distance(later: int, earlier: int) -> int:
    """Return ``later - earlier`` as a number from -2^31 to 2^31 - 1."""
    step = (later - earlier) & MODULUS_MASK
    return step if step < HALF else step - MODULUS_MASK - 1


@kernel
def before(a: int, b: int) -> bool:
    """Whether ``a`` comes before ``b``."""
    return ((a - b) & MODULUS_MASK) >= HALF


@kernel
def after(a: int, b: int) -> bool:
    """Whether ``a`` comes after ``b``."""
    return ((b - a) & MODULUS_MASK) >= HALF


@kernel
def not_after(a: int, b: int) -> bool:
    """Whether ``a`` equals ``b`` or comes before it."""
    return a == b or ((a - b) & MODULUS_MASK) >= HALF


@kernel
def shorter_than(elapsed: int, limit: int) -> bool:
    """Whether an elapsed time is below a limit, both in nanoseconds, compared as unsigned 64-bit numbers.

    So a negative elapsed time is longer than any limit, and a negative limit longer than any sane time.
    """
    if elapsed < 0:
        return limit < 0 and elapsed < limit
    return limit < 0 or elapsed < limit
