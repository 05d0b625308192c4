"""``segwatch sensor``: segments to Kafka."""

from typing import TYPE_CHECKING

import click

from segwatch.cli.options import anonymize_option, kafka_option, metrics_option, sensor_options, spool_options

if TYPE_CHECKING:
    from segwatch.telemetry.address import MetricsAddress


@click.command(name="sensor", no_args_is_help=True)
@click.option("--read", "read", multiple=True, metavar="FILE...", help="Publish captures.")
@click.argument("more", nargs=-1, metavar="")
@sensor_options
@kafka_option
@spool_options
@anonymize_option
@click.option("--new-key", metavar="FILE", help="Make a key for --anonymize, and do nothing else.")
@click.option(
    "--patience",
    type=click.FloatRange(min=0, min_open=True),
    default=600,
    metavar="SECONDS",
    help="How long Kafka may be silent before this gives up, with a spool at the end only [600].",
)
@metrics_option
@click.option("--json", "as_json", is_flag=True, help="Print what was published as one JSON object.")
def command(
    read: tuple[str, ...],
    more: tuple[str, ...],
    speed: float | None,
    name: str,
    patience: float,
    new_key: str | None,
    metrics: "MetricsAddress | None",
    as_json: bool,
) -> int:
    r"""Publish the segments of captures to Kafka, as if they were captured now.

    FILE is a capture (pcap, pcapng, snoop, Network Monitor; compressed or not), a folder, a pattern, or - for standard
    input; several may follow. Each capture is a session of its own, and publishing it twice makes two. With --speed
    recorded the packets come as far apart as they did, with a number that many times as fast; while Kafka is away
    their segments go to a spool on disk, and the next start sends what is left there. With --speed max reading waits
    for Kafka instead. The first Ctrl-C or SIGTERM publishes what was read and ends the session.

    \b
    Examples:
      segwatch sensor --read capture.pcap
      segwatch sensor --read monday.pcap tuesday.pcap --speed 10 --name office
      segwatch sensor --new-key key && segwatch sensor --read capture.pcap --anonymize key
      tcpdump -w - tcp | segwatch sensor --read - --kafka broker.example:9092

    Exit codes: 0 fine, 2 wrong use, 3 no input can be read, 4 an input was missing or cut (the rest was published),
    6 Kafka failed.
    """
    from pathlib import Path

    from ingest.anonymize.key_file import make_key

    if new_key is not None:
        make_key(Path(new_key))
        click.echo(
            f"{new_key} holds a new key: copy it to all sensors whose addresses are to match, and keep it secret."
        )
        return 0
    if not read:
        raise click.UsageError("Missing option '--read'", click.get_current_context())
    from segwatch.jobs.sensor import SensorJob
    from segwatch.jobs.spooled_delivery import spool_plan
    from segwatch.kafka.connection import kafka_address
    from segwatch.settings import settings

    job = SensorJob(
        name=name,
        speed=speed,
        address=kafka_address(),
        patience=patience,
        metrics=metrics,
        as_json=as_json,
        spool=spool_plan(settings(), name),
        anonymize=Path(settings().anonymize).expanduser() if settings().anonymize else None,
    )
    return job.run((*read, *more))
