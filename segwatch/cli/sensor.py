"""``segwatch sensor``: segments to Kafka."""

import math
import socket

import click

_RECORDED = "recorded"
_FASTEST = "max"


class Speed(click.ParamType):
    """``recorded``, ``max`` or a number: times as fast as the capture was made, None for as fast as possible."""

    name = "speed"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """Return the number."""
        if value == _FASTEST:
            return None
        if value == _RECORDED:
            return 1.0
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not 0 < number < math.inf:
            self.fail(f"{value!r} is neither {_RECORDED} nor {_FASTEST} nor a number above 0", param, ctx)
        return number


def _checked_name(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    name = value if value is not None else socket.gethostname()
    if not name or not name.isprintable() or name != name.strip():
        raise click.BadParameter(f"{name!r} is no name: it must be text without control characters or spaces around it")
    return name


@click.command(name="sensor", no_args_is_help=True)
@click.option("--read", "read", multiple=True, required=True, metavar="FILE...", help="Publish captures.")
@click.argument("more", nargs=-1, metavar="")
@click.option("--speed", type=Speed(), default=_FASTEST, metavar="recorded|N|max", help="Pace of the packets [max].")
@click.option("--name", callback=_checked_name, help="Name of this sensor [the host's name].")
@click.option("--kafka", metavar="local|HOST:PORT", help="Where Kafka is [local].")
@click.option(
    "--patience",
    type=click.FloatRange(min=0, min_open=True),
    default=600,
    metavar="SECONDS",
    help="How long Kafka may be silent before this gives up [600].",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was published as one JSON object.")
def command(
    read: tuple[str, ...],
    more: tuple[str, ...],
    speed: float | None,
    name: str,
    kafka: str | None,
    patience: float,
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

    job = SensorJob(name=name, speed=speed, address=kafka_address(kafka), patience=patience, as_json=as_json)
    return job.run((*read, *more))
