"""``segwatch report``: a capture, or what the store has of a time, as one HTML file."""

import click

from segwatch.cli.options import rules_option
from segwatch.cli.stored import chosen_scope, chosen_store, stored_options

_OF_STORE = "segwatch-report.html"


@click.command(name="report", no_args_is_help=True)
@click.argument("capture", metavar="[FILE]", required=False)
@stored_options
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help=f"Where to write [FILE.html here, or {_OF_STORE}]; - is standard output.",
)
@rules_option
def command(
    capture: str | None,
    begin: str | None,
    end: str | None,
    sensor: str | None,
    session: str | None,
    store: str | None,
    output: str | None,
    rules: str,
) -> int:
    r"""Write a report: one HTML file that needs nothing else, to be mailed to a colleague.

    It is about FILE, a capture (pcap, pcapng, snoop, Network Monitor; compressed or not), or, with --from or --session,
    about what the store has of that time or session (TIME as for segwatch replay; in whole minutes). The report has a
    summary in words, plots to hover over and to zoom into, the stories of the five worst conversations, resets, round
    trips, the quality of the capture, and the SQL behind each figure.

    \b
    Examples:
      segwatch report capture.pcap
      segwatch report capture.pcap -o /srv/reports/today.html
      segwatch report --from -1h
      segwatch report --from 2026-01-31T09:00 --to 2026-01-31T10:00
      segwatch report --from -1d --sensor office -o office.html

    Exit codes: 0 fine, 2 wrong use, 3 the capture cannot be read or the store has nothing of that, 4 the capture was
    cut (the report has the rest), 5 the store failed, 7 the report cannot be written.
    """
    from pathlib import Path

    from segwatch.jobs.report.job import ReportJob

    scope = chosen_scope(capture, begin=begin, end=end, sensor=sensor, session=session)
    chosen = output or (_OF_STORE if capture is None else f"{Path(capture).name}.html")
    job = ReportJob(rules=rules, output=chosen)
    code = job.run(str(capture)) if scope is None else job.run_stored(chosen_store(store), scope)
    if chosen != "-":
        click.echo(f"The report is in {chosen}.")
    return code
