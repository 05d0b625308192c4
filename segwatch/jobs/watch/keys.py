"""Keys of a terminal, one at a time: termios(3)."""

import os
import re
import select
import sys
import termios
from types import TracebackType
from typing import Final, Self

from segwatch.jobs.watch.controls import ENTER, ERASE, ESCAPE, LEFT, RIGHT

_SEQUENCE: Final = re.compile(r"\x1b(?:[\[O][0-9;]*[A-Za-z~])?|.", re.DOTALL)
_NAMED: Final = {
    "\x1b[D": LEFT, "\x1bOD": LEFT, "\x1b[C": RIGHT, "\x1bOC": RIGHT, "\r": ENTER, "\n": ENTER, "\x1b": ESCAPE,
    "\x7f": ERASE, "\b": ERASE,
}  # fmt: skip
_LOCAL_FLAGS, _CONTROL_CHARACTERS = 3, 6
_BYTES: Final = 256


class Keyboard:
    """The keys of the controlling terminal while inside; without one there are none."""

    def __init__(self) -> None:
        self._opened: int | None = None
        self._before: list[object] | None = None
        self._terminal: int | None = None

    def __enter__(self) -> Self:
        if sys.stdin is not None and sys.stdin.isatty():
            self._terminal = sys.stdin.fileno()
        else:
            # The capture may come through standard input.
            try:
                self._opened = self._terminal = os.open("/dev/tty", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return self
        self._before = termios.tcgetattr(self._terminal)
        changed = termios.tcgetattr(self._terminal)
        changed[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO)
        characters = list(changed[_CONTROL_CHARACTERS])
        # Ctrl-Z would leave the shell with this screen; Ctrl-C stays a signal.
        characters[termios.VSUSP] = characters[termios.VMIN] = b"\0"
        characters[termios.VMIN], characters[termios.VTIME] = 1, 0
        changed[_CONTROL_CHARACTERS] = characters
        termios.tcsetattr(self._terminal, termios.TCSADRAIN, changed)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._terminal is not None and self._before is not None:
            termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._before)  # type: ignore[arg-type]  # as it came
        if self._opened is not None:
            os.close(self._opened)

    def read(self, patience: float) -> list[str]:
        """Return the keys that were pressed, after ``patience`` seconds at most; named ones by their names."""
        watched = [] if self._terminal is None else [self._terminal]
        if not select.select(watched, [], [], patience)[0]:
            return []
        typed = os.read(watched[0], _BYTES).decode(errors="replace")
        if not typed:
            self._terminal = None  # the terminal is gone
        return [_NAMED.get(one, one) for one in _SEQUENCE.findall(typed)]
