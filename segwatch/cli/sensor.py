"""``segwatch sensor``: segments to Kafka, of live traffic or of captures."""

from typing import TYPE_CHECKING, Any

import click

from segwatch.cli.options import (
    LIVE_PARAMETERS,
    kafka_option,
    live_options,
    metrics_option,
    refuse_options,
    sensor_options,
)
from segwatch.errors import UsageError

if TYPE_CHECKING:
    from segwatch.telemetry.address import MetricsAddress


@click.command(name="sensor", no_args_is_help=True)
@click.option("--interface", "interfaces", multiple=True, metavar="IF", help="Capture IF live; may come several times.")
@live_options
@click.option("--read", "read", multiple=True, metavar="FILE...", help="Publish captures instead.")
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
@click.pass_context
def command(
    context: click.Context,
    /,
    interfaces: tuple[str, ...],
    read: tuple[str, ...],
    more: tuple[str, ...],
    name: str,
    patience: float,
    metrics: "MetricsAddress | None",
    as_json: bool,
    **options: Any,
) -> int:
    r"""Publish segments to Kafka: of live traffic, or of captures as if they were captured now.

    Live, each interface (or any, for all of them) is a session of its own. Traffic to the brokers is left out. The
    first Ctrl-C or SIGTERM publishes what was captured and ends the sessions. docs/sensors.md tells which rights a
    sensor needs and what can go wrong.

    FILE is a capture (pcap, pcapng, snoop, Network Monitor; compressed or not), a folder, a pattern, or - for standard
    input; several may follow. Each capture is a session of its own, and publishing it twice makes two. With --speed
    recorded the packets come as far apart as they did, with a number that many times as fast.

    \b
    Examples:
      segwatch sensor --interface eth0
      segwatch sensor --interface eth0 --interface eth1 --filter "not port 22" --user segwatch
      segwatch sensor --read monday.pcap tuesday.pcap --speed 10 --name office
      tcpdump -w - tcp | segwatch sensor --read - --kafka broker.example:9092

    Exit codes: 0 fine, 2 wrong use, 3 no input can be read, 4 an input was missing or cut (the rest was published),
    6 Kafka failed.
    """
    _check_use(context, interfaces, read, more)
    common: dict[str, Any] = {"name": name, "patience": patience, "metrics": metrics, "as_json": as_json}
    speed = options.pop("speed")
    user, allow_root = options.pop("user"), options.pop("allow_root")
    if interfaces:
        from segwatch.processes.privileges import confine

        # Before anything is imported that starts threads: each has rights of its own.
        confine(user, allow_root=allow_root)
        from segwatch.jobs.live_sensor import live_sensor_job
        from segwatch.kafka.connection import kafka_address

        unique = tuple(dict.fromkeys(interfaces))
        live_sensor_job(interfaces=unique, address=kafka_address, **common, **options).run()
        return 0
    from segwatch.jobs.sensor import SensorJob
    from segwatch.kafka.connection import kafka_address

    return SensorJob(speed=speed, address=kafka_address(), **common).run((*read, *more))


def _check_use(
    context: click.Context, interfaces: tuple[str, ...], read: tuple[str, ...], more: tuple[str, ...]
) -> None:
    """Raise UsageError where the arguments say nothing to do, or options of the other way to do it."""
    if not interfaces and not read:
        raise UsageError("name an interface with --interface, or captures with --read.")
    if interfaces and (read or more):
        raise UsageError("--interface captures live and --read publishes captures: choose one of them.")
    if interfaces:
        refuse_options(context, ["speed"], "--read")
    else:
        refuse_options(context, [*LIVE_PARAMETERS, "include_kafka"], "--interface")
