"""``segwatch replay``: stored traffic through the engine again."""

import time

import click

from segwatch.cli.options import kafka_option, rules_option, session_digits


@click.command(name="replay", no_args_is_help=True)
@click.option("--from", "begin", required=True, metavar="TIME", help="The earliest capture time.")
@click.option("--to", "end", default="now", metavar="TIME", help="The time that the range ends before [now].")
@click.option(
    "--lead",
    default="0s",
    metavar="DURATION",
    help="Begin so much before --from; what is found there is not compared [0s].",
)
@click.option("--sensor", metavar="NAME", help="Only sessions of this sensor.")
@click.option("--session", metavar="ID", callback=session_digits, help="Only this capture session.")
@click.option(
    "--source", type=click.Choice(["store", "kafka"]), default="store", help="Where the segments are read [store]."
)
@kafka_option
@click.option("--store", metavar="local|URL", help="Which store [local].")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=20,
    metavar="N",
    help="Show so many rows that differ, of each session [20].",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@rules_option
def command(
    begin: str,
    end: str,
    lead: str,
    sensor: str | None,
    session: str | None,
    source: str,
    store: str | None,
    limit: int,
    as_json: bool,
    rules: str,
) -> int:
    r"""Analyse stored segments of a range of time again, store what is found beside what was found first, and compare.

    TIME is like 2026-01-31T09:00:00Z (UTC without a zone), 2026-01-31, -1h30m (before now), now, or Unix seconds;
    DURATION is like 90s, 5m or 1h30m. The segments are those of the store (kept by analyze --segments and
    sink --segments) or, for a day, those in Kafka. Each capture session becomes a session of its own, whose sensor is
    "NAME (replay)"; the same replay twice is stored once. What began before the range is analysed without its
    beginning: --lead analyses from earlier on.

    \b
    Examples:
      segwatch replay --from -1h
      segwatch replay --from 2026-01-31T09:00Z --to 2026-01-31T10:00Z --lead 10m
      segwatch replay --from -30m --source kafka --sensor office

    Exit codes: 0 done, whether or not something differs, 2 wrong use, 3 no segments are there, 5 the store failed,
    6 Kafka failed.
    """
    from segwatch.errors import UsageError
    from segwatch.jobs.replay.job import ReplayJob
    from segwatch.jobs.replay.sources import Choice
    from segwatch.jobs.replay.span import Span
    from segwatch.settings import settings
    from segwatch.times import parse_duration, parse_time

    now = time.time_ns()
    span = Span(parse_time(begin, now), parse_time(end, now), parse_duration(lead))
    if span.begin >= span.end:
        raise UsageError(f"the range is empty: --from {begin} is not before --to {end}.")
    return ReplayJob(
        span=span,
        rules=rules,
        source=source,
        choice=Choice(sensor, session),
        store=store or settings().store,
        limit=limit,
        as_json=as_json,
    ).run()
