"""Explain conversations: of a capture, read once to choose and once more for their segments, or of the store."""

import json
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click
from rich.console import Console

from segwatch import __version__
from segwatch.errors import InputError
from segwatch.explain.ledger import Ledger
from segwatch.explain.picture import picture
from segwatch.explain.render import as_object, markdown, plain_text, print_story
from segwatch.explain.story import story_of
from segwatch.jobs.captures import Captures, captures_to_read_twice
from segwatch.jobs.explain.gather import ledgers
from segwatch.jobs.explain.harm import Harm
from segwatch.jobs.explain.selection import Wanted
from segwatch.jobs.pipeline import CapturePipeline
from segwatch.jobs.summary import Summary
from segwatch.jobs.totals import Totals
from segwatch.printable import printable

if TYPE_CHECKING:
    from segwatch.scope import Scope

_PLAIN_WIDTH: Final = 100


class Explained(NamedTuple):
    """A conversation to be told of."""

    ledger: Ledger
    source: dict[str, str]
    """Where the store has it from: ``sensor`` and ``session``; empty for one of a capture."""


@dataclass(frozen=True)
class ExplainJob:
    """What to explain, and in which form."""

    rules: str
    wanted: Wanted
    form: str
    """``text``, ``markdown`` or ``json``."""
    with_picture: bool

    def run(self, name: str) -> int:
        """Explain conversations of one capture; return the exit code. Raises InputError."""
        captures = captures_to_read_twice(name, "explain")
        harm = Harm()
        totals = self._totals(captures, harm)
        if totals is None:
            return captures.exit_code
        places = self.wanted.chosen(totals, totals.streams, harm.is_in(totals.streams))
        streams = totals.streams[places].tolist()
        found = [Explained(ledger, {}) for ledger in ledgers(captures.names[0], self.rules, streams)]
        self._write(captures.names[0], found, len(totals.conversations))
        return captures.exit_code

    def run_stored(self, store: str, scope: "Scope") -> int:
        """Explain conversations that the store has; return the exit code. Raises StoreError and InputError."""
        from segwatch.jobs.explain.stored import opened_conversations  # what talks to ClickHouse takes long to import

        with opened_conversations(store, scope, self.rules) as stored:
            found = [
                Explained(ledger, {"sensor": stored.sensor(key.session), "session": key.session})
                for key, ledger in stored.ledgers(stored.chosen(self.wanted))
            ]
            self._write(f"the store {stored.address} {scope.text}", found, len(stored.streams))
        return 0

    def _totals(self, captures: Captures, harm: Harm) -> Totals | None:
        """Analyse the capture; None where it cannot be read, which was said. Where the worst are wanted, judge it."""
        judges = not self.wanted.is_narrowed
        for pipeline in captures.each(lambda path: CapturePipeline(path, self.rules, judges=judges)):
            summary = Summary()
            segments = 0
            for batch in pipeline:
                segments += len(batch.segments.ts)
                summary.add_intervals(batch.closed, pipeline.engine.conversations)
                harm.add(batch.judged)
            for intervals in pipeline.remaining_intervals():
                summary.add_intervals(intervals, pipeline.engine.conversations)
            if captures.finished(pipeline.content(), segments):
                return summary.totals
        return None

    def _write(self, name: str, found: list[Explained], conversations: int) -> None:
        """Print the stories. Raises InputError where what was named is not among the conversations."""
        if not found and self.wanted.is_narrowed:
            raise InputError(self._nothing(name, conversations))
        if self.form == "json":
            stories = [one.source | as_object(story_of(one.ledger)) for one in found]
            document: dict[str, Any] = {"segwatch": __version__, "rules": self.rules, "name": name}
            document |= {"conversations": conversations, "explained": stories}
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))
            return
        if not found:
            click.echo(self._nothing(name, conversations))
        for place, one in enumerate(found):
            if place:
                click.echo()
            if one.source:
                click.echo(f"Of sensor {printable(one.source['sensor'])}, session {one.source['session']}:\n")
            self._write_one(one.ledger)

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
