"""``segwatch explain``: the story of a conversation."""

import click

from segwatch.cli.options import rules_option
from segwatch.cli.stored import chosen_scope, chosen_store, stored_options


@click.command(name="explain", no_args_is_help=True)
@click.argument("capture", metavar="[FILE]", required=False)
@stored_options
@click.option("--worst", type=click.IntRange(1, 100), default=1, metavar="N", help="How many, the worst first [1].")
@click.option("--stream", type=click.IntRange(min=0), metavar="NUMBER", help="The conversation of this tcp.stream.")
@click.option("--between", nargs=2, metavar="A B", help="Those between two ends: ADDRESS or ADDRESS:PORT each.")
@click.option("--at", metavar="TIME", help="Those under way then: HH:MM:SS (UTC), RFC 3339, or +SECONDS.")
@click.option(
    "-f", "--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", help="Form [text]."
)
@click.option("--picture/--no-picture", default=True, help="Draw bytes over time, with labels [yes; json: no].")
@rules_option
def command(
    capture: str | None,
    begin: str | None,
    end: str | None,
    sensor: str | None,
    session: str | None,
    store: str | None,
    worst: int,
    stream: int | None,
    between: tuple[str, str] | None,
    at: str | None,
    form: str,
    picture: bool,
    rules: str,
) -> int:
    r"""Tell the story of a conversation in plain words, each sentence with what shows it.

    FILE is a capture (pcap, pcapng, snoop, Network Monitor; compressed or not); with --from or --session it is what
    the store has of that time or session (TIME as for segwatch replay). Without anything else the worst conversation
    is explained: how it opened, what was agreed on, what happened to its data, where its time went, who ended it how.
    The store tells as much where it keeps segments (analyze --segments, sink --segments); else what labels and
    counters prove.

    \b
    Examples:
      segwatch explain capture.pcap
      segwatch explain capture.pcap --worst 3 --format markdown > story.md
      segwatch explain capture.pcap --stream 17
      segwatch explain capture.pcap --between 10.0.0.1 192.0.2.7:443
      segwatch explain --from -1h --worst 3
      segwatch explain --from -1d --between 10.0.0.1 192.0.2.7:443 --at 09:12:30

    Exit codes: 0 fine, 2 wrong use, 3 the capture cannot be read, or it or the store has nothing of that, 4 the
    capture was cut (the rest was explained), 5 the store failed.
    """
    from segwatch.jobs.explain.job import ExplainJob
    from segwatch.jobs.explain.selection import Wanted, parse_end

    scope = chosen_scope(capture, begin=begin, end=end, sensor=sensor, session=session)
    ends = (parse_end(between[0]), parse_end(between[1])) if between else None
    wanted = Wanted(most=worst, stream=stream, between=ends, at=at)
    job = ExplainJob(rules=rules, wanted=wanted, form=form, with_picture=picture)
    return job.run(str(capture)) if scope is None else job.run_stored(chosen_store(store), scope)
