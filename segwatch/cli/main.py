"""The ``segwatch`` program: finds the command, and turns whatever goes wrong into a sentence and an exit code."""

import importlib
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click

from segwatch import __version__
from segwatch.errors import SegwatchError

COMMANDS = {
    "analyze": "Analyse captures: label, summarise, store.",
    "labels": "Write a row for every TCP segment, with its labels.",
    "query": "Ask the store in SQL.",
    "up": "Run the whole pipeline on this machine, supervised.",
    "status": "Say how the pipeline gets on: lag, sensors, dead letters, rows.",
    "sensor": "Publish segments to Kafka.",
    "processor": "Label what the sensors publish (Faust worker).",
    "sink": "Bring findings from Kafka into the store.",
    "topics": "Make, check and describe the topics in Kafka.",
    "broker": "Start, stop and locate the local Kafka broker.",
    "db": "Start, stop and locate the local store.",
    "schema": "Show or apply the tables of the store.",
    "doctor": "Say what is installed, what is missing and what to do.",
    "warmup": "Compile everything now, so that no later command has to.",
}
"""Commands in the order of the help; each is ``command`` in the module of its name, imported when it is used."""

EXIT_DEFECT = 70
"""Exit code of an unexpected error (EX_SOFTWARE of sysexits.h)."""
EXIT_INTERRUPTED = 130
EXIT_PIPE_CLOSED = 141


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's interface
        """Return the names of the commands in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # as above
        """Import and return a command."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"segwatch.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)  # noqa: S101  # states what the modules promise, for the type checker
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; click itself would turn a closed pipe into exit code 1."""
        from segwatch.errors import UsageError
        from segwatch.settings import export_settings

        try:
            export_settings()
        except UsageError:
            # The doctor tells what is wrong with the file among the rest.
            if ctx._protected_args[:1] != ["doctor"]:  # noqa: SLF001  # the public name is deprecated and warns
                raise
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise click.exceptions.Exit(_leave_closed_pipe()) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # as above
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="segwatch")
def root() -> None:
    r"""Watch TCP: Wireshark's labels on every segment, and a history in SQL.

    \b
    Examples:
      segwatch analyze capture.pcap           what is wrong in it, in words
      segwatch labels capture.pcap | less     tshark's word on every segment
      segwatch query "SELECT * FROM flows"    ask the store
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program and exit."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    try:
        result = root.main(args=arguments, prog_name="segwatch", standalone_mode=False)
        sys.stdout.flush()
    except SegwatchError as error:
        return _say(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.format_message(), err=True)
        return error.exit_code
    except click.UsageError as error:
        hint = f" ({error.ctx.command_path} --help tells more)" if error.ctx else ""
        return _say(error.format_message().rstrip(".") + f"{hint}.", error.exit_code)
    except click.ClickException as error:
        return _say(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return _leave_closed_pipe()
    except Exception as error:
        return _defect(error)
    return result if isinstance(result, int) else 0


def _say(sentence: str, exit_code: int) -> int:
    _drop_what_cannot_be_written()
    with suppress(OSError):
        click.echo(f"segwatch: {sentence}", err=True)
    return exit_code


def _drop_what_cannot_be_written() -> None:
    """Empty the buffer of standard output, or send it nowhere where it is full or closed."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            _send_output_nowhere()


def _send_output_nowhere() -> None:
    """Leave what is still buffered, so that the interpreter does not complain at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _leave_closed_pipe() -> int:
    _send_output_nowhere()
    return EXIT_PIPE_CLOSED


def _defect(error: Exception) -> int:
    kind = type(error).__name__
    try:
        place = f"the traceback is in {_write_traceback(error)}"
    except OSError as failure:
        place = f"the traceback could not be written ({failure.strerror})"
    return _say(f"this is a defect of segwatch ({kind}); please report it: {place}.", EXIT_DEFECT)


def _write_traceback(error: Exception) -> Path:
    import platform
    import traceback

    lines = [f"segwatch {__version__}, Python {platform.python_version()}, {platform.platform()}\n", f"{sys.argv!r}\n"]
    content = "".join([*lines, *traceback.format_exception(error)])
    name = f"defect-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.txt"
    for folder in (_reports_directory(), Path(tempfile.gettempdir())):
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, "utf-8", errors="backslashreplace")
            return folder / name
    raise OSError(0, "no folder can be written")


def _reports_directory() -> Path:
    import platformdirs

    return Path(os.environ.get("SEGWATCH_CACHE_DIR") or platformdirs.user_cache_dir("segwatch")) / "defects"
