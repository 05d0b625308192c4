"""What rules compare of two segments of a sender, whichever record holds it."""

from typing import Any, NamedTuple

from processors.serial import signed
from segwatch.compilation import rare_kernel


class Header(NamedTuple):
    """A segment as a ``PIECE`` or a ``NOTE`` has it; all numbers are int64 (see there)."""

    start: int
    end: int
    time: int
    frame: int
    tsval: int
    ip_id: int
    ttl: int
    marks: int


@rare_kernel
def header_of(record: Any) -> Header:
    """Return what a ``PIECE`` or a ``NOTE`` remembers of its segment."""
    return Header(
        signed(record.start),
        signed(record.end),
        signed(record.time),
        signed(record.frame),
        signed(record.tsval),
        signed(record.ip_id),
        signed(record.ttl),
        signed(record.marks),
    )
