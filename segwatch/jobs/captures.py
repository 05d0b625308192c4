"""The captures of one command, one after the other; what is wrong with one does not stop the others."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import click

from segwatch.errors import InputError, PartialInputError, UsageError
from segwatch.jobs.content import Content
from segwatch.jobs.inputs import capture_files, repeated_sentence
from segwatch.jobs.link_types import link_type_name

_Opened = TypeVar("_Opened")
_LINK_TYPE = re.compile(r"link type 0x[0-9a-f]+")
"""How the decoder names a link type that it does not know, as the reason for leaving out a frame."""


class Captures:
    """Opens captures, and counts what could not be read, or not to its end."""

    def __init__(self, arguments: tuple[str, ...]) -> None:
        self.names, self._missing, self._repeated = capture_files(arguments)
        self._unreadable = 0
        self._damaged = 0

    def each(self, opened: Callable[[str], AbstractContextManager[_Opened]]) -> Iterator[_Opened]:
        """Yield what ``opened`` makes of each capture that can be opened; say what is wrong with the others.

        Raise InputError where the only input cannot be read, and at the end where none could be.
        """
        for error in self._missing:
            self._refuse(error)
        for name in self._repeated:
            _complain(repeated_sentence(name))
        for name in self.names:
            try:
                capture = opened(name)
            except InputError as error:
                self._refuse(error)
                continue
            with capture as entered:
                yield entered
        if self._unreadable == self._inputs:
            raise InputError(f"none of the {self._inputs} inputs can be read.")

    @property
    def _inputs(self) -> int:
        return len(self.names) + len(self._missing)

    def _refuse(self, error: InputError) -> None:
        if self._inputs == 1:
            raise error
        self._unreadable += 1
        _complain(str(error))

    def finished(self, content: Content, segments: int) -> bool:
        """Say what was wrong with a capture; return False if all of it was unreadable."""
        if content.frames and not segments and all(map(_LINK_TYPE.fullmatch, content.skipped)):
            names = ", ".join(map(link_type_name, content.link_types))
            self._refuse(InputError(f"{content.name} cannot be read: its link type ({names}) is not understood."))
            return False
        if content.damage:
            self._damaged += 1
            _complain(content.damage)
        return True

    @property
    def exit_code(self) -> int:
        """0, or 4 if any input was missing or not read to its end."""
        return PartialInputError.exit_code if self._damaged or self._unreadable else 0


def captures_to_read_twice(name: str, command: str) -> Captures:
    """Return the one capture of a command that goes through it twice. Raises UsageError."""
    if name == "-":
        raise UsageError(f"{command} reads a capture twice, so standard input will not do: save it to a file.")
    captures = Captures((name,))
    if len(captures.names) > 1:
        raise UsageError(f"{name} is {len(captures.names)} captures: {command} takes one.")
    return captures


def refuse_to_overwrite(output: str, names: list[str]) -> None:
    """Raise UsageError where an output would take the place of a capture that is read."""
    path = Path(output)
    if output == "-" or not path.is_file():
        return
    for name in names:
        if name != "-" and Path(name).exists() and path.samefile(name):
            raise UsageError(f"{output} is read as a capture: write to another file.")


def _complain(sentence: str) -> None:
    """Say a sentence on standard error."""
    click.echo(f"segwatch: {sentence}", err=True)
