"""What a recorder has published, and labels of it."""

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from processors.engine import Engine
from segwatch.kafka.topics import SEGMENTS, SENSORS
from segwatch.messages.partitioning import conversation_hashes
from segwatch.messages.segments import SegmentsHeader, read_segments
from segwatch.messages.status import SensorStatus, read_status
from segwatch.output.target import OutputTarget
from segwatch.output.writers import open_writer
from segwatch.records.findings import empty_findings
from segwatch.records.segments import SegmentColumns, join_segments, take_segments
from tests.live.recorder import PARTITIONS, messages


class Recorded(NamedTuple):
    """A capture session."""

    headers: list[SegmentsHeader]
    segments: SegmentColumns
    """In the order of their frames."""

    @property
    def interface(self) -> str:
        """What was captured."""
        return self.headers[0].interface


def sessions(path: Path) -> list[Recorded]:
    """Return the sessions in the order of their beginnings; checks that each is whole."""
    found: dict[str, list[tuple[SegmentsHeader, SegmentColumns]]] = defaultdict(list)
    for message in messages(path):
        if message.topic == SEGMENTS:
            header, segments = read_segments(message.value)
            found[header.session].append((header, segments))
    return [_session(made) for made in found.values()]


def _session(made: list[tuple[SegmentsHeader, SegmentColumns]]) -> Recorded:
    headers = [header for header, _ in made]
    for partition in range(PARTITIONS):
        own = [header for header in headers if header.partition == partition]
        assert [header.batch for header in own] == list(range(len(own)))
        assert [header.last for header in own] == [False] * (len(own) - 1) + [True]
    assert all(header.live for header in headers)
    rows = join_segments([segments for _, segments in made])
    return Recorded(headers, take_segments(rows, np.argsort(rows.frame, kind="stable")))


def statuses(path: Path) -> list[SensorStatus]:
    """Return what the sensor said of itself."""
    return [read_status(message.value) for message in messages(path) if message.topic == SENSORS]


def kept_at(segments: SegmentColumns, keep_one_in: int) -> SegmentColumns:
    """Return the segments of the conversations that are kept at a level."""
    rows = np.flatnonzero(conversation_hashes(segments) >> np.uint64(65 - keep_one_in.bit_length()) == 0)
    return take_segments(segments, rows)


def write_labels(segments: SegmentColumns, path: Path) -> list[str]:
    """Write what ``segwatch labels`` would say of these segments; return the lines."""
    findings = empty_findings(len(segments.ts))
    Engine().analyze(segments, findings)
    with OutputTarget(str(path)) as target:
        writer = open_writer("tsv", target, with_file=False)
        writer.write(segments, findings, None)
        writer.close()
    return path.read_text(encoding="utf-8").splitlines()
