"""``segwatch status``: how the pipeline gets on."""

import json

import click

from segwatch.cli.options import kafka_option


@click.command(name="status")
@kafka_option
@click.option("--store", metavar="local|URL", help="Which store [local].")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(store: str | None, as_json: bool) -> int:
    r"""Say how the pipeline gets on: topics, how far processors and sinks are behind, checkpoints, sensors, dead letters, rows.

    It reads only, and takes a few seconds. What cannot be seen is said, and the rest is shown.

    \b
    Examples:
      segwatch status
      segwatch status --json | jq '.processors.lag.seconds, .sinks.lag.seconds'
      watch -n 10 segwatch status

    Exit codes: 0 everything answers, 1 something is missing or does not answer, 2 wrong use.
    """  # noqa: E501  # click folds it
    from segwatch.jobs.status import look
    from segwatch.jobs.status_text import status_text
    from segwatch.settings import settings

    document = look(store or settings().store)
    click.echo(json.dumps(document, indent=2, ensure_ascii=False) if as_json else status_text(document))
    return 1 if document["problems"] else 0
