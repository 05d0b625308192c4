"""The picture on a terminal: a head, a sheet that fits the window, the keys."""

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from segwatch.jobs.progress import short_name
from segwatch.jobs.watch.controls import KEYS, Controls
from segwatch.jobs.watch.frame import Frame, TakesFrame
from segwatch.jobs.watch.keys import Keyboard
from segwatch.jobs.watch.layout import laid_out
from segwatch.jobs.watch.sheet import Sheet
from segwatch.jobs.watch.sheets import LABELS, sheet_of
from segwatch.jobs.watch.texts import clock_text, percent, rate_text, short

_KEY_SECONDS: Final = 0.1
_HEAD_LINES, _FOOT_LINES = 3, 1
_FOOT: Final = "c h l view  < > sort  r reverse  w window  / filter  p pause  ? help  q quit"


class Screen:
    """Shows frames on a terminal until a key ends it."""

    def __init__(self, console: Console, interfaces: Sequence[str], interval: float) -> None:
        """``interval``: seconds between two frames."""
        self.controls = Controls()
        self._console = console
        self._interfaces = interfaces
        self._interval = interval
        self._keyboard = Keyboard()
        self._live = Live(console=console, screen=True, auto_refresh=False)

    def __enter__(self) -> Self:
        self._keyboard.__enter__()
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)
        self._keyboard.__exit__(kind, error, trace)

    def show(self, frame: TakesFrame, is_over: Callable[[], bool]) -> None:
        """Draw frames until a key or ``is_over`` ends it; what has ended stays until a key ends that too."""
        since_start, size = self.controls.since_start, self._console.size
        shown, due = frame(since_start=since_start), time.monotonic() + self._interval
        sheet = self._draw(shown)
        while not self.controls.quit and not is_over():
            keys = self._keyboard.read(_KEY_SECONDS)
            for key in keys:
                self.controls.press(key, sheet)
            is_due = time.monotonic() >= due and not self.controls.paused
            if is_due or self.controls.since_start != since_start:
                since_start = self.controls.since_start
                shown, due = frame(since_start=since_start), time.monotonic() + self._interval
            if is_due or keys or self._console.size != size:
                size = self._console.size
                sheet = self._draw(shown)

    def _draw(self, frame: Frame) -> Sheet:
        width, height = self._console.size
        drawn, sheet = drawing(frame, self.controls, self._interfaces, width, height)
        self._live.update(drawn, refresh=True)
        return sheet


def drawing(
    frame: Frame, controls: Controls, interfaces: Sequence[str], width: int, height: int
) -> tuple[RenderableType, Sheet]:
    """Return what fills a window of so many columns and lines, and the sheet that it shows."""
    sheet = sheet_of(controls.view, frame.look, controls.filter, interfaces)
    body: RenderableType
    room = max(height - _HEAD_LINES - _FOOT_LINES - 1, 1)
    if controls.help:
        body, lines = _help(), len(KEYS) + 1
    else:
        heading = controls.sorted_by.get(controls.view)
        rows = sheet.best(room, heading, reverse=controls.reverse)
        body = laid_out(sheet, rows, heading, width, reverse=controls.reverse)
        lines = len(rows) + 1
    filler = Text("\n" * max(room + 1 - lines, 0), end="")
    return Group(*_head(frame, controls, len(sheet.rows), width), body, filler, _foot(controls, width)), sheet


def _line(left: str, right: str, width: int, style: str = "") -> Text:
    room = max(width - len(right) - 1, 0)
    return Text(f"{left[:room]:<{room}} {right}"[:width], style=style, no_wrap=True, overflow="crop")


def _head(frame: Frame, controls: Controls, rows: int, width: int) -> list[Text]:
    look, status = frame.look, frame.status
    rates = (
        f"{rate_text(frame.packets_a_second, 'packets')}  {rate_text(frame.payload_bits_a_second, 'bit')} of payload"
    )
    state = "paused  " if controls.paused else "end of the capture  " if frame.ended else ""
    first = _line(f"segwatch {short_name(frame.name)}  {rates}", f"{state}{clock_text(frame.running)}", width, "bold")
    losses = f"dropped {short(frame.dropped)}  shed {percent(frame.shed_share) or 0} %"
    if frame.evicted:
        losses = f"forgotten {short(frame.evicted)}  {losses}"
    if frame.half_seen:
        losses = f"{frame.half_seen}  {losses}"
    conversations = f"{short(look.conversations)} conversations ({short(look.active)} active)"
    counted = f"{short(look.start.segments)} segments  {conversations}"
    trouble = frame.dropped or frame.status.shed_segments
    second = _line(counted, losses, width, "yellow" if trouble else "")
    span = "since the start" if controls.since_start else f"last {look.seconds:.0f} s"
    sorting = controls.sorted_by.get(controls.view, "most first" if controls.view == LABELS else "worst first")
    shown = controls.view[:-1] if rows == 1 else controls.view
    third = f"{short(rows)} {shown}, {span}, {'reversed ' if controls.reverse else ''}{sorting}"
    if controls.filter.text:
        third += f", filter {controls.filter.text}"
    problem = frame.problem or status.problem
    return [first, second, _line(problem or third, "", width, "bold red" if problem else "dim")]


def _foot(controls: Controls, width: int) -> Text:
    if controls.typed is not None:
        return _line(f"Filter (hosts, networks, ports): {controls.typed}_", controls.complaint, width, "reverse")
    return Text(f"{_FOOT[:width]:<{width}}", style="reverse", no_wrap=True, overflow="crop", end="")


def _help() -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=True)
    table.add_column("key", no_wrap=True, style="bold")
    table.add_column("what it does", no_wrap=True)
    for key, meaning in KEYS:
        table.add_row(key, meaning)
    return table
