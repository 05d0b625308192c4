"""``segwatch analyze``: what is wrong in some captures."""

import click

from segwatch.cli.options import FILES, name_option, rules_option


@click.command(name="analyze", no_args_is_help=True)
@FILES
@click.option("--store", metavar="local|URL|none", help="Where findings go [local].")
@click.option("--segments", is_flag=True, default=None, help="Store a record of every segment too.")
@name_option
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@rules_option
def command(
    files: tuple[str, ...], store: str | None, segments: bool | None, name: str, as_json: bool, rules: str
) -> int:
    r"""Analyse captures: label every segment, keep the findings in the store, print a summary.

    FILES are captures (pcap, pcapng, snoop, Network Monitor; compressed or not), folders that are searched for
    captures, patterns, or - for standard input. One that is named more than once is read once, and that is said.
    Analysing the same capture again stores nothing new. --name says which sensor captured them: captures of several
    machines, each under a name of its own, are compared as docs/network.md tells.

    \b
    Examples:
      segwatch analyze capture.pcap
      segwatch analyze /var/captures 'more/*.pcapng'
      segwatch analyze --name gateway gateway.pcap
      segwatch analyze capture.pcap --store none --json | jq .captures[0].labels
      tcpdump -w - | segwatch analyze -

    Exit codes: 0 fine, 2 wrong use, 3 no input can be read, 4 an input was missing or cut (the rest was analysed),
    5 the store failed, 7 the output cannot be written.
    """
    from segwatch.jobs.analyze import AnalyzeJob
    from segwatch.settings import settings

    return AnalyzeJob(
        rules=rules,
        store=store or settings().store,
        store_segments=settings().segments if segments is None else segments,
        sensor=name,
        as_json=as_json,
    ).run(files)
