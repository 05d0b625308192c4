"""The ``segwatch`` program: finds the command, and turns whatever goes wrong into a sentence and an exit code."""

import gc
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click

from segwatch import __version__
from segwatch.defects import EXIT_DEFECT, defect_sentence
from segwatch.errors import OutputError, SegwatchError

COMMANDS = {
    "analyze": "Analyse captures: label, summarise, store.",
    "labels": "Write a row for every TCP segment, with its labels.",
    "verdicts": "Say why segments were sent again, came late or twice.",
    "explain": "Tell the story of a conversation in plain words, with the evidence.",
    "report": "Write a report on a capture or a time: one HTML file.",
    "watch": "Show what is going on now, like top: live, or a capture.",
    "query": "Ask the store in SQL.",
    "up": "Run the whole pipeline on this machine, supervised.",
    "status": "Say how the pipeline gets on: lag, sensors, rows.",
    "sensor": "Publish segments to Kafka.",
    "interfaces": "List the interfaces that a sensor can capture.",
    "processor": "Label what the sensors publish (Faust worker).",
    "sink": "Bring findings from Kafka into the store.",
    "topics": "Make, check and describe the topics in Kafka.",
    "broker": "Start, stop and locate the local Kafka broker.",
    "db": "The store: start and stop the local one, upgrade, size, prune.",
    "replay": "Analyse stored segments again, and compare.",
    "dead-letters": "List messages that could not be read, and send them again.",
    "schema": "Show or apply the tables of the store.",
    "doctor": "Say what is installed, what is missing and what to do.",
    "warmup": "Compile everything now, so that no later command has to.",
}
"""Commands in the order of the help; each is ``command`` in the module of its name, imported when it is used."""

OBJECTS_BETWEEN_COLLECTIONS = 20_000
"""Python's own figure is 700: with it, importing the compiler looks through all of its many objects again and again."""
EXIT_INTERRUPTED = 130
EXIT_PIPE_CLOSED = 141
EXIT_SIGNAL = 128
"""Added to the number of the signal that ended the program, as shells do."""


def keep_examples(command: click.Command) -> None:
    """Let click show paragraphs marked with a backslash and a b as they are: the help comes from raw docstrings."""
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    if isinstance(command, click.Group):
        for child in command.commands.values():
            keep_examples(child)


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
        keep_examples(command)
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
      sudo segwatch watch --interface eth0    what is going on now
      segwatch query "SELECT * FROM flows"    ask the store
      segwatch COMMAND --help                 options and examples of a command

    Exit codes of all commands: 0 fine, 2 wrong use, 3 no input can be read, 4 an input was missing or cut, 5 the store
    failed, 6 Kafka failed, 7 the output cannot be written, 70 a defect of segwatch, 130 interrupted; 1 has a meaning of
    its own where a command's help says so.
    """


keep_examples(root)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program and exit."""
    _spare_work()
    _end_in_order()
    code = run(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done: what Python still has to do for its end is no work
    gc.freeze()  # nor is looking for cycles in all that was imported, a fifth of a short command
    sys.exit(code)


def _spare_work() -> None:
    """Leave out what costs a part of the start, and of the processors afterwards, for nothing."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    # NumPy's OpenBLAS has threads that wait busily, and nothing here multiplies matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _end_in_order() -> None:
    """Let what ends the program unwind it first, so that nothing half-written or half-stored is left."""

    def end(number: int, _frame: object) -> NoReturn:
        signal.signal(number, signal.SIG_IGN)
        raise SystemExit(EXIT_SIGNAL + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup has it ignored
            signal.signal(number, end)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    try:
        _check_streams()
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
    except OSError as error:
        return _of_room(error) or _defect(error)
    except Exception as error:
        return _defect(error)
    return result if isinstance(result, int) else 0


def _check_streams() -> None:
    """Have something to write errors to; raise OutputError where there is no standard output."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # open as long as the program runs
    if sys.stdout is None:
        raise OutputError("standard output is closed: there is nowhere to write to.")


def _of_room(error: OSError) -> int | None:
    """Say that there is no room left to write; ``None`` if the error is another one."""
    from segwatch.output.target import OUT_OF_ROOM

    if error.errno not in OUT_OF_ROOM:
        return None
    where = _cache_folder(error) or error.filename or "standard output"
    return _say(f"there is no room left to write: free some space for {where} and try again.", OutputError.exit_code)


def _cache_folder(error: OSError) -> str | None:
    """Name the cache folder if machine code could not be written to it: Numba does so in the middle of any work."""
    frames = traceback.walk_tb(error.__traceback__)
    if all(frame.f_globals.get("__name__") != "numba.core.caching" for frame, _ in frames):
        return None
    from segwatch.compilation import kernels_directory

    return f"the cache folder {kernels_directory()} (or choose another with SEGWATCH_CACHE_DIR)"


def _say(sentence: str, exit_code: int) -> int:
    _drop_what_cannot_be_written()
    with suppress(OSError):
        click.echo(f"segwatch: {sentence}", err=True)
    return exit_code


def _drop_what_cannot_be_written() -> None:
    """Empty the buffer of standard output, or send it nowhere where it is full or closed."""
    try:
        if sys.stdout is not None:
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
    return _say(defect_sentence(error), EXIT_DEFECT)
