"""``segwatch paths``: where packets were lost between several captures."""

import click

from segwatch.cli.options import FILES


@click.command(name="paths", no_args_is_help=True)
@FILES
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@click.option("--events", "as_events", is_flag=True, help="Print a line for each event, tab-separated.")
def command(files: tuple[str, ...], as_json: bool, as_events: bool) -> int:
    r"""Compare captures of the same connections at several places: where packets were lost on their way.

    FILES are two captures or more (pcap, pcapng, snoop, Network Monitor; compressed or not), in any order. Their
    clocks may differ: how far is estimated from packets of both directions. What a capture could not see is not judged.
    docs/paths.md has the rules.

    \b
    Examples:
      segwatch paths client.pcap router.pcap server.pcap
      segwatch paths client.pcap server.pcap --events | grep lost
      segwatch paths client.pcap server.pcap --json | jq .hops

    Exit codes: 0 fine, 2 wrong use, 3 fewer than two inputs can be read, 4 an input was missing or cut (the rest was
    compared), 7 the output cannot be written.
    """
    from segwatch.errors import UsageError

    if as_json and as_events:
        raise UsageError("--json and --events exclude each other.")
    from segwatch.jobs.paths.job import PathsJob

    return PathsJob(as_json=as_json, as_events=as_events).run(files)
