"""Explain conversations of a capture: once through it to choose them, once more to take their segments."""

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import click
import numpy as np
from rich.console import Console

from segwatch import __version__
from segwatch.errors import InputError, UsageError
from segwatch.explain.ledger import Ledger
from segwatch.explain.picture import picture
from segwatch.explain.render import as_object, markdown, plain_text, print_story
from segwatch.explain.story import story_of
from segwatch.jobs.captures import Captures
from segwatch.jobs.explain.selection import Wanted
from segwatch.jobs.pipeline import CapturePipeline
from segwatch.jobs.summary import Summary
from segwatch.jobs.totals import Totals
from segwatch.records.findings import FindingColumns, take_findings
from segwatch.records.segments import SegmentColumns, join_segments, take_segments

MOST_SEGMENTS: Final = 1 << 20
"""Segments of a conversation that are looked at, about 250 bytes each; its story ends there."""
_PLAIN_WIDTH: Final = 100


@dataclass(frozen=True)
class ExplainJob:
    """What to explain, and in which form."""

    rules: str
    wanted: Wanted
    form: str
    """``text``, ``markdown`` or ``json``."""
    with_picture: bool

    def run(self, name: str) -> int:
        """Explain conversations of one capture; return the exit code."""
        if name == "-":
            raise UsageError("explain reads a capture twice, so standard input will not do: save it to a file.")
        captures = Captures((name,))
        if len(captures.names) != 1:
            raise UsageError(f"{name} is {len(captures.names)} captures: explain takes one.")
        totals = self._totals(captures)
        if totals is None:
            return captures.exit_code
        streams = self.wanted.streams(totals)
        ledgers = list(_ledgers(captures.names[0], self.rules, streams)) if streams else []
        self._write(captures.names[0], ledgers, len(totals.conversations))
        return captures.exit_code

    def _totals(self, captures: Captures) -> Totals | None:
        """Analyse the capture; None where it cannot be read, which was said."""
        for pipeline in captures.each(lambda path: CapturePipeline(path, self.rules)):
            summary = Summary()
            segments = 0
            for batch in pipeline:
                segments += len(batch.segments.ts)
                summary.add_intervals(batch.closed, pipeline.engine.conversations)
            for intervals in pipeline.remaining_intervals():
                summary.add_intervals(intervals, pipeline.engine.conversations)
            if captures.finished(pipeline.content(), segments):
                return summary.totals
        return None

    def _write(self, name: str, ledgers: list[Ledger], conversations: int) -> None:
        if self.form == "json":
            stories = [as_object(story_of(ledger)) for ledger in ledgers]
            found = {"name": name, "conversations": conversations, "explained": stories}
            click.echo(
                json.dumps({"segwatch": __version__, "rules": self.rules, **found}, indent=2, ensure_ascii=False)
            )
            return
        if not ledgers:
            click.echo(self._nothing(name, conversations))
        for place, ledger in enumerate(ledgers):
            if place:
                click.echo()
            self._write_one(ledger)

    def _write_one(self, ledger: Ledger) -> None:
        story = story_of(ledger)
        colored = self.form == "text" and sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if colored else _PLAIN_WIDTH
        drawn = picture(ledger, width, colored=colored) if self.with_picture else ""
        if self.form == "markdown":
            click.echo("\n".join(markdown(story, drawn)))
        elif colored:
            print_story(Console(width=width, highlight=False, emoji=False, markup=False), story, drawn)
        else:
            click.echo(plain_text(story, drawn, width))

    def _nothing(self, name: str, conversations: int) -> str:
        if not conversations:
            return f"{name} has no TCP conversations."
        if self.wanted.is_narrowed:
            return f"{name} has no such conversation among its {conversations:,}."
        many = f"any of the {conversations:,} conversations" if conversations > 1 else "the only conversation"
        return f"Nothing is wrong with {many} in {name} (--stream NUMBER explains one all the same)."


def _ledgers(name: str, rules: str, streams: list[int]) -> Iterator[Ledger]:
    """Yield the conversations with these numbers, in that order."""
    parts: dict[int, list[tuple[SegmentColumns, FindingColumns]]] = {stream: [] for stream in streams}
    taken = dict.fromkeys(streams, 0)
    cut: set[int] = set()
    with CapturePipeline(name, rules) as pipeline:
        for segments, findings, _ in pipeline:
            for stream in streams:
                rows = np.flatnonzero(findings.stream == stream)
                room = MOST_SEGMENTS - taken[stream]
                if len(rows) > room:
                    cut.add(stream)
                    rows = rows[:room]
                if len(rows):
                    taken[stream] += len(rows)
                    parts[stream].append((take_segments(segments, rows), take_findings(findings, rows)))
    for stream in streams:
        if not parts[stream]:
            raise InputError(f"{name} has changed while it was read.")
        segments = join_segments([part for part, _ in parts[stream]])
        columns = zip(*(part for _, part in parts[stream]), strict=True)
        findings = FindingColumns(*(np.concatenate(column) for column in columns))
        yield Ledger(stream, segments, findings, is_cut=stream in cut)
