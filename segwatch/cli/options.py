"""Arguments and options that several commands have."""

import os
from collections.abc import Callable
from typing import Any

import click

FILES = click.argument("files", nargs=-1, required=True, metavar="FILES...")


def _checked_rules(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    from segwatch.settings import settings

    return value or settings().rules


def rules_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--rules``: the flag, else the setting."""
    return click.option("--rules", metavar="NAME", callback=_checked_rules, help="Rule set [wireshark-4.0].")(function)


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
