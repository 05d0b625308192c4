"""What keys change: view, order, filter, pause."""

from dataclasses import dataclass, field
from typing import Final

from segwatch.errors import UsageError
from segwatch.jobs.watch.filtering import Filter
from segwatch.jobs.watch.sheet import Sheet
from segwatch.jobs.watch.sheets import VIEWS

LEFT, RIGHT, ENTER, ESCAPE, ERASE = "left", "right", "enter", "escape", "erase"
KEYS: Final = (
    ("c h l", "conversations, hosts, labels; v or Tab: the next view"),
    ("< >", "sort by the column to the left or right (arrow keys too)"),
    ("r", "reverse the order"),
    ("s", "worst first again"),
    ("w", "the last while, or all since the start"),
    ("/", "filter: hosts, networks, ports, as in 10.0.0.0/8 443 (Enter: use it, Esc: none)"),
    ("p", "pause, and go on (space too)"),
    ("?", "this help"),
    ("q", "quit (Ctrl-C too)"),
)
"""The keys and what they do."""
_BY_LETTER: Final = {"c": 0, "h": 1, "l": 2}


@dataclass
class Controls:
    """The state of the screen that keys change."""

    view: str = VIEWS[0]
    sorted_by: dict[str, str] = field(default_factory=dict)
    """Heading by view; the worst come first where there is none."""
    reverse: bool = False
    since_start: bool = False
    paused: bool = False
    help: bool = False
    quit: bool = False
    filter: Filter = field(default_factory=Filter)
    typed: str | None = None
    """The filter while it is typed."""
    complaint: str = ""
    """What was wrong with what was typed."""

    def press(self, key: str, sheet: Sheet) -> None:
        """Do what a key asks for, on a screen that shows ``sheet``."""
        if self.typed is not None:
            self._type(key, self.typed)
        elif self.help and key not in ("q", "?"):
            self.help = False
        elif key in _BY_LETTER:
            self.view = VIEWS[_BY_LETTER[key]]
        elif key in ("v", "\t"):
            self.view = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]
        elif key in ("<", ">", LEFT, RIGHT):
            self._sort(sheet, 1 if key in (">", RIGHT) else -1)
        else:
            self._switch(key)

    def _switch(self, key: str) -> None:
        if key == "r":
            self.reverse = not self.reverse
        elif key == "s":
            self.sorted_by.pop(self.view, None)
            self.reverse = False
        elif key == "w":
            self.since_start = not self.since_start
        elif key in ("p", " "):
            self.paused = not self.paused
        elif key in ("?", "q"):
            self.help = key == "?" and not self.help
            self.quit = key == "q"
        elif key == "/":
            self.typed, self.complaint = self.filter.text, ""

    def _sort(self, sheet: Sheet, step: int) -> None:
        headings = sheet.sortable()
        before = self.sorted_by.get(self.view)
        if before in headings:
            self.sorted_by[self.view] = headings[(headings.index(before) + step) % len(headings)]
        else:
            self.sorted_by[self.view] = headings[0 if step > 0 else -1]

    def _type(self, key: str, typed: str) -> None:
        if key == ENTER:
            try:
                self.filter, self.typed = Filter(typed), None
            except UsageError as error:
                self.complaint = str(error)
        elif key == ESCAPE:
            self.filter, self.typed = Filter(), None
        elif key == ERASE:
            self.typed = typed[:-1]
        elif len(key) == 1 and key.isprintable():
            self.typed, self.complaint = typed + key, ""
