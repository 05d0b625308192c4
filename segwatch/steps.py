"""Named steps of cycles that must survive a crash between any two of them.

Whoever runs such a cycle says at each step that it was reached; trials listen, and end the process there.
"""

from collections.abc import Callable

_observers: list[Callable[[str], None]] = []


def reached(step: str) -> None:
    """Tell the observers that a step was reached."""
    for observer in _observers:
        observer(step)


def observe(observer: Callable[[str], None]) -> None:
    """Call ``observer`` with the name of every step from now on."""
    _observers.append(observer)
