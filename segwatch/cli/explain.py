"""``segwatch explain``: the story of a conversation."""

import click

from segwatch.cli.options import rules_option


@click.command(name="explain", no_args_is_help=True)
@click.argument("capture", metavar="FILE")
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
    capture: str,
    worst: int,
    stream: int | None,
    between: tuple[str, str] | None,
    at: str | None,
    form: str,
    picture: bool,
    rules: str,
) -> int:
    r"""Tell the story of a conversation in plain words, each sentence with the frames that show it.

    FILE is a capture (pcap, pcapng, snoop, Network Monitor; compressed or not). Without anything else its worst
    conversation is explained: how it opened, what was agreed on, what happened to its data, where its time went, and
    who ended it how.

    \b
    Examples:
      segwatch explain capture.pcap
      segwatch explain capture.pcap --worst 3 --format markdown > story.md
      segwatch explain capture.pcap --stream 17
      segwatch explain capture.pcap --between 10.0.0.1 192.0.2.7:443 --at 12:30:05

    Exit codes: 0 fine, 2 wrong use, 3 the capture cannot be read, 4 it was cut (the rest was explained).
    """
    from segwatch.jobs.explain.job import ExplainJob
    from segwatch.jobs.explain.selection import Wanted, parse_end

    ends = (parse_end(between[0]), parse_end(between[1])) if between else None
    wanted = Wanted(most=worst, stream=stream, between=ends, at=at)
    return ExplainJob(rules=rules, wanted=wanted, form=form, with_picture=picture).run(capture)
