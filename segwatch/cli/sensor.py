"""``segwatch sensor``: segments to Kafka, of live traffic or of captures."""

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segwatch.cli.options import (
    LIVE_PARAMETERS,
    Number,
    anonymize_option,
    config_option,
    kafka_option,
    live_options,
    metrics_option,
    refuse_options,
    sensor_options,
    spool_options,
)
from segwatch.errors import BusError, UsageError
from segwatch.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from segwatch.jobs.sensor_check import Finding
    from segwatch.kafka.address import KafkaAddress
    from segwatch.telemetry.address import MetricsAddress


@click.command(name="sensor")
@live_options
@click.option("--read", "read", multiple=True, metavar="FILE...", help="Publish captures instead.")
@click.argument("more", nargs=-1, metavar="")
@sensor_options
@config_option
@kafka_option
@spool_options
@anonymize_option
@click.option("--new-key", metavar="FILE", help="Make a key for --anonymize, and do nothing else.")
@click.option(
    "--patience",
    type=Number(min=0, min_open=True),
    default=600,
    metavar="SECONDS",
    help="Give up when Kafka was silent for so long; with a spool, only at the end [600].",
)
@metrics_option
@click.option("--check", is_flag=True, help="Say what would be done and whether it can be, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print what was published as one JSON object.")
@click.pass_context
def command(
    context: click.Context,
    /,
    read: tuple[str, ...],
    more: tuple[str, ...],
    new_key: str | None,
    check: bool,
    speed: float | None,
    name: str,
    patience: float,
    metrics: "MetricsAddress | None",
    as_json: bool,
    **live: Any,
) -> int:
    r"""Publish segments to Kafka: of live traffic, or of captures as if they were captured now.

    Live, each interface (or any, for all of them) is a session of its own. Traffic to the brokers is left out. While
    Kafka is away, segments go to a spool on disk, and the next start sends what is left there. The first Ctrl-C or
    SIGTERM publishes what was captured and ends the sessions; SIGHUP reads the settings again. docs/sensors.md tells
    which rights a sensor needs and what can go wrong.

    FILE is a capture (pcap, pcapng, snoop, Network Monitor; compressed or not), a folder, a pattern, or - for standard
    input; several may follow. Each capture is a session of its own, and publishing it again makes another. With --speed
    recorded the packets come as far apart as they did, with a number that many times as fast, and there is a spool;
    with --speed max reading waits for Kafka instead.

    \b
    Examples:
      segwatch sensor --interface eth0
      segwatch sensor --interface eth0 --interface eth1 --user segwatch
      segwatch sensor --config sensor.toml --check
      segwatch sensor --read monday.pcap tuesday.pcap --speed 10 --name office
      segwatch sensor --new-key key
      segwatch sensor --read capture.pcap --anonymize key
      tcpdump -w - tcp | segwatch sensor --read - --kafka kafka.example:9092

    Exit codes: 0 fine, 2 wrong use, 3 no input can be read, 4 an input was missing or cut (the rest was published),
    6 Kafka failed.
    """
    if new_key is not None:
        return _make_key(new_key)
    _check_use(context, read, more)
    common: dict[str, Any] = {"name": name, "patience": patience, "metrics": metrics, "as_json": as_json}
    if read:
        return _publish_captures((*read, *more), speed, check, common)
    return _capture(live, check, common)


def _publish_captures(captures: tuple[str, ...], speed: float | None, check: bool, common: dict[str, Any]) -> int:
    if check:
        from segwatch.jobs.sensor_check import captures_findings

        return _tell(captures_findings(captures, speed), common["name"], _kafka(), spooled=speed is not None)
    common.update(_destination(common["name"], spooled=speed is not None))
    from segwatch.jobs.sensor import SensorJob

    return SensorJob(speed=speed, **common).run(captures)


def _capture(live: dict[str, Any], check: bool, common: dict[str, Any]) -> int:
    from segwatch.jobs.live_settings import capture_options
    from segwatch.processes.privileges import confine

    include_kafka, user, allow_root = (live.pop(name) for name in ("include_kafka", "user", "allow_root"))
    options = capture_options(settings(), **live)
    # Before anything is imported that starts threads: each has rights of its own.
    confine(user, allow_root=allow_root)
    settings.cache_clear()  # folders are those of the user that this process has become
    interfaces = tuple(dict.fromkeys(settings().interfaces))
    if check:
        from segwatch.jobs.sensor_check import interfaces_findings

        kafka = _kafka()
        servers = None if isinstance(kafka, BusError) else kafka.ends
        found = interfaces_findings(interfaces, options, () if include_kafka else servers)
        return _tell(found, common["name"], kafka, spooled=True)
    common.update(_destination(common["name"], spooled=True))
    from segwatch.jobs.live_sensor import LiveSensorJob

    LiveSensorJob(interfaces=interfaces, options=options, include_kafka=include_kafka, **common).run()
    return 0


def _destination(name: str, *, spooled: bool) -> dict[str, Any]:
    """Return where segments go, over which spool, and by which key their addresses are replaced."""
    from segwatch.kafka.location import kafka_address

    return {"address": kafka_address(), **_form(name, spooled=spooled)}


def _form(name: str, *, spooled: bool) -> dict[str, Any]:
    from segwatch.jobs.spooled_delivery import spool_plan

    return {
        "spool": spool_plan(settings(), name) if spooled else None,
        "anonymize": Path(settings().anonymize).expanduser() if settings().anonymize else None,
    }


def _kafka() -> "KafkaAddress | BusError":
    """Return where Kafka is, or why nobody knows: there is more to be said than that."""
    from segwatch.kafka.location import kafka_address

    try:
        return kafka_address()
    except BusError as error:
        return error


def _tell(found: "Iterable[Finding]", name: str, kafka: "KafkaAddress | BusError", *, spooled: bool) -> int:
    """Say what would be done, then all that is in the way; return the exit code of the first of that."""
    from segwatch.jobs.sensor_check import common_findings

    hindrances = []
    for finding in chain(found, common_findings(name, kafka, **_form(name, spooled=spooled))):
        if isinstance(finding, str):
            click.echo(finding)
        else:
            hindrances.append(finding)
    for hindrance in hindrances:
        click.echo(f"segwatch: {hindrance}", err=True)
    return hindrances[0].exit_code if hindrances else 0


def _make_key(path: str) -> int:
    from ingest.anonymize.key_file import make_key

    make_key(Path(path))
    click.echo(f"{path} holds a new key: copy it to all sensors whose addresses are to match, and keep it secret.")
    return 0


def _check_use(context: click.Context, read: tuple[str, ...], more: tuple[str, ...]) -> None:
    """Raise UsageError where the arguments say nothing to do, or options of the other way to do it.

    Interfaces that only the settings name are no contradiction to captures.
    """
    if not read and not settings().interfaces:
        raise UsageError("name an interface with --interface, or captures with --read.")
    named = context.get_parameter_source("interface") is not click.core.ParameterSource.DEFAULT
    if (read and named) or (more and not read):
        raise UsageError("--interface captures live and --read publishes captures: choose one of them.")
    if read:
        refuse_options(context, [*LIVE_PARAMETERS, "include_kafka"], "--interface")
    else:
        refuse_options(context, ["speed"], "--read")
