"""Rows of a query on standard output: as lines, or drawn as tables."""

import re
import sys
from collections.abc import Iterator
from ipaddress import IPv6Address
from itertools import islice
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sinks.querying import Result
from sinks.result_formats import LINE_FORMATS, cell_text

PAGE_ROWS = 500
"""Rows that are drawn as one table: their widths must be known before the first is written."""
FIRST_PAGE_ROWS = 100
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def write_result(result: Result, format_name: str) -> None:
    """Write the rows of a result while they come. Raises what the rows raise, and ``BrokenPipeError``."""
    if not result.columns:
        for _ in result.rows:  # a statement without rows is done when its stream has ended
            pass
        return
    names = [name for name, _ in result.columns]
    if format_name == "table":
        _write_tables(names, result.rows)
        return
    out = sys.stdout
    for text in LINE_FORMATS[format_name](names, result.rows):
        out.write(text)
    out.flush()


def _write_tables(names: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    console = Console(file=sys.stdout, highlight=False, soft_wrap=False)
    total = 0
    size = FIRST_PAGE_ROWS
    while page := list(islice(rows, size)):
        texts = [[_shown(value) for value in row] for row in page]
        if _width(names, texts) <= console.width or not console.is_terminal:
            _draw_table(console, names, texts)
        else:
            _draw_records(console, names, texts, total)
        total += len(page)
        size = PAGE_ROWS
    console.print(f"({total} {'row' if total == 1 else 'rows'})", style="dim")


def _shown(value: Any) -> str:
    """Return a value for people: IPv4 addresses in dotted form, control characters made visible."""
    if isinstance(value, IPv6Address) and value.ipv4_mapped is not None:
        return str(value.ipv4_mapped)
    if value is None:
        return "NULL"
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", cell_text(value))


def _width(names: list[str], texts: list[list[str]]) -> int:
    widths = [max(len(name), *(len(row[index]) for row in texts)) for index, name in enumerate(names)]
    return sum(widths) + 3 * len(widths) + 1


def _draw_table(console: Console, names: list[str], texts: list[list[str]]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(Text(name), no_wrap=True)
    for row in texts:
        table.add_row(*(Text(text) for text in row))
    if not console.is_terminal:
        console.width = max(console.width, _width(names, texts))  # nothing is cut in a file
    console.print(table)


def _draw_records(console: Console, names: list[str], texts: list[list[str]], before: int) -> None:
    """Draw rows that are wider than the terminal one below the other: a line for each column."""
    name_width = max(len(name) for name in names)
    for number, row in enumerate(texts, before + 1):
        console.print(Text(f"-- row {number}", style="bold"))
        for name, text in zip(names, row, strict=True):
            console.print(Text(f"{name:{name_width}}  {text}"), overflow="fold")
