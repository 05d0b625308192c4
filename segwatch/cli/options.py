"""Arguments and options that several commands have."""

import math
import os
import socket
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import click

from segwatch.errors import UsageError

if TYPE_CHECKING:
    from segwatch.telemetry.address import MetricsAddress

_RECORDED = "recorded"
_FASTEST = "max"
_LEAST_SNAPLEN, _MOST_SNAPLEN = 96, 262144
_SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_LEAST_BUFFER, _MOST_BUFFER = 1 << 20, 1 << 31

FILES = click.argument("files", nargs=-1, required=True, metavar="FILES...")


def _checked_rules(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    from segwatch.settings import settings

    return value or settings().rules


def rules_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--rules``: the flag, else the setting."""
    return click.option(
        "--rules",
        metavar="NAME",
        callback=_checked_rules,
        help="Rule set: wireshark-4.0 (the default) or wireshark-2.2.",
    )(function)


def _name_kafka(_context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    """Let the flag stand over the setting, for this process and for those that it starts."""
    from segwatch.settings import PREFIX, settings

    if value:
        os.environ[f"{PREFIX}KAFKA"] = value
        settings.cache_clear()


def kafka_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--kafka``, which takes the place of the setting."""
    return click.option(
        "--kafka",
        metavar="local|HOST:PORT,...",
        callback=_name_kafka,
        expose_value=False,
        help="Where Kafka is [local].",
    )(function)


def _metrics_address(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> "MetricsAddress | None":
    from segwatch.settings import settings
    from segwatch.telemetry.address import parse_metrics_address

    chosen = value if value is not None else settings().metrics
    return parse_metrics_address(chosen) if chosen else None


def metrics_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--metrics``: the flag, else the setting; None where nothing is served."""
    return click.option(
        "--metrics",
        metavar="[HOST:]PORT",
        callback=_metrics_address,
        help="Serve Prometheus metrics and /health; 0 takes a free port [nowhere].",
    )(function)


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


def checked_name(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    """Return the name of a sensor: the host's where none is given."""
    name = value if value is not None else socket.gethostname()
    if not name or not name.isprintable() or name != name.strip():
        raise click.BadParameter(f"{name!r} is no name: it must be text without control characters or spaces around it")
    return name


def sensor_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--speed`` (None: as fast as possible) and ``--name`` of a sensor that reads captures."""
    function = click.option("--name", callback=checked_name, help="Name of this sensor [the host's name].")(function)
    return click.option(
        "--speed", type=Speed(), default=_FASTEST, metavar="recorded|N|max", help="Pace of the packets [max]."
    )(function)


class Size(click.ParamType):
    """A number of bytes, or of KiB, MiB or GiB with k, m or g behind it."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the bytes."""
        if isinstance(value, int):
            return value
        text = str(value).strip().lower()
        digits = text.rstrip("kmg")
        size = int(digits) * _SIZES.get(text[len(digits) :], 0) if digits.isascii() and digits.isdecimal() else 0
        if not _LEAST_BUFFER <= size < _MOST_BUFFER:
            self.fail(f"{value!r} is no size between 1m and 2047m", param, ctx)
        return size


_CAPTURE_OPTIONS = (
    click.option("--filter", "capture_filter", default="", metavar="BPF", help="Capture only what passes [all]."),
    click.option(
        "--snaplen",
        type=click.IntRange(_LEAST_SNAPLEN, _MOST_SNAPLEN),
        default=256,
        metavar="BYTES",
        help="Bytes captured of a frame [256].",
    ),
    click.option(
        "--buffer-size", "buffer_bytes", type=Size(), default="32m", help="The kernel's ring for packets [32m]."
    ),
    click.option("--promiscuous/--no-promiscuous", default=True, help="Capture frames for other hosts too [yes]."),
    click.option("--immediate", is_flag=True, help="Take frames when they come, at some cost in speed."),
    click.option("--direction", type=click.Choice(["in", "out", "both"]), default="both", help="Direction [both]."),
)
_RIGHTS_OPTIONS = (
    click.option("--user", metavar="NAME", help="User to change to, when started as root."),
    click.option("--allow-root", is_flag=True, help="Stay root, with no capability but CAP_NET_RAW."),
)
LIVE_PARAMETERS = (
    "capture_filter", "snaplen", "buffer_bytes", "promiscuous", "immediate", "direction", "user", "allow_root",
)  # fmt: skip
"""Names of the parameters that ``watch_options`` adds."""
_KAFKA_TRAFFIC = click.option("--include-kafka", is_flag=True, help="Capture the traffic to the Kafka brokers too.")


def live_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a live capture for Kafka."""
    return _with_options(function, (*_CAPTURE_OPTIONS, _KAFKA_TRAFFIC, *_RIGHTS_OPTIONS))


def watch_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a live capture without Kafka."""
    return _with_options(function, (*_CAPTURE_OPTIONS, *_RIGHTS_OPTIONS))


def refuse_options(context: click.Context, names: Collection[str], way: str) -> None:
    """Raise UsageError where one of the parameters ``names`` was given, which have a meaning with ``way`` only."""
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        if parameter.name in names and source is not click.core.ParameterSource.DEFAULT:
            raise UsageError(f"{parameter.opts[0]} has a meaning with {way} only.")


def _with_options(
    function: Callable[..., Any], options: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...]
) -> Callable[..., Any]:
    for option in reversed(options):
        function = option(function)
    return function
