"""The dashboards and alert rules as Grafana reads them, and what is asked in them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from deploy.grafana.generate.files import ALERTS, FOLDER

Json = dict[str, Any]
DASHBOARDS = sorted((FOLDER / "dashboards").glob("*.json"))


class Question(NamedTuple):
    """A query of a file: where it stands, what for, and the variables of its dashboard."""

    place: str
    kind: str
    sql: str
    variables: tuple[str, ...]


def read(path: Path) -> Json:
    """Return what a file holds."""
    content: Json = json.loads(path.read_text(encoding="utf-8"))
    return content


def panels(board: Json) -> list[Json]:
    """Return the panels of a dashboard, without its headings."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def rules() -> list[Json]:
    """Return the alert rules."""
    return [rule for group in read(FOLDER / ALERTS)["groups"] for rule in group["rules"]]


def of_dashboards() -> Iterator[Question]:
    """Yield every query of the dashboards: of panels (kind: that of the panel), variables and annotations."""
    for path in DASHBOARDS:
        board = read(path)
        names = tuple(variable["name"] for variable in board["templating"]["list"])
        for panel in panels(board):
            for target in panel.get("targets", ()):
                place = f"{path.stem}: {panel['title']} {target['refId']}"
                yield Question(place, panel["type"], target["rawSql"], names)
        for variable in board["templating"]["list"]:
            place = f"{path.stem}: variable {variable['name']}"
            yield Question(place, "variable", variable["query"]["rawSql"], names)
        for mark in board["annotations"]["list"]:
            yield Question(f"{path.stem}: marks {mark['name']}", "annotation", mark["target"]["rawSql"], names)
