"""Compiled writers of single values into a byte buffer.

Every function takes the buffer ``out`` ((B,) uint8) and the position ``at`` where to write, and returns the position
after what it wrote. The caller sees to it that there is room (``ROW_LIMIT`` of ``output.text``).
"""

from typing import Any

import numpy as np

from segwatch.compilation import kernel

_ZERO = ord("0")
_MINUS = ord("-")
_DOT = ord(".")
_COLON = ord(":")
_LETTER = ord("a") - 10
_BILLION = 1_000_000_000
_OCTETS = np.array([[*f"{octet:<3}".encode(), len(str(octet))] for octet in range(256)], np.uint8)
"""Three characters for each octet, and how many of them count."""


@kernel
def put_bytes(out: Any, at: int, source: Any, start: int, end: int) -> int:
    """Copy ``source[start:end]``."""
    for index in range(start, end):
        out[at] = source[index]
        at += 1
    return at


@kernel
def _put_pair(out: Any, at: int, value: int) -> None:
    """Write ``value`` < 100 as two digits."""
    tens = value * 103 >> 10  # value // 10 for value < 179, several times faster than a division
    out[at] = _ZERO + tens
    out[at + 1] = _ZERO + value - 10 * tens


@kernel
def _put_two_pairs(out: Any, at: int, value: int) -> None:
    """Write ``value`` < 10,000 as four digits."""
    hundreds = value * 5243 >> 19  # value // 100 for value < 43,699
    _put_pair(out, at, hundreds)
    _put_pair(out, at + 2, value - 100 * hundreds)


@kernel
def _decimal_digits(value: int) -> int:
    """Return how many digits ``value`` >= 0 has."""
    digits = 1
    while value >= 10_000:
        value //= 10_000
        digits += 4
    if value >= 1000:
        return digits + 3
    if value >= 100:
        return digits + 2
    return digits + 1 if value >= 10 else digits


@kernel
def put_natural(out: Any, at: int, value: int) -> int:
    """Write ``value`` >= 0 in decimal."""
    if value < 10:
        out[at] = _ZERO + value
        return at + 1
    end = at + _decimal_digits(value)
    index = end
    while value >= 10_000:
        rest = value // 10_000
        index -= 4
        _put_two_pairs(out, index, value - 10_000 * rest)
        value = rest
    if value >= 100:
        hundreds = value * 5243 >> 19
        index -= 2
        _put_pair(out, index, value - 100 * hundreds)
        value = hundreds
    if value >= 10:
        _put_pair(out, index - 2, value)
    else:
        out[index - 1] = _ZERO + value
    return end


@kernel
def put_integer(out: Any, at: int, value: int) -> int:
    """Write ``value`` > -2**63 in decimal."""
    if value < 0:
        out[at] = _MINUS
        return put_natural(out, at + 1, -value)
    return put_natural(out, at, value)


@kernel
def put_seconds(out: Any, at: int, nanoseconds: int) -> int:
    """Write a time of any 64-bit number of nanoseconds as seconds with nine decimal places."""
    seconds = nanoseconds // _BILLION
    fraction = nanoseconds - seconds * _BILLION
    if nanoseconds < 0:
        out[at] = _MINUS
        at += 1
        seconds = -seconds
        if fraction > 0:  # the division rounded away from zero
            seconds -= 1
            fraction = _BILLION - fraction
    at = put_natural(out, at, seconds)
    out[at] = _DOT
    high = fraction // 100_000
    low = fraction - high * 100_000
    tens = low // 10
    _put_two_pairs(out, at + 1, high)
    _put_two_pairs(out, at + 5, tens)
    out[at + 9] = _ZERO + low - 10 * tens
    return at + 10


@kernel
def put_nibble(out: Any, at: int, value: int) -> int:
    """Write one hexadecimal digit in lower case."""
    out[at] = (_ZERO if value < 10 else _LETTER) + value
    return at + 1


@kernel
def put_flags(out: Any, at: int, flags: int) -> int:
    """Write a 16-bit number as ``0x`` and four digits."""
    out[at] = _ZERO
    out[at + 1] = ord("x")
    for shift in range(12, -1, -4):
        put_nibble(out, at + 5 - shift // 4, flags >> shift & 15)
    return at + 6


@kernel
def put_ipv4(out: Any, at: int, addresses: Any, row: int) -> int:
    """Write the last four of the 16 bytes of ``addresses[row]`` in dotted form; up to three bytes after it change."""
    for index in range(12, 16):
        octet = int(addresses[row, index])
        for digit in range(3):  # all three: no branch that could be guessed wrong
            out[at + digit] = _OCTETS[octet, digit]
        at += int(_OCTETS[octet, 3])
        out[at] = _DOT
        at += 1
    return at - 1


@kernel
def _group(addresses: Any, row: int, index: int) -> int:
    return int(addresses[row, 2 * index]) << 8 | int(addresses[row, 2 * index + 1])


@kernel
def _longest_run_of_zeros(addresses: Any, row: int) -> tuple[int, int]:
    """Return first group and length of the run that ``::`` stands for (RFC 5952 section 4.2); length 0: none."""
    best_start, best_length = 0, 1  # one group alone is not shortened
    length = 0
    for index in range(8):
        length = length + 1 if _group(addresses, row, index) == 0 else 0
        if length > best_length:
            best_start, best_length = index - length + 1, length
    return best_start, best_length if best_length > 1 else 0


@kernel
def _put_group(out: Any, at: int, group: int) -> int:
    """Write a 16-bit group in hexadecimal without leading zeros."""
    if group >= 0x1000:
        at = put_nibble(out, at, group >> 12)
    if group >= 0x100:
        at = put_nibble(out, at, group >> 8 & 15)
    if group >= 0x10:
        at = put_nibble(out, at, group >> 4 & 15)
    return put_nibble(out, at, group & 15)


@kernel
def is_ipv4_mapped(addresses: Any, row: int) -> bool:
    """Return whether ``addresses[row]`` lies in ::ffff:0:0/96 (RFC 4291 section 2.5.5.2)."""
    for index in range(10):
        if addresses[row, index] != 0:
            return False
    return bool(addresses[row, 10] == 0xFF and addresses[row, 11] == 0xFF)


@kernel
def put_ipv6(out: Any, at: int, addresses: Any, row: int) -> int:
    """Write the 16 bytes of ``addresses[row]`` as RFC 5952 says; IPv4-mapped ones end dotted (section 5)."""
    mapped = is_ipv4_mapped(addresses, row)
    groups = 6 if mapped else 8
    start, length = _longest_run_of_zeros(addresses, row)
    index = 0
    while index < groups:
        if length > 0 and index == start:
            out[at] = _COLON
            at += 1
            index += length
            if index == groups:
                out[at] = _COLON
                at += 1
            continue
        if index > 0:
            out[at] = _COLON
            at += 1
        at = _put_group(out, at, _group(addresses, row, index))
        index += 1
    if mapped:
        out[at] = _COLON
        at = put_ipv4(out, at + 1, addresses, row)
    return at


@kernel
def put_address(out: Any, at: int, addresses: Any, row: int, ipv6: bool) -> int:
    """Write the 16 bytes of ``addresses[row]``: dotted for IPv4, else the form of RFC 5952."""
    if ipv6:
        return put_ipv6(out, at, addresses, row)
    return put_ipv4(out, at, addresses, row)
