"""The page: everything that a browser needs in one file, and nothing that it would have to fetch."""

import json
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from segwatch import __version__
from segwatch.endpoints import endpoint_text
from segwatch.explain.closing import RESET_MEANINGS
from segwatch.explain.sentences import frames_text
from segwatch.explain.story import Story
from segwatch.jobs.reasons import seconds_text
from segwatch.report.queries import queries
from segwatch.report.words import statements

_MARKS: Final = {"good": "✓", "fair": "!", "bad": "✗", "plain": "·"}
_PARTS: Final = resources.files("segwatch.report")


def page(
    summary: dict[str, Any],
    rules: str,
    timeline: list[dict[str, Any]],
    told: list[tuple[Story, dict[str, Any] | None]],
    quality: list[str],
) -> str:
    """Return the report as HTML.

    ``summary``: of docs/summary.md, with its digest. ``timeline``: plots of the whole capture. ``told``: conversations
    and their plots. ``quality``: what else is to be said of the capture, in sentences.
    """
    plots = list(timeline)
    stories = []
    for story, plot in told:
        stories.append({**story._asdict(), "plot": len(plots) if plot is not None else None})
        plots.extend([plot] if plot is not None else [])
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    environment.filters |= {
        "grouped": lambda count: f"{count:,}",
        "percent": lambda share: f"{100 * share:.2g} %",
        "span": lambda seconds: seconds_text(round(seconds * 1e9)),
        "moment": lambda text: text[:19].replace("T", " "),
        "frames": frames_text,
        "end": endpoint_text,
    }
    return environment.from_string(_part("page_parts/report.html.jinja")).render(
        title=f"TCP in {summary['name'].rsplit('/', 1)[-1]}",
        summary=summary,
        statements=list(statements(summary)),
        marks=_MARKS,
        reset_meanings={reset.name.lower(): meaning for reset, meaning in RESET_MEANINGS.items()},
        timeline=range(len(timeline)),
        stories=stories,
        quality=quality,
        rules=rules,
        version=__version__,
        sql=lambda figure, stream=0: _sql(figure, summary["digest"], stream),
        plots=_json(plots),
        uplot_style=_part("uplot/uPlot.min.css"),
        uplot_script=_part("uplot/uPlot.iife.min.js"),
        style=_part("page_parts/report.css"),
        script=_part("page_parts/report.js"),
    )


def _part(name: str) -> str:
    return _PARTS.joinpath(name).read_text("utf-8")


def _json(value: object) -> str:
    """Return JSON that can stand in a script element: nothing in it ends the element."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _sql(figure: str, digest: str, stream: int) -> Markup:
    """Return the queries of a figure, folded."""
    texts = Markup("").join(Markup("<pre>{}</pre>").format(query) for query in queries(figure, digest, stream))
    return Markup('<details class="sql"><summary>SQL</summary>{}</details>').format(texts)
