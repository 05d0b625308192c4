"""Arguments and options that several commands have."""

import math
import socket
from collections.abc import Callable, Collection
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import click

from segwatch.errors import UsageError
from segwatch.settings import LEAST_SNAPLEN, MOST_SNAPLEN, choose, settings, use_sensor_config

if TYPE_CHECKING:
    from segwatch.telemetry.address import MetricsAddress

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_RECORDED = "recorded"
_FASTEST = "max"
_SLOWEST = 1e-9

_ROW_FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".arrow": "arrow", ".parquet": "parquet"}
ROW_ENDINGS = "(.jsonl, .ndjson, .arrow or .parquet; any other: tsv)"
"""For help texts."""

FILES = click.argument("files", nargs=-1, required=True, metavar="FILES...")


def _checked_rules(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    return value or settings().rules


def rules_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--rules``: the flag, else the setting."""
    return click.option(
        "--rules",
        metavar="NAME",
        callback=_checked_rules,
        help="Rule set: wireshark-4.0 (the default) or wireshark-2.2.",
    )(function)


def row_format(output: str) -> str:
    """Return the form of rows that the ending of a file's name asks for. Raises UsageError where there is no name."""
    if not output:
        raise UsageError("the name after --output is empty.")
    return _ROW_FORMATS.get(PurePath(output).suffix.lower(), "tsv")


def setting_option(name: str, metavar: str, text: str, kind: click.ParamType | None = None) -> Decorator:
    """Add a flag that stands over the setting ``name``, for this process and for those that it starts."""

    def chosen(_context: click.Context, _parameter: click.Parameter, value: object) -> None:
        if value not in {None, ""}:
            choose(name, str(value))

    flag = f"--{name.replace('_', '-')}"

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        return click.option(flag, type=kind, metavar=metavar, callback=chosen, expose_value=False, help=text)(function)

    return add


def kafka_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--kafka``, which takes the place of the setting."""
    return setting_option("kafka", "local|HOST:PORT,...", "Where Kafka is [local].")(function)


def _use_config(_context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    use_sensor_config(value)


def config_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--config`` of a sensor, which is read before all other options."""
    return click.option(
        "--config",
        metavar="FILE",
        is_eager=True,
        callback=_use_config,
        expose_value=False,
        help="File of settings [/etc/segwatch/sensor.toml].",
    )(function)


def anonymize_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--anonymize``, which takes the place of the setting."""
    return setting_option(
        "anonymize", "KEYFILE", "Replace addresses, by the key in this file [they stay as they are]."
    )(function)


def spool_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a sensor's spool, which take the place of the settings."""
    for option in (
        setting_option(
            "spool_age", "SECONDS", "Give up what has been in the spool for longer [86400].", click.IntRange(min=1)
        ),
        setting_option(
            "spool_bytes", "BYTES", "Give up the oldest when the spool holds more [1 GiB].", click.IntRange(min=1 << 20)
        ),
        setting_option("spool", "DIR|none", "Folder for segments while Kafka is away [one named after the sensor]."),
    ):
        function = option(function)
    return function


def _metrics_address(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> "MetricsAddress | None":
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


class Number(click.FloatRange):
    """A number in a range; "nan" and "inf", which Python takes for numbers, are none."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


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
        if not _SLOWEST <= number <= 1 / _SLOWEST:
            expected = f"a number from {_SLOWEST:g} to {1 / _SLOWEST:g}"
            self.fail(f"{value!r} is neither {_RECORDED} nor {_FASTEST} nor {expected}", param, ctx)
        return number


def checked_name(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    """Return the name of a sensor: the host's where none is given."""
    name = value if value is not None else settings().name or socket.gethostname()
    if not name or not name.isprintable() or name != name.strip():
        raise click.BadParameter(f"{name!r} is no name: it must be text without control characters or spaces around it")
    from segwatch.scope import REPLAY_SUFFIX  # loads NumPy, which the commands' help need not wait for

    if name.endswith(REPLAY_SUFFIX):
        raise click.BadParameter(f"{name!r} is no name: replays of other sensors have names that end so")
    return name


def name_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--name`` of a command that stores what it finds itself."""
    return click.option("--name", callback=checked_name, help="Name of the sensor in the store [the host's name].")(
        function
    )


def sensor_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--speed`` (None: as fast as possible) and ``--name`` of a sensor that reads captures."""
    function = click.option("--name", callback=checked_name, help="Name of this sensor [the host's name].")(function)
    return click.option(
        "--speed",
        type=Speed(),
        default=_FASTEST,
        metavar="recorded|N|max",
        help="Pace of the packets of captures [max].",
    )(function)


def _chosen_interfaces(_context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> None:
    if value:
        choose("interfaces", ",".join(value))


_INTERFACES = click.option(
    "--interface",
    multiple=True,
    metavar="IF",
    callback=_chosen_interfaces,
    expose_value=False,
    help="Capture IF live; may come several times.",
)
_CAPTURE_OPTIONS = (
    setting_option("filter", "BPF", "Capture only what passes this pcap-filter [all]."),
    setting_option("snaplen", "BYTES", "Bytes captured of a frame [256].", click.IntRange(LEAST_SNAPLEN, MOST_SNAPLEN)),
    setting_option("buffer_size", "SIZE", "The kernel's ring for packets [32m]."),
    click.option("--promiscuous/--no-promiscuous", default=True, help="Capture frames for other hosts too [yes]."),
    click.option(
        "--immediate", is_flag=True, help="Take each frame when it comes, not many together: sooner, but more work."
    ),
    click.option(
        "--direction",
        type=click.Choice(["in", "out", "both"]),
        default="both",
        help="Capture what comes in, what goes out, or both [both].",
    ),
)
_RIGHTS_OPTIONS = (
    click.option("--user", metavar="NAME", help="Change to this user, when started as root."),
    click.option("--allow-root", is_flag=True, help="Stay root, with no capability but CAP_NET_RAW."),
)
LIVE_PARAMETERS = (
    "filter", "snaplen", "buffer_size", "promiscuous", "immediate", "direction", "user", "allow_root",
)  # fmt: skip
"""Names of the parameters that ``watch_options`` adds."""
_KAFKA_TRAFFIC = click.option("--include-kafka", is_flag=True, help="Capture the traffic to the Kafka brokers too.")


def live_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a live capture for Kafka."""
    return _with_options(function, (_INTERFACES, *_CAPTURE_OPTIONS, _KAFKA_TRAFFIC, *_RIGHTS_OPTIONS))


def watch_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a live capture without Kafka."""
    return _with_options(function, (*_CAPTURE_OPTIONS, *_RIGHTS_OPTIONS))


def session_digits(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Return a session as 32 hexadecimal digits, however it is written."""
    if value is None:
        return None
    from sinks.sessions import plain

    try:
        return plain(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


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
