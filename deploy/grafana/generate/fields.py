"""How values are shown: units, limits, names of columns, links of cells."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from grafana_foundation_sdk.models.dashboard import (
    DashboardFieldConfigSourceOverrides,
    DynamicConfigValue,
    MatcherConfig,
    Threshold,
    ThresholdsConfig,
    ThresholdsMode,
)

PERCENT: Final = "percent"
SECONDS: Final = "s"
MILLISECONDS: Final = "ms"
BYTES: Final = "bytes"
BITS_A_SECOND: Final = "bps"
NUMBER: Final = "short"
TIMES: Final = "suffix: times"
A_SECOND: Final = "suffix: a second"
TEXT: Final = "string"
"""Unit of text: without it what looks like a number, as ports do, would be written like one."""
WHOLE: Final = "none"
"""Unit of numbers that are written with all of their digits."""
SHARE_SENT_AGAIN: Final = (0.1, 1.0)
"""Percent of the bytes from which on it is worth a look, and bad: the limits of a report, too."""
_COLOURS: Final = ("green", "yellow", "red")


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, unit, limits, and where its cells lead."""

    title: str
    unit: str = TEXT
    limits: Sequence[float] = ()
    links: Sequence[dict[str, object]] = field(default=())
    width: int | None = None
    hidden: bool = False


def thresholds(limits: Sequence[float]) -> ThresholdsConfig:
    """Return green below the first limit, yellow from it on, red from the second on; one limit is that of red."""
    colours = _COLOURS if len(limits) > 1 else (_COLOURS[0], _COLOURS[-1])
    steps = [Threshold(value, colour) for value, colour in zip((None, *limits), colours, strict=False)]
    return ThresholdsConfig(mode=ThresholdsMode.ABSOLUTE, steps=steps)


def override(name: str, **properties: object) -> DashboardFieldConfigSourceOverrides:
    """Return properties of the column with this name; two underscores stand for a dot."""
    return DashboardFieldConfigSourceOverrides(
        matcher=MatcherConfig(id_val="byName", options=name),
        properties=[DynamicConfigValue(key.replace("__", "."), value) for key, value in properties.items()],
    )


def column_override(name: str, column: Column) -> DashboardFieldConfigSourceOverrides:
    """Return how a column of a table is shown."""
    properties: dict[str, object] = {"displayName": column.title, "unit": column.unit}
    if column.limits:
        properties |= {"thresholds": thresholds(column.limits), "custom__cellOptions": {"type": "color-text"}}
    if column.links:
        properties["links"] = list(column.links)
    if column.width is not None:
        properties["custom__width"] = column.width
    if column.hidden:
        properties["custom__hidden"] = True
    return override(name, **properties)
