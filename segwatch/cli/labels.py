"""``segwatch labels``: a row for every TCP segment."""

import click

from segwatch.cli.options import FILES, ROW_ENDINGS, row_format, rules_option


@click.command(name="labels", no_args_is_help=True)
@FILES
@click.option(
    "-f",
    "--format",
    "format_name",
    type=click.Choice(["tsv", "jsonl", "arrow", "parquet"]),
    help=f"Form of the rows; without it the ending of --output decides {ROW_ENDINGS}.",
)
@click.option("-o", "--output", default="-", metavar="PATH", help="Where to write; - is standard output.")
@click.option("--only-labelled", is_flag=True, help="Leave out segments without a label.")
@click.option("--where", metavar="FILTER", help="Leave out segments that do not meet FILTER.")
@click.option("--keep-embedded", is_flag=True, help="Write the TCP headers quoted in ICMP errors too.")
@rules_option
def command(
    files: tuple[str, ...],
    format_name: str | None,
    output: str,
    only_labelled: bool,
    where: str | None,
    keep_embedded: bool,
    rules: str,
) -> int:
    r"""Write a row for every TCP segment of FILES, with the labels and numbers that tshark 4.0 shows.

    FILES are captures (pcap, pcapng, snoop, Network Monitor; compressed or not), folders, patterns, or - for standard
    input. One that is named more than once is read once, and that is said.

    FILTER knows host ADDRESS, net PREFIX, port NUMBER (each also after src or dst), label NAME, reset CLASS,
    flag NAME and stream NUMBER, joined by and, or, not and parentheses; "label any" and "reset any" are any of them.
    docs/labels.md has the names.

    \b
    Examples:
      segwatch labels capture.pcap
      segwatch labels capture.pcap --only-labelled --format jsonl | jq .labels
      segwatch labels capture.pcap --where "net 10.0.0.0/8 and label any"
      segwatch labels *.pcap.gz -o labels.parquet

    Exit codes: 0 fine, 2 wrong use, 3 no input can be read, 4 an input was missing or cut (the rest was written),
    7 the output cannot be written.
    """
    from segwatch.output.filter_language import parse

    wanted = row_format(output)
    condition = parse(where) if where is not None else None  # before anything that takes time to import
    from segwatch.jobs.labels import LabelsJob, Selection

    selection = Selection(condition=condition, only_labelled=only_labelled, keep_embedded=keep_embedded)
    return LabelsJob(rules=rules, selection=selection, format_name=format_name or wanted, output=output).run(files)
