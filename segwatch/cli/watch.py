"""``segwatch watch``: what is going on now, on one machine."""

import os
from typing import Any

import click

from segwatch.cli.options import (
    LIVE_PARAMETERS,
    Number,
    Speed,
    name_option,
    refuse_options,
    rules_option,
    watch_options,
)
from segwatch.errors import UsageError
from segwatch.settings import settings

_LEAST_CONVERSATIONS = 1000
_NO_STORE = "none"
_CAPTURE_PARAMETERS = ("promiscuous", "immediate", "direction")


@click.command(name="watch", no_args_is_help=True)
@click.option("--interface", "interfaces", multiple=True, metavar="IF", help="Capture IF live; may come several times.")
@click.argument("file", required=False, metavar="[FILE]")
@watch_options
@click.option(
    "--speed", type=Speed(), default="recorded", metavar="recorded|N|max", help="Pace of a file's packets [recorded]."
)
@click.option(
    "--window",
    type=Number(1, 86400),
    default=60,
    metavar="SECONDS",
    help="Length of the sliding window [60].",
)
@click.option(
    "--interval", type=Number(0.1, 3600), default=1, metavar="SECONDS", help="Time between two refreshes [1]."
)
@click.option("--seconds", type=Number(min=0, min_open=True), metavar="SECONDS", help="End after this time [never].")
@click.option(
    "--conversations",
    type=click.IntRange(min=_LEAST_CONVERSATIONS),
    default=100_000,
    metavar="N",
    help="Conversations to remember of each interface [100000].",
)
@click.option(
    "--store",
    is_flag=False,
    flag_value="",
    metavar="[local|URL]",
    help="Keep a history too: in the local store, or in this one [none].",
)
@name_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object per interval, and one for the summary.")
@rules_option
@click.pass_context
def command(context: click.Context, /, interfaces: tuple[str, ...], file: str | None, **options: Any) -> int:
    r"""Show what is going on: the worst conversations, hosts and labels, refreshed every second, like top.

    Capture and analysis run in this process; Kafka is not needed. On a terminal, ? lists the keys. Where standard
    output is no terminal, a line is printed per interval. Ctrl-C or q ends it with a summary of what was seen.

    FILE is a capture (pcap, pcapng, snoop, Network Monitor; compressed or not), or - for standard input. It is shown
    at the pace at which it was captured, with --speed N that many times as fast, with --speed max as fast as possible.

    \b
    Examples:
      segwatch watch --interface eth0
      segwatch watch --interface eth0 --filter "not port 22" --store
      segwatch watch monday.pcap --speed 60
      segwatch watch --interface any --seconds 600 --json >> watched.jsonl
      ssh gateway tcpdump -U -s 128 -w - tcp | segwatch watch -

    Exit codes: 0 fine, 2 wrong use, 3 no input can be read, 4 the input was cut, 5 the store failed.
    """
    _check_use(context, interfaces, file)
    user, allow_root, speed = options.pop("user"), options.pop("allow_root"), options.pop("speed")
    if interfaces:
        from segwatch.processes.privileges import confine

        # Before anything is imported that starts threads: each has rights of its own.
        confine(user or _invoking_user(allow_root=allow_root), allow_root=allow_root)
    from segwatch.jobs.live_settings import capture_options
    from segwatch.jobs.watch.job import WatchJob

    capture = capture_options(settings(), **{name: options.pop(name) for name in _CAPTURE_PARAMETERS})
    name, store = options.pop("name"), options.pop("store")
    job = WatchJob(store=_chosen_store(store), **options)
    if file is not None:
        return job.watch_file(file, speed, name)
    job.watch_interfaces(tuple(dict.fromkeys(interfaces)), capture, name)
    return 0


def _chosen_store(store: str | None) -> str | None:
    """Return where history goes: what the flag says, else the setting; None without the flag."""
    chosen = store or settings().store
    return None if store is None or chosen == _NO_STORE else chosen


def _invoking_user(*, allow_root: bool) -> str | None:
    """Return who called sudo, to whom a root who is not meant to stay changes."""
    return None if allow_root or os.geteuid() else os.environ.get("SUDO_USER")


def _check_use(context: click.Context, interfaces: tuple[str, ...], file: str | None) -> None:
    """Raise UsageError where the arguments say nothing to do, or options of the other way to do it."""
    if bool(interfaces) == (file is not None):
        raise UsageError("name either interfaces with --interface, or one FILE.")
    if interfaces:
        refuse_options(context, ["speed"], "a FILE")
    else:
        refuse_options(context, [*LIVE_PARAMETERS, "conversations"], "--interface")
