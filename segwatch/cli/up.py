"""``segwatch up``: the whole pipeline on this machine."""

import click

from segwatch.cli.options import kafka_option, sensor_options


@click.command(name="up")
@click.option("--read", "read", multiple=True, metavar="FILE...", help="Publish captures, and end when all is stored.")
@click.argument("more", nargs=-1, metavar="")
@click.option("--interface", "interfaces", multiple=True, metavar="IF", help="Capture IF live; may come several times.")
@sensor_options
@click.option(
    "--processors", type=click.IntRange(1, 256), default=1, metavar="N", help="How many processors to run [1]."
)
@kafka_option
@click.option("--store", metavar="local|URL", help="Where findings go [local].")
@click.option("--keep", is_flag=True, help="Go on when all of the captures are stored.")
def command(
    read: tuple[str, ...],
    more: tuple[str, ...],
    interfaces: tuple[str, ...],
    speed: float | None,
    name: str,
    processors: int,
    store: str | None,
    keep: bool,
) -> int:
    r"""Run the whole pipeline on this machine: Kafka, topics, ClickHouse, sensor, processors and sink.

    Without --read and --interface, sensors that run beside it or elsewhere publish. Processors, sink and a live sensor
    are started again when they end. Ctrl-C or SIGTERM ends everything in order: the sensor, then, when what was
    published is stored, processors and sink; Kafka and ClickHouse are stopped if they were started here. A second
    Ctrl-C ends at once; nothing is lost by that.

    \b
    Examples:
      segwatch up --read capture.pcap
      segwatch up --read monday.pcap tuesday.pcap --processors 2
      segwatch up --read capture.pcap --speed recorded --keep
      sudo segwatch up --interface eth0
      segwatch up --store clickhouse://writer@db.example/segwatch

    Exit codes: 0 fine, 2 wrong use, 3 no input can be read, 4 an input was missing or cut (the rest is stored),
    5 the store failed, 6 Kafka failed, 130 interrupted before all of the captures were stored.
    """
    from segwatch.errors import UsageError
    from segwatch.jobs.up import UpJob
    from segwatch.settings import settings

    if interfaces and read:
        raise UsageError("up captures live (--interface) or publishes captures (--read), not both.")
    if more and not read:
        raise UsageError(f"{more[0]!r} is no option; capture files follow --read.")
    job = UpJob(
        read=(*read, *more),
        interfaces=interfaces,
        speed=speed,
        name=name,
        processors=processors,
        store=store or settings().store,
        keep=keep,
    )
    return job.run()
