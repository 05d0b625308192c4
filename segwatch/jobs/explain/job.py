"""Explain conversations of a capture: once through it to choose them, once more to take their segments."""

import json
import shutil
import sys
from dataclasses import dataclass
from typing import Final

import click
from rich.console import Console

from segwatch import __version__
from segwatch.explain.ledger import Ledger
from segwatch.explain.picture import picture
from segwatch.explain.render import as_object, markdown, plain_text, print_story
from segwatch.explain.story import story_of
from segwatch.jobs.captures import Captures, captures_to_read_twice
from segwatch.jobs.explain.gather import ledgers
from segwatch.jobs.explain.selection import Wanted
from segwatch.jobs.pipeline import CapturePipeline
from segwatch.jobs.summary import Summary
from segwatch.jobs.totals import Totals

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
        captures = captures_to_read_twice(name, "explain")
        totals = self._totals(captures)
        if totals is None:
            return captures.exit_code
        streams = self.wanted.streams(totals)
        found = list(ledgers(captures.names[0], self.rules, streams))
        self._write(captures.names[0], found, len(totals.conversations))
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

    def _write(self, name: str, found: list[Ledger], conversations: int) -> None:
        if self.form == "json":
            stories = [as_object(story_of(ledger)) for ledger in found]
            capture = {"name": name, "conversations": conversations, "explained": stories}
            click.echo(
                json.dumps({"segwatch": __version__, "rules": self.rules, **capture}, indent=2, ensure_ascii=False)
            )
            return
        if not found:
            click.echo(self._nothing(name, conversations))
        for place, ledger in enumerate(found):
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
