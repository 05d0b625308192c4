"""Panels side by side on Grafana's grid of 24 columns, under headings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.models.dashboard import GridPos, Panel, RowPanel

COLUMNS: Final = 24


@dataclass(frozen=True)
class Section:
    """Panels under one heading; each has its width and height."""

    title: str
    panels: Sequence[Panel]


def arranged(sections: Sequence[Section]) -> list[Panel | RowPanel]:
    """Return headings and panels with their places and numbers: panels fill a line from left to right."""
    placed: list[Panel | RowPanel] = []
    top = 0
    for section in sections:
        heading = GridPos(h=1, w=COLUMNS, x=0, y=top)
        placed.append(RowPanel(id_val=len(placed) + 1, title=section.title, collapsed=False, grid_pos=heading))
        left, top, tallest = 0, top + 1, 0
        for panel in section.panels:
            size = panel.grid_pos or GridPos()
            if left + size.w > COLUMNS:
                left, top, tallest = 0, top + tallest, 0
            panel.grid_pos = GridPos(h=size.h, w=size.w, x=left, y=top)
            panel.id_val = len(placed) + 1
            placed.append(panel)
            left, tallest = left + size.w, max(tallest, size.h)
        top += tallest
    return placed
