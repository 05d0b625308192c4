"""Report on a capture: once through it for the sums, once more for the segments of its worst conversations."""

from dataclasses import dataclass
from typing import Any, Final

from segwatch.explain.story import story_of
from segwatch.jobs.captures import captures_to_read_twice, refuse_to_overwrite
from segwatch.jobs.explain.gather import ledgers
from segwatch.jobs.explain.selection import Wanted
from segwatch.jobs.pipeline import CapturePipeline
from segwatch.jobs.summary import Summary
from segwatch.output.target import OutputTarget
from segwatch.report.page import page
from segwatch.report.plots import sequence_plot, timeline_plots
from segwatch.report.quality import QualityCounts
from segwatch.report.timeline import Timeline

STORIES: Final = 5
"""Conversations that are told of one by one."""


@dataclass(frozen=True)
class ReportJob:
    """What to write, and where to."""

    rules: str
    output: str

    def run(self, name: str) -> int:
        """Write the report on one capture; return the exit code."""
        captures = captures_to_read_twice(name, "report")
        refuse_to_overwrite(self.output, captures.names)
        for pipeline in captures.each(lambda path: CapturePipeline(path, self.rules, named=True)):
            collected, timeline, quality = Summary(), Timeline(), QualityCounts()
            for batch in pipeline:
                collected.add_rows(batch.findings.reset)
                collected.add_intervals(batch.closed, pipeline.engine.conversations)
                timeline.add(batch.segments, batch.findings)
                quality.add(batch.segments.quality)
            for intervals in pipeline.remaining_intervals():
                collected.add_intervals(intervals, pipeline.engine.conversations)
            summary = collected.finished(pipeline.content())
            if captures.finished(pipeline.content(), summary["segments"]):
                self._write(captures.names[0], summary, collected, timeline, quality)
        return captures.exit_code

    def _write(
        self, name: str, summary: dict[str, Any], collected: Summary, timeline: Timeline, quality: QualityCounts
    ) -> None:
        streams = Wanted(most=STORIES).streams(collected.totals)
        told = [(story_of(ledger), sequence_plot(ledger)) for ledger in ledgers(name, self.rules, streams)]
        plots = timeline_plots(timeline) if summary["segments"] else []
        with OutputTarget(self.output) as target:
            target.write(page(summary, self.rules, plots, told, quality.sentences()).encode())
