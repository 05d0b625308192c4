"""``segwatch verdicts``: why segments were sent again, came late or twice."""

import click

from segwatch.cli.options import FILES, ROW_ENDINGS, row_format, rules_option


@click.command(name="verdicts", no_args_is_help=True)
@FILES
@click.option(
    "-f",
    "--format",
    "format_name",
    type=click.Choice(["people", "tsv", "jsonl", "arrow", "parquet"]),
    help=f"Form of the rows; without it people on standard output, else the ending of --output decides {ROW_ENDINGS}.",
)
@click.option("-o", "--output", default="-", metavar="PATH", help="Where to write; - is standard output.")
@click.option("--amendments", is_flag=True, help="Show every revision of a verdict, not only the last one.")
@rules_option
def command(files: tuple[str, ...], format_name: str | None, output: str, amendments: bool, rules: str) -> int:
    r"""Say of every segment of FILES that was sent again, came late or twice: why, whether it was needed, where lost.

    FILES are captures (pcap, pcapng, snoop, Network Monitor; compressed or not), folders, patterns, or - for standard
    input. One that is named more than once is read once, and that is said.

    A verdict is amended when later segments contradict it; --amendments shows what it was before. docs/verdicts.md
    has the causes, their rules and what the confidence means.

    \b
    Examples:
      segwatch verdicts capture.pcap
      segwatch verdicts capture.pcap --format jsonl | jq .cause
      segwatch verdicts capture.pcap --amendments
      segwatch verdicts *.pcap.gz -o verdicts.parquet

    Exit codes: 0 fine, 2 wrong use, 3 no input can be read, 4 an input was missing or cut (the rest was written),
    7 the output cannot be written.
    """
    wanted = row_format(output)
    from segwatch.jobs.verdicts import VerdictsJob

    chosen = format_name or ("people" if output == "-" else wanted)
    return VerdictsJob(rules, chosen, output, amendments).run(files)
