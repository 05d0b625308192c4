"""Command lines as the program itself understands them, without doing anything."""

from collections.abc import Sequence

import click

from segwatch.cli.main import root


def parse(arguments: Sequence[str]) -> None:
    """Parse the words after ``segwatch``. Raises ``click.UsageError`` or the project's ``UsageError``.

    Options that take the place of settings change this process's environment: whoever calls this takes it back.
    """
    command: click.Command = root
    name, words, context = "segwatch", list(arguments), None
    while True:
        try:
            context = command.make_context(name, words, parent=context)
        except click.exceptions.Exit:  # --help and --version end here
            return
        if not isinstance(command, click.Group):
            return
        rest = [*context._protected_args, *context.args]
        if not rest:  # a group that does something by itself
            return
        found = command.resolve_command(context, rest)
        assert found[0] is not None
        assert found[1] is not None
        name, command, words = found[0], found[1], found[2]
