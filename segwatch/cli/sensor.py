"""``segwatch sensor``: segments to Kafka."""

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segwatch.cli.options import (
    anonymize_option,
    config_option,
    kafka_option,
    metrics_option,
    sensor_options,
    spool_options,
)

if TYPE_CHECKING:
    from segwatch.telemetry.address import MetricsAddress


@click.command(name="sensor")
@click.option("--read", "read", multiple=True, metavar="FILE...", help="Publish captures.")
@click.argument("more", nargs=-1, metavar="")
@sensor_options
@config_option
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
@click.option("--check", is_flag=True, help="Say what would be done and whether it can be, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print what was published as one JSON object.")
def command(
    read: tuple[str, ...],
    more: tuple[str, ...],
    speed: float | None,
    name: str,
    patience: float,
    new_key: str | None,
    metrics: "MetricsAddress | None",
    check: bool,
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
    if new_key is not None:
        return _make_key(new_key)
    if not read:
        raise click.UsageError("Missing option '--read'", click.get_current_context())
    from segwatch.jobs.spooled_delivery import spool_plan
    from segwatch.kafka.connection import kafka_address
    from segwatch.settings import settings

    key = Path(settings().anonymize).expanduser() if settings().anonymize else None
    spool = None if speed is None else spool_plan(settings(), name)
    captures, address = (*read, *more), kafka_address()
    if check:
        from segwatch.jobs.sensor_check import captures_sentences, common_sentences

        for sentence in chain(captures_sentences(captures, speed), common_sentences(name, address, spool, key)):
            click.echo(sentence)
        return 0
    from segwatch.jobs.sensor import SensorJob

    return SensorJob(name, speed, address, patience, metrics, as_json, spool, key).run(captures)


def _make_key(path: str) -> int:
    from ingest.anonymize.key_file import make_key

    make_key(Path(path))
    click.echo(f"{path} holds a new key: copy it to all sensors whose addresses are to match, and keep it secret.")
    return 0
