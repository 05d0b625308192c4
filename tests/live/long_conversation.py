"""One conversation with very many segments through a processor's partition."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from processors.engine import FOR_EVER, Scratch
from processors.stream.partition import Partition
from processors.stream.settings import StreamSettings
from segwatch.messages.segments import MOST_ROWS, SegmentsHeader, write_segments
from segwatch.records.segments import SegmentColumns, take_segments
from tests.processors.builder import CLIENT, SERVER, Segment, columns, handshake

BYTES_A_SEGMENT = 1448
_PERIOD = 64
"""Of so many segments one is an acknowledgment, of the half before it, and one is sent again."""
_STEP_NANOSECONDS = 10_000
_SETTINGS = StreamSettings(partitions=1, timeouts=FOR_EVER)


def _pattern() -> SegmentColumns:
    """Return the segments of a message, whose numbers and times still lack where the message stands."""
    described = []
    for row in range(MOST_ROWS):
        at, place = row * _STEP_NANOSECONDS / 1e6, row % _PERIOD
        if place == _PERIOD - 1:
            described.append(Segment(at, SERVER, "A", 5001, (row - _PERIOD // 2) * BYTES_A_SEGMENT))
        else:
            sent = row - 1 if place == _PERIOD // 2 else row
            described.append(Segment(at, CLIENT, "A", sent * BYTES_A_SEGMENT, 5001, BYTES_A_SEGMENT))
    return columns(described)


def partition_with_one(segments: int) -> dict[str, Any]:
    """Let a partition apply so many segments of one conversation; return what that took.

    The figures of memory, of this process, are taken after an eighth of them and at the end.
    """
    partition, pattern = Partition(0, _SETTINGS, Scratch()), _pattern()
    opening = columns(handshake())
    found = rows = offset = 0
    early: dict[str, int] = {}
    began = time.process_time()
    while rows < segments:
        if offset:
            shift = (rows * BYTES_A_SEGMENT) % 2**32
            moved = pattern._replace(
                ts=pattern.ts + rows * _STEP_NANOSECONDS + 1_000_000_000,
                frame=pattern.frame + rows,
                seq=np.where(pattern.payload_len > 0, pattern.seq + np.uint32(shift), pattern.seq),
                ack=np.where(pattern.payload_len > 0, pattern.ack, pattern.ack + np.uint32(shift)),
            )
            part = take_segments(moved, slice(0, segments - rows))
        else:
            part = opening
        now = int(part.ts[-1])
        header = SegmentsHeader("long", "0" * 32, offset, 0, 1, now, True, False, "eth0", 256, 0)
        applied = partition.apply(offset, now // 1_000_000, write_segments(part, header))
        assert applied.refused is None
        found += len(applied.outgoing)
        rows, offset = rows + len(part.ts), offset + 1
        if not early and rows >= segments // 8:
            early = _memory(partition)
    return {
        "segments": rows,
        "conversations": partition.conversations,
        "messages_of_findings": found,
        "cpu_seconds": round(time.process_time() - began, 1),
        "after_an_eighth": early,
        "at_the_end": _memory(partition),
    }


def _memory(partition: Partition) -> dict[str, int]:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return {
        "resident_mb": next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1000,
        "checkpoint_bytes": sum(len(value or b"") for _, value in partition.checkpoint()),
    }
