"""What a packet is known by at every sensor: the fields that nothing on the way changes, as one number."""

from typing import Any

import numpy as np

from processors.flow_table.lookup import source_is_greater
from processors.serial import signed
from segwatch.compilation import kernel
from segwatch.records.segments import SegmentColumns

_FACTOR = np.uint64(0x9FB21C651E98DF25)
_HALF = np.uint64(32)


@kernel
def _mixed(key: Any, high: int, low: int) -> Any:
    """Return 64 bits of a key and two more numbers below 2^32."""
    key = (key ^ np.uint64(high << 32 | low)) * _FACTOR
    return key ^ (key >> _HALF)


@kernel
def packet_keys(segments: SegmentColumns, conversations: Any, with_ip_id: bool, keys: Any, sides: Any) -> None:
    """Write the key ((N,) uint64) and the sending side ((N,) uint8) of each segment.

    Copies of a packet have equal keys. Those of two packets differ in all likelihood, unless all these fields agree.
    """
    for row in range(len(keys)):
        side = 1 if source_is_greater(segments, row) else 0
        ip_id = signed(segments.ip_id[row]) if with_ip_id else 0
        blocks = signed(segments.sack_count[row])
        key = _mixed(_FACTOR, signed(conversations[row]), side)
        key = _mixed(key, signed(segments.seq[row]), signed(segments.ack[row]))
        key = _mixed(key, signed(segments.tsval[row]), signed(segments.tsecr[row]))
        key = _mixed(key, signed(segments.payload_len[row]), signed(segments.flags[row]) << 16 | ip_id)
        key = _mixed(key, signed(segments.window[row]), blocks)
        for block in range(blocks):
            key = _mixed(key, signed(segments.sack[row, 2 * block]), signed(segments.sack[row, 2 * block + 1]))
        keys[row] = key
        sides[row] = side
