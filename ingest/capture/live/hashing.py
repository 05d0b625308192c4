"""Hashes for the tables that remember segments while they are captured.

Collisions can be made by who chooses addresses and ports: a table here may then miss something, and nothing else.
"""

from typing import Any, Final

import numpy as np

from segwatch.compilation import kernel
from segwatch.messages.partitioning import mixed
from segwatch.records.segments import SegmentColumns

FACTORS: Final = tuple(
    np.uint64(factor)
    for factor in (
        0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93,
        0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3,
    )
)  # fmt: skip
"""Odd numbers: two rows that differ in one word alone never have the same sum of products."""
_HIGH, _LOW, _PORT = FACTORS[:3]


@kernel
def _end(address: Any, port: Any, row: int) -> Any:
    return mixed(address[row, 0] * _HIGH + address[row, 1] * _LOW + np.uint64(port[row]) * _PORT)


@kernel
def end_hashes(segments: SegmentColumns, row: int) -> tuple[Any, Any]:
    """Return a hash (uint64) of the source's address and port, and one of the destination's."""
    return _end(segments.src, segments.sport, row), _end(segments.dst, segments.dport, row)
