"""The columns of a sheet in the width of a terminal."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from segwatch.jobs.watch.sheet import Column, Sheet

_LONGEST_NAME: Final = 47
"""An IPv6 address and a port."""
_MOST_REST: Final = 120


def chosen_columns(columns: Sequence[Column], texts: dict[str, list[str]], width: int) -> list[tuple[Column, int]]:
    """Return the columns that fit, with their widths; ``texts``: by heading.

    Names get what their texts need where the first numbers leave that, and then more numbers come as the width allows.
    """
    leading = [column for column in columns if column.is_name and column is not columns[-1]]
    others = [column for column in columns if column not in leading]
    fitting: list[tuple[Column, int]] = []
    left = width - sum(column.width + 1 for column in leading) + 1
    wanted = {column.heading: min(max(map(len, texts[column.heading]), default=0), _LONGEST_NAME) for column in leading}
    short_of = sum(max(wanted[column.heading] - column.width, 0) for column in leading)
    for place, column in enumerate(others):
        # The names are whole before there are more columns than a narrow terminal has.
        needed = column.width + 1 + (short_of if place >= _FIRST_NUMBERS else 0)
        if needed > left:
            break
        rest = min(left - 1 - short_of, _MOST_REST) if column.is_name else column.width
        fitting.append((column, rest))
        left -= rest + 1
    spare = max(left, 0)
    names = []
    for column in leading:
        more = min(max(wanted[column.heading] - column.width, 0), spare)
        spare -= more
        names.append((column, column.width + more))
    return [*names, *fitting]


_FIRST_NUMBERS: Final = 7
"""Numbers that even a narrow terminal shows."""


def laid_out(sheet: Sheet, rows: Sequence[int], sorted_by: str | None, width: int, *, reverse: bool) -> Table:
    """Return some rows of a sheet as a table of ``width`` columns at most."""
    texts = {column.heading: [column.text(row) for row in rows] for column in sheet.columns}
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    chosen = chosen_columns(sheet.columns, texts, width)
    for column, size in chosen:
        mark = ("▲" if reverse else "▼") if column.heading == sorted_by else ""
        table.add_column(
            Text(f"{mark}{column.heading}"[:size], style="reverse" if mark else ""),
            width=size,
            justify="left" if column.is_name else "right",
            no_wrap=True,
            overflow="ellipsis",
        )
    for place in range(len(rows)):
        table.add_row(*(Text(texts[column.heading][place]) for column, _ in chosen))
    return table
