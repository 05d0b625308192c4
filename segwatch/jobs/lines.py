"""Lines for people: tables without lines between their cells, and sizes."""

from collections.abc import Collection, Iterator, Sequence


def table_lines(rows: Sequence[tuple[str, ...]], right: Collection[int]) -> Iterator[str]:
    """Yield the lines of a table, whose first row has the titles; the columns ``right`` are aligned to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            f"{cell:>{width}}" if column in right else f"{cell:{width}}"
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def size_text(number: int) -> str:
    """Return a number of bytes, rounded."""
    for size, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} bytes"
