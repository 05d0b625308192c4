"""Tables of figures, each row with the bar that it should reach; and the sizes of captures."""

from typing import NamedTuple

MILLION = 1_000_000
FULL, EIGHTFOLD = (1, 1), (8, 1)


class Row(NamedTuple):
    """A line of a table."""

    cells: tuple[str, ...]
    bar: str = ""
    met: bool | None = None


class Table(NamedTuple):
    """What a part found."""

    title: str
    head: tuple[str, ...]
    rows: list[Row]
    note: str = ""
    once: bool = False
    """Measured once, however many rounds were asked for."""
