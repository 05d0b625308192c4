"""``segwatch report``: a capture as one HTML file."""

import click

from segwatch.cli.options import rules_option


@click.command(name="report", no_args_is_help=True)
@click.argument("capture", metavar="FILE")
@click.option("-o", "--output", metavar="PATH", help="Where to write [FILE.html here]; - is standard output.")
@rules_option
def command(capture: str, output: str | None, rules: str) -> int:
    r"""Write a report on a capture: one HTML file that needs nothing else, to be mailed to a colleague.

    FILE is a capture (pcap, pcapng, snoop, Network Monitor; compressed or not). The report has a summary in words,
    plots to hover over and to zoom into, the stories of the five worst conversations, resets, round trips, the quality
    of the capture, and the SQL behind each figure.

    \b
    Examples:
      segwatch report capture.pcap
      segwatch report capture.pcap -o /srv/reports/today.html

    Exit codes: 0 fine, 2 wrong use, 3 the capture cannot be read, 4 it was cut (the report has the rest),
    7 the report cannot be written.
    """
    from pathlib import Path

    from segwatch.jobs.report.job import ReportJob

    chosen = output or f"{Path(capture).name}.html"
    code = ReportJob(rules=rules, output=chosen).run(capture)
    if chosen != "-":
        click.echo(f"The report is in {chosen}.")
    return code
