"""The page: everything that a browser needs in one file, and nothing that it would have to fetch."""

import json
from importlib import resources
from typing import Final

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from segwatch import __version__
from segwatch.endpoints import endpoint_text
from segwatch.explain.closing import RESET_MEANINGS
from segwatch.explain.sentences import evidence_text
from segwatch.jobs.reasons import seconds_text, share_text
from segwatch.report.content import Report, SensorQuality
from segwatch.report.queries import queries
from segwatch.report.words import statements

_MARKS: Final = {"good": "✓", "fair": "!", "bad": "✗", "plain": "·"}
_SENSOR_COLUMNS: Final = {
    "Sessions": "sessions",
    "Begun": "begun_sessions",
    "Segments": "segments",
    "Lost by the kernel": "kernel_drops",
    "Lost by the interface": "interface_drops",
    "Shed": "shed_segments",
    "Given up": "dropped_segments",
    "Kept one in": "keep_one_in",
    "Conversations with losses": "conversations_with_loss",
    "Doubtful labels": "suspect_labels",
}
"""Headings, and fields of ``SensorQuality``."""
_ALWAYS: Final = 3
"""How many of them are there even if they tell of nothing."""
_PARTS: Final = resources.files("segwatch.report")


def page(report: Report) -> str:
    """Return a report as HTML."""
    plots = list(report.timeline)
    stories = []
    for told in report.told:
        place = None if told.plot is None else len(plots)
        plots += [] if told.plot is None else [told.plot]
        stories.append({**told.story._asdict(), **told._asdict(), "plot": place, "sql": _folded(told.sql)})
    return (
        _environment()
        .from_string(_part("page_parts/report.html.jinja"))
        .render(
            report=report,
            summary=report.summary,
            statements=[*statements(report.summary), *report.statements],
            marks=_MARKS,
            reset_meanings={reset.name.lower(): meaning for reset, meaning in RESET_MEANINGS.items()},
            timeline=range(len(report.timeline)),
            sensor_columns=_sensor_columns(report.sensors),
            stories=stories,
            version=__version__,
            sql=lambda figure: _folded(queries(figure, report.scope, minutes=report.minutes) if figure else []),
            plots=_json(plots),
            uplot_style=_part("uplot/uPlot.min.css"),
            uplot_script=_part("uplot/uPlot.iife.min.js"),
            style=_part("page_parts/report.css"),
            script=_part("page_parts/report.js"),
        )
    )


def _sensor_columns(sensors: list[SensorQuality]) -> list[tuple[str, str]]:
    """Return the columns of the table of sensors: those of losses only where one has lost something."""
    kept = {one.sensor: one._asdict() | {"keep_one_in": one.keep_one_in - 1} for one in sensors}
    return [
        (heading, name)
        for place, (heading, name) in enumerate(_SENSOR_COLUMNS.items())
        if place < _ALWAYS or any(one[name] for one in kept.values())
    ]


def _environment() -> Environment:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    environment.filters |= {
        "grouped": lambda count: f"{count:,}",
        "percent": share_text,
        "span": lambda seconds: seconds_text(round(seconds * 1e9)),
        "moment": lambda text: text[:19].replace("T", " "),
        "evidence": evidence_text,
        "end": endpoint_text,
    }
    return environment


def _part(name: str) -> str:
    return _PARTS.joinpath(name).read_text("utf-8")


def _json(value: object) -> str:
    """Return JSON that can stand in a script element: nothing in it ends the element."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _folded(found: list[str]) -> Markup:
    """Return the queries of a figure, folded; nothing for none."""
    if not found:
        return Markup()
    texts = Markup("").join(Markup("<pre>{}</pre>").format(query) for query in found)
    return Markup('<details class="sql"><summary>SQL</summary>{}</details>').format(texts)
