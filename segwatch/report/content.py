"""What a report is made of, wherever it was gathered: from a capture, or from the store."""

from typing import Any, NamedTuple

from segwatch.explain.story import Story
from segwatch.report.words import Statement
from segwatch.scope import Scope


class ToldConversation(NamedTuple):
    """A conversation that is told of."""

    story: Story
    plot: dict[str, Any] | None
    """Its time-sequence plot (``plots.sequence_plot``), None where it has no data."""
    source: str
    """Where it was captured, in sentences; empty where the whole report says so."""
    is_whole: bool
    """Whether it is made from all of its segments, rather than from labels and counters."""
    sql: list[str]
    """Queries for what the story is made from."""


class SensorQuality(NamedTuple):
    """What is known of the captures of one sensor; counters are those of the time that is reported on."""

    sensor: str
    sessions: int
    """Capture sessions that sent anything."""
    begun_sessions: int
    """Those of them that began in that time: each restart of a sensor begins one."""
    segments: int
    kernel_drops: int
    interface_drops: int
    shed_segments: int
    dropped_segments: int
    keep_one_in: int
    conversations_with_loss: int
    """Conversations that were captured while frames were lost."""
    suspect_labels: int
    """Labels that may speak of the capture rather than of the network."""
    last_heard: str
    """Time of the last heartbeat; empty where the sensor sends none, as those that read files."""
    problems: str


class Report(NamedTuple):
    """A report."""

    title: str
    about: str
    """What it is about, under the title."""
    summary: dict[str, Any]
    """Of docs/summary.md."""
    statements: list[Statement]
    """What has to be known beside the summary."""
    timeline: list[dict[str, Any]]
    """Plots over all of the time."""
    told: list[ToldConversation]
    quality: list[Statement]
    """What is to be said of how it was captured."""
    sensors: list[SensorQuality]
    scope: Scope
    """What the SQL of its figures asks for."""
    minutes: int
    """Width of a bin of the timeline in that SQL."""
    note: str
    """How it was made."""
