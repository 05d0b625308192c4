"""Options of commands that look at a capture, or at what the store has of a range of time."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from segwatch.cli.options import session_digits
from segwatch.errors import UsageError
from segwatch.settings import settings

if TYPE_CHECKING:
    from segwatch.scope import Scope


_OPTIONS: Final = (
    click.option("--from", "begin", metavar="TIME", help="Look at what the store has from this capture time on."),
    click.option("--to", "end", metavar="TIME", help="The time that the range ends before [now]."),
    click.option("--sensor", metavar="NAME", help="Only sessions of this sensor."),
    click.option("--session", metavar="ID", callback=session_digits, help="Only this capture session."),
    click.option("--store", metavar="local|URL", help="Which store [local]."),
)


def stored_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--from``, ``--to``, ``--sensor``, ``--session`` and ``--store``."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def chosen_scope(
    capture: str | None, *, begin: str | None, end: str | None, sensor: str | None, session: str | None
) -> "Scope | None":
    """Return what is asked of the store, None where a capture is asked for. Raises UsageError."""
    from segwatch.scope import Scope
    from segwatch.times import parse_time

    if capture is not None:
        if any((begin, end, sensor, session)):
            raise UsageError(f"{capture} is a capture; --from, --to, --sensor and --session choose from the store.")
        return None
    if begin is None:
        if end is not None or session is None:
            raise UsageError("name a capture, or --from TIME or --session ID for what the store has.")
        return Scope(sensor=sensor, session=session)
    now = time.time_ns()
    first, last = parse_time(begin, now), parse_time(end or "now", now)
    if first >= last:
        raise UsageError(f"the range is empty: --from {begin} is not before --to {end or 'now'}.")
    return Scope.of_range(first, last, sensor, session)


def chosen_store(store: str | None) -> str:
    """Return which store is to be looked into. Raises UsageError where there is none."""
    chosen = store or settings().store
    if chosen == "none":
        raise UsageError("There is nothing to look into: the setting `store` is none; name a store with --store.")
    return chosen
