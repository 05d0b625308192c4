"""Arguments and options that several commands have."""

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
