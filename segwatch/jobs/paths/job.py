"""The job behind ``segwatch paths``: several captures of the same connections, and where packets were lost between."""

import json
from dataclasses import dataclass

import click
import numpy as np

from processors.paths.network import Sensor, trace
from segwatch import __version__
from segwatch.errors import InputError, UsageError
from segwatch.jobs.captures import Captures
from segwatch.jobs.content import Content
from segwatch.jobs.decoding import DecodedCapture
from segwatch.jobs.paths.render import print_paths
from segwatch.jobs.paths.rows import write_events
from segwatch.jobs.paths.summary import summarize
from segwatch.jobs.progress import progress_of
from segwatch.records.segments import empty_segments, join_segments, take_segments
from segwatch.vocabulary import Quality

_LEAST_CAPTURES = 2
_NO_PACKET = int(Quality.QUOTED_IN_ICMP | Quality.HEADER_UNREADABLE | Quality.HEADER_CUT)


@dataclass(frozen=True)
class PathsJob:
    """What to print."""

    as_json: bool
    as_events: bool

    def run(self, arguments: tuple[str, ...]) -> int:
        """Read all captures, compare them, print; return the exit code."""
        captures = Captures(arguments)
        if len(captures.names) < _LEAST_CAPTURES and len(arguments) < _LEAST_CAPTURES:
            raise UsageError("paths compares captures of the same connections: name two or more.")
        sensors: list[Sensor] = []
        names: list[str] = []
        frames: list[int] = []
        for capture in captures.each(DecodedCapture):
            sensor, content = sensor_of(capture)
            if not captures.finished(content, len(sensor.segments.ts)):
                continue
            sensors.append(sensor)
            names.append(content.name)
            frames.append(content.frames)
        if len(sensors) < _LEAST_CAPTURES:
            raise InputError("paths compares two captures or more, and fewer than two can be read.")
        paths = trace(sensors)
        names, frames = ([column[place] for place in paths.order] for column in (names, frames))
        if self.as_events:
            write_events(paths, names)
            return captures.exit_code
        summary = summarize(paths, names, frames)
        if self.as_json:
            click.echo(json.dumps({"segwatch": __version__, **summary}, indent=2, ensure_ascii=False))
        else:
            print_paths(summary)
        return captures.exit_code


def sensor_of(capture: DecodedCapture) -> tuple[Sensor, Content]:
    """Read a capture; return the segments that went by there themselves, one for each frame, and what it held."""
    parts = []
    with progress_of(capture.reader.name, capture.reader) as show:
        for batch in capture:
            wanted = batch.quality & _NO_PACKET == 0
            wanted[1:] &= batch.frame[1:] != batch.frame[:-1]
            parts.append(take_segments(batch, np.flatnonzero(wanted)))
            show()
    content = capture.content()
    return Sensor(join_segments(parts) if parts else empty_segments(0), content.first, content.last), content
