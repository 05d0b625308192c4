"""A replayed session for people and for programs."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import click

from segwatch.jobs.replay.session import Totals
from segwatch.jobs.replay.span import Original, Span
from segwatch.times import time_text
from sinks.comparison import Comparison, Count, Difference, Said


def as_json(original: Original, name: str, was_stored: bool, totals: Totals, comparison: Comparison) -> dict[str, Any]:
    """Return a replayed session as JSON can say it (docs/replay.md)."""
    return {
        **asdict(original),
        "replay": name,
        "was_stored": was_stored,
        **totals._asdict(),
        "rows": comparison.rows._asdict(),
        "labels": {label: count._asdict() for label, count in comparison.labels.items()},
        "resets": {reset: count._asdict() for reset, count in comparison.resets.items()},
        "other_labels": comparison.other_labels,
        "other_numbers": comparison.other_numbers,
        "differences": [_difference(one) for one in comparison.differences],
    }


def _difference(one: Difference) -> dict[str, Any]:
    return one._asdict() | {
        "ts": time_text(one.ts),
        "before": [said._asdict() for said in one.before],
        "after": [said._asdict() for said in one.after],
    }


def print_replay(
    original: Original, name: str, was_stored: bool, totals: Totals, comparison: Comparison, span: Span, limit: int
) -> None:
    """Print a replayed session for people."""
    click.echo(f"Session {original.session} of {original.sensor}")
    lead = f", and {totals.lead_segments:,} before them" if totals.lead_segments else ""
    click.echo(f"  {totals.segments:,} segments of {totals.conversations:,} conversations analysed again{lead}")
    click.echo(f"  {'The store had' if was_stored else 'Stored as'} session {name}{' already' if was_stored else ''}")
    if totals.mid_stream_conversations:
        click.echo(
            f"  {totals.mid_stream_conversations:,} conversations ({totals.mid_stream_segments:,} segments) had begun "
            f"before {time_text(span.start)}: what is said of them may differ for that alone; "
            f"--lead begins earlier, for example --lead {_next_lead(span.lead)}"
        )
    counts = {"rows": comparison.rows, **comparison.labels}
    counts |= {f"reset {reset}": count for reset, count in comparison.resets.items()}
    _print_counts(counts)
    differing = comparison.other_labels + comparison.other_numbers
    if not differing:
        click.echo("  No row differs.")
        return
    click.echo(
        f"  {differing:,} segments differ: {comparison.other_labels:,} in labels or reset, "
        f"{comparison.other_numbers:,} in numbers alone"
    )
    _print_table([("frame", "time", "from", "to", "before", "after"), *map(_row, comparison.differences)])
    if differing > limit:
        click.echo(f"  ... and {differing - len(comparison.differences):,} more (--limit shows more of them)")


def _next_lead(lead: int) -> str:
    minutes = max(5, 2 * lead // 60_000_000_000)
    return f"{minutes}m"


def _print_counts(counts: dict[str, Count]) -> None:
    rows = [("", "before", "after")]
    rows += [(name, f"{count.before:,}", f"{count.after:,}") for name, count in counts.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, before, after in rows:
        click.echo(f"    {name:{widths[0]}}  {before:>{widths[1]}}  {after:>{widths[2]}}")


def _row(one: Difference) -> tuple[str, ...]:
    before, after = _said(one.before), _said(one.after)
    return (
        f"{one.frame:,}",
        time_text(one.ts),
        f"{one.source}:{one.source_port}",
        f"{one.destination}:{one.destination_port}",
        before,
        after if before != after else f"{after} ({', '.join(one.numbers)})",
    )


def _said(findings: Iterable[Said]) -> str:
    return " + ".join(" ".join(filter(None, said)) for said in findings) or "-"


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        click.echo(("    " + "  ".join(cells)).rstrip())
