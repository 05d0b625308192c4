"""What a peer has acknowledged selectively: a few ranges of each sender in trouble (RFC 2018, RFC 6675)."""

from typing import Any

from processors.serial import after, before, distance, not_after, signed
from processors.verdicts.state import MOST_RANGES
from segwatch.compilation import rare_kernel


@rare_kernel
def _remove(trouble: Any, index: int) -> None:
    trouble.ranges -= 1
    for place in range(index, signed(trouble.ranges)):
        trouble.left[place] = trouble.left[place + 1]
        trouble.right[place] = trouble.right[place + 1]


@rare_kernel
def add(trouble: Any, left: int, right: int) -> None:
    """Take in a block; of too many ranges the oldest goes."""
    index = 0
    while index < signed(trouble.ranges):
        other_left = signed(trouble.left[index])
        other_right = signed(trouble.right[index])
        if not_after(left, other_right) and not_after(other_left, right):
            if before(other_left, left):
                left = other_left
            if after(other_right, right):
                right = other_right
            _remove(trouble, index)
        else:
            index += 1
    if trouble.ranges == MOST_RANGES:
        _remove(trouble, 0)
    place = signed(trouble.ranges)
    trouble.left[place] = left
    trouble.right[place] = right
    trouble.ranges += 1


@rare_kernel
def forget_below(trouble: Any, ack: int) -> None:
    """Drop what is acknowledged cumulatively."""
    index = 0
    while index < signed(trouble.ranges):
        if not_after(signed(trouble.right[index]), ack):
            _remove(trouble, index)
        else:
            if before(signed(trouble.left[index]), ack):
                trouble.left[index] = ack
            index += 1


@rare_kernel
def holds(trouble: Any, start: int, end: int) -> bool:
    """Whether all from ``start`` to ``end`` is acknowledged selectively."""
    for index in range(signed(trouble.ranges)):
        if not_after(signed(trouble.left[index]), start) and not_after(end, signed(trouble.right[index])):
            return True
    return False


@rare_kernel
def end_of_part(trouble: Any, start: int, end: int) -> int:
    """Return up to where, ``end`` at most, all is acknowledged selectively as ``start`` is, or as little."""
    for index in range(signed(trouble.ranges)):
        left = signed(trouble.left[index])
        right = signed(trouble.right[index])
        edge = right if not_after(left, start) else left
        if after(edge, start) and before(edge, end):
            end = edge
    return end


@rare_kernel
def bytes_above(trouble: Any, seq: int) -> int:
    """Return how much above ``seq`` is acknowledged selectively."""
    total = 0
    for index in range(signed(trouble.ranges)):
        left = signed(trouble.left[index])
        right = signed(trouble.right[index])
        if not_after(seq, left):
            total += distance(right, left)
        elif before(seq, right):
            total += distance(right, seq)
    return total
