"""What ``segwatch up`` shows: a table that changes in place on a terminal, else a line now and then."""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from types import TracebackType
from typing import Final, Protocol, Self

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from segwatch.jobs.up_parts import Part

PLAIN_SECONDS: Final = 10.0


class View(Protocol):
    """Shows the state of the parts, and what happens."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, parts: Sequence[Part], doing: str) -> None:
        """Show how things are; ``doing``: what is being done now."""

    def tell(self, sentence: str) -> None:
        """Say something that happened."""

    def close(self, parts: Sequence[Part], summary: str) -> None:
        """Show what has become of it all."""


def view(where: str) -> View:
    """Return the view for this standard output; ``where`` tells of Kafka and the store."""
    console = Console()
    return LiveView(console, where) if console.is_terminal else PlainView(where)


class PlainView(nullcontext[None]):
    """Lines, for logs."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where
        self._shown = float("-inf")
        self._line = ""

    def __enter__(self) -> Self:  # type: ignore[override]
        self.tell(self._where)
        return self

    def show(self, parts: Sequence[Part], doing: str) -> None:
        """Say how things are every ten seconds, if something has changed."""
        line = "; ".join(f"{part.child.name} {_state(part)}, {_done(part)}" for part in parts)
        now = time.monotonic()
        if line != self._line and now - self._shown >= PLAIN_SECONDS:
            self._line, self._shown = line, now
            self.tell(f"{doing} {line}")

    def tell(self, sentence: str) -> None:
        """Say it."""
        click.echo(sentence)

    def close(self, parts: Sequence[Part], summary: str) -> None:  # noqa: ARG002  # lines were said before
        """Say the summary."""
        self.tell(summary)


class LiveView:
    """A table on the terminal."""

    def __init__(self, console: Console, where: str) -> None:
        self._console = console
        self._where = where
        self._began = time.monotonic()
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, parts: Sequence[Part], doing: str) -> None:
        """Draw the table anew."""
        self._live.update(self._table(parts, doing), refresh=True)

    def tell(self, sentence: str) -> None:
        """Say it above the table."""
        self._console.print(Text(sentence))

    def close(self, parts: Sequence[Part], summary: str) -> None:
        """Leave the table as it is at the end."""
        self.show(parts, summary)

    def _table(self, parts: Sequence[Part], doing: str) -> Table:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        title = Text(
            f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}  {self._where}", overflow="ellipsis", no_wrap=True
        )
        table = Table(title=title, title_justify="left", title_style="", box=None, padding=(0, 2, 0, 0))
        table.caption, table.caption_justify, table.caption_style = Text(doing), "left", "dim"
        table.add_column("part", no_wrap=True)
        table.add_column("state", no_wrap=True)
        for heading in ("restarts", "waiting", "a second", "done"):
            table.add_column(heading, justify="right", no_wrap=True)
        for part in parts:
            state = _state(part)
            table.add_row(
                part.child.name,
                Text(state, style=_STYLES.get(state, "")),
                str(part.child.restarts),
                f"{part.waiting:,}",
                f"{part.rate:,.0f}",
                f"{part.total:,.0f} {part.unit}",
            )
        return table


_STYLES: Final = {"runs": "green", "stalled": "bold red", "starts again": "yellow"}


def _state(part: Part) -> str:
    if part.child.pid is not None:
        return "runs" if part.is_healthy else "stalled"
    if part.child.due is not None:
        return "starts again"
    return "done" if part.child.code == 0 else "ended"


def _done(part: Part) -> str:
    again = f", {part.child.restarts} restarts" if part.child.restarts else ""
    return f"{part.total:,.0f} {part.unit} ({part.rate:,.0f} a second), {part.waiting:,} messages wait{again}"
