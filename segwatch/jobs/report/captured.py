"""What a report on a capture is made of."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ingest.capture.live.seen_twice import SeenTwice
from segwatch.counts import count_text
from segwatch.explain.sentences import copies_text
from segwatch.explain.story import story_of
from segwatch.jobs.captures import Captures
from segwatch.jobs.explain.gather import NOT_COUNTED, ledgers
from segwatch.jobs.explain.selection import Wanted
from segwatch.jobs.pipeline import CapturePipeline
from segwatch.jobs.skipped import skipped_words
from segwatch.jobs.summary import Summary
from segwatch.jobs.totals import Sum
from segwatch.records.findings import take_findings
from segwatch.records.segments import take_segments
from segwatch.report.content import Report, ToldConversation
from segwatch.report.plots import sequence_plot, timeline_plots
from segwatch.report.quality import QualityCounts
from segwatch.report.queries import queries
from segwatch.report.timeline import Timeline
from segwatch.report.words import Statement
from segwatch.scope import Scope


def captured_report(captures: Captures, pipeline: CapturePipeline, rules: str, wanted: Wanted) -> Report | None:
    """Analyse a capture and return the report on it; None where it cannot be read, which was said."""
    collected, timeline, quality = Summary(), Timeline(), QualityCounts()
    seen_twice, copies = SeenTwice(), 0
    for batch in pipeline:
        collected.add_rows(batch.findings.reset)
        collected.add_intervals(batch.closed, pipeline.engine.conversations)
        counted = np.flatnonzero((batch.segments.quality & NOT_COUNTED) == 0)
        timeline.add(take_segments(batch.segments, counted), take_findings(batch.findings, counted))
        copies += seen_twice.mark(batch.segments)
        quality.add(batch.segments.quality)
    for intervals in pipeline.remaining_intervals():
        collected.add_intervals(intervals, pipeline.engine.conversations)
    content = pipeline.content()
    summary = collected.finished(content)
    if not captures.finished(content, summary["segments"]):
        return None
    totals, scope = collected.totals, Scope(session=content.digest)
    quality_of_capture = [*_content(summary), *quality.statements()]
    # Segments that no rule looks at, as those quoted in ICMP errors, are no part of any figure.
    summary["segments"] = int(totals.sums[Sum.SEGMENTS])
    streams = totals.streams[wanted.chosen(totals, totals.streams)].tolist()
    link_types = "".join(f"; {name}" for name in summary["link_types"])
    return Report(
        title=f"TCP in {content.name.rsplit('/', 1)[-1]}",
        about=f"{content.name} ({content.format}{link_types})",
        summary=summary,
        statements=list(_copies(copies)),
        timeline=timeline_plots(timeline) if summary["segments"] else [],
        told=list(_told(content.name, rules, streams, scope)),
        quality=quality_of_capture,
        sensors=[],
        scope=scope,
        minutes=1,
        note=f"Rule set {rules}. The SQL asks the store that segwatch analyze has put this capture into.",
    )


def _told(name: str, rules: str, streams: list[int], scope: Scope) -> Iterator[ToldConversation]:
    for ledger in ledgers(name, rules, streams):
        sql = queries("labelled", scope._replace(stream=ledger.stream))
        yield ToldConversation(story_of(ledger), sequence_plot(ledger), "", is_whole=True, sql=sql)


def _copies(count: int) -> Iterator[Statement]:
    if count:
        yield Statement("fair", f"{count_text(count, 'segment')} {copies_text(count)}", "")


def _content(summary: dict[str, Any]) -> Iterator[Statement]:
    if summary["damage"]:
        yield Statement("bad", f"Incomplete: {summary['damage']}", "captures")
    frames, segments = (
        count_text(summary[name], one) for name, one in (("frames", "frame"), ("segments", "TCP segment"))
    )
    yield Statement("plain", f"{frames}, {segments}.", "captures")
    if summary["skipped"]:
        yield Statement("plain", f"Not analysed: {skipped_words(summary['skipped'])}.", "")
