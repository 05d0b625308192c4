"""The job behind ``segwatch analyze``: findings to the store, a summary to the user."""

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from segwatch import __version__
from segwatch.errors import StoreError
from segwatch.jobs.captures import Captures
from segwatch.jobs.pipeline import CapturePipeline
from segwatch.jobs.progress import progress_of
from segwatch.jobs.summary import Summary

if TYPE_CHECKING:
    from segwatch.jobs.keeping import Keeper

NO_STORE = "none"


@dataclass(frozen=True)
class AnalyzeJob:
    """How to analyse, and what to do with the result."""

    rules: str
    store: str
    store_segments: bool
    sensor: str
    """Under which name of a sensor the store gets them."""
    as_json: bool

    def run(self, arguments: tuple[str, ...]) -> int:
        """Analyse all captures; return the exit code."""
        captures = Captures(arguments)
        summaries: list[dict[str, Any]] = []
        try:
            self._analyse_all(captures, summaries)
        except StoreError:
            if summaries and self.as_json:  # what was found is worth having, though it cannot be kept
                self._print_object(summaries)
            raise
        if self.as_json:
            self._print_object(summaries)
        return captures.exit_code

    def _analyse_all(self, captures: Captures, summaries: list[dict[str, Any]]) -> None:
        """Analyse all captures into ``summaries`` and the store."""
        with self._keeper() as keeper:
            named = self.as_json or keeper is not None
            for pipeline in captures.each(
                partial(CapturePipeline, rules=self.rules, named=named, judges=keeper is not None)
            ):
                summary = analyse(pipeline, keeper)
                if not captures.finished(pipeline.content(), summary["segments"]):
                    continue
                if not self.as_json:
                    _show(summary)
                summaries.append(summary)
                if keeper is not None:
                    counts = summary["segments"], summary["conversations"]
                    outcome = keeper.store(pipeline.content(), *counts, self.rules)
                    if not self.as_json:
                        click.echo(outcome)

    def _print_object(self, summaries: list[dict[str, Any]]) -> None:
        document = {"segwatch": __version__, "rules": self.rules, "captures": summaries}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))

    def _keeper(self) -> "AbstractContextManager[Keeper | None]":
        if self.store == NO_STORE:
            return nullcontext()
        from segwatch.jobs.keeping import Keeper  # what talks to ClickHouse takes long to import

        return Keeper(self.store, self.sensor, with_segments=self.store_segments)


def analyse(pipeline: CapturePipeline, keeper: "Keeper | None" = None) -> dict[str, Any]:
    """Analyse one capture to its end; return its summary."""
    summary = Summary()
    engine = pipeline.engine
    if keeper is not None:
        keeper.begin()
    with progress_of(pipeline.reader.name, pipeline.reader) as show:
        for batch in pipeline:
            summary.add_rows(batch.findings.reset)
            summary.add_intervals(batch.closed, engine.conversations)
            if keeper is not None:
                keeper.add_batch(batch)
            show()
        for intervals in pipeline.remaining_intervals():
            summary.add_intervals(intervals, engine.conversations)
            if keeper is not None:
                keeper.add_intervals(intervals)
    return summary.finished(pipeline.content())


def _show(summary: dict[str, Any]) -> None:
    from segwatch.jobs.render import print_summary

    print_summary(summary)
