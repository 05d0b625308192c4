"""The job behind ``segwatch analyze``: findings to the store, a summary to the user."""

import json
from dataclasses import dataclass
from typing import Any

import click

from segwatch import __version__
from segwatch.jobs.labels import Inputs
from segwatch.jobs.pipeline import CapturePipeline
from segwatch.jobs.progress import progress_of
from segwatch.jobs.summary import Summary


@dataclass(frozen=True)
class AnalyzeJob:
    """How to analyse, and what to do with the result."""

    rules: str
    store: str
    store_segments: bool
    as_json: bool

    def run(self, arguments: tuple[str, ...]) -> int:
        """Analyse all captures; return the exit code."""
        inputs = Inputs(arguments)
        summaries = []
        for pipeline in inputs.pipelines(self.rules):
            summary = analyse(pipeline)
            inputs.finished(pipeline)
            if self.as_json:
                summaries.append(summary)
            else:
                from segwatch.jobs.render import print_summary

                print_summary(summary)
        if self.as_json:
            document = {"segwatch": __version__, "rules": self.rules, "captures": summaries}
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return inputs.exit_code


def analyse(pipeline: CapturePipeline) -> dict[str, Any]:
    """Analyse one capture to its end; return its summary."""
    summary = Summary()
    engine = pipeline.engine
    with progress_of(pipeline.reader.name, pipeline.reader) as show:
        for batch in pipeline:
            summary.add_rows(batch.findings.reset)
            summary.add_intervals(batch.closed, engine.conversations)
            show()
        for intervals in pipeline.remaining_intervals():
            summary.add_intervals(intervals, engine.conversations)
    return summary.finished(pipeline.content())
