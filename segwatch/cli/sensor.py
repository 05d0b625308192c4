"""``segwatch sensor``: segments to Kafka."""

from typing import TYPE_CHECKING

import click

from segwatch.cli.options import kafka_option, metrics_option, sensor_options

if TYPE_CHECKING:
    from segwatch.telemetry.address import MetricsAddress


@click.command(name="sensor", no_args_is_help=True)
@click.option("--read", "read", multiple=True, required=True, metavar="FILE...", help="Publish captures.")
@click.argument("more", nargs=-1, metavar="")
@sensor_options
@kafka_option
@click.option(
    "--patience",
    type=click.FloatRange(min=0, min_open=True),
    default=600,
    metavar="SECONDS",
    help="How long Kafka may be silent before this gives up [600].",
)
@metrics_option
@click.option("--json", "as_json", is_flag=True, help="Print what was published as one JSON object.")
def command(
    read: tuple[str, ...],
    more: tuple[str, ...],
    speed: float | None,
    name: str,
    patience: float,
    metrics: "MetricsAddress | None",
    as_json: bool,
) -> int:
    r"""Publish the segments of captures to Kafka, as if they were captured now.

    FILE is a capture (pcap, pcapng, snoop, Network Monitor; compressed or not), a folder, a pattern, or - for standard
    input; several may follow. Each capture is a session of its own, and publishing it twice makes two. With --speed
    recorded the packets come as far apart as they did, with a number that many times as fast. The first Ctrl-C or
    SIGTERM publishes what was read and ends the session.

    \b
    Examples:
      segwatch sensor --read capture.pcap
      segwatch sensor --read monday.pcap tuesday.pcap --speed 10 --name office
      tcpdump -w - tcp | segwatch sensor --read - --kafka broker.example:9092

    Exit codes: 0 fine, 2 wrong use, 3 no input can be read, 4 an input was missing or cut (the rest was published),
    6 Kafka failed.
    """
    from segwatch.jobs.sensor import SensorJob
    from segwatch.kafka.connection import kafka_address

    job = SensorJob(
        name=name, speed=speed, address=kafka_address(), patience=patience, metrics=metrics, as_json=as_json
    )
    return job.run((*read, *more))
