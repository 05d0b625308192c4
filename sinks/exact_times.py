"""Times read with all their digits.

clickhouse-driver turns a ``DateTime64`` into a ``datetime`` through a floating-point number: a nanosecond time comes
out a microsecond wrong. A client whose setting ``exact_times`` is on gets such times as text instead.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from clickhouse_driver.columns import service
from clickhouse_driver.columns.datetimecolumn import DateTime64Column, create_datetime_column

_SETTING = "exact_times"


def use_exact_times(client: Any) -> None:
    """Let a client read ``DateTime64`` values as text, like ``2026-01-01 00:00:00.123456789``."""
    client.client_settings[_SETTING] = True


def time_text(ticks: int, scale: int, timezone: Any) -> str:
    """Return the text of a time that is ``ticks`` of 10**-scale seconds after the epoch."""
    seconds, fraction = divmod(ticks, 10**scale)
    text = datetime.fromtimestamp(seconds, timezone).strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}.{fraction:0{scale}d}" if scale else text


def _texts(
    scale: int, timezone: Any, items: Sequence[int], nulls_map: Sequence[bool] | None = None
) -> tuple[str | None, ...]:
    if nulls_map is None:
        return tuple(time_text(item, scale, timezone) for item in items)
    return tuple(
        None if null else time_text(item, scale, timezone) for item, null in zip(items, nulls_map, strict=True)
    )


def _create(specification: str, options: dict[str, Any]) -> Any:
    column = create_datetime_column(specification, options)
    context = options["context"]
    if isinstance(column, DateTime64Column) and context is not None and context.client_settings.get(_SETTING):
        column.after_read_items = partial(_texts, column.scale, column.timezone or UTC)
    return column


# The driver looks the function up in this module for every column, nested ones included.
service.create_datetime_column = _create
