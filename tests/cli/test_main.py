"""The program as a whole: start, help, and what becomes of errors."""

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from segwatch.cli import main
from segwatch.errors import BusError, InputError, OutputError, PartialInputError, StoreError, UsageError
from tests.cli.captures import handshake_and_repeat, pcap
from tests.support import REPOSITORY

HEAVY = ("numpy", "numba", "pyarrow", "rich", "clickhouse_driver", "chdb", "dpkt", "kafka", "faust", "aiokafka")


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of Python in a process of its own."""
    variables = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=variables, check=False)


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_little_is_imported_to_start(argument: str) -> None:
    """The version and the help need none of the heavy packages."""
    done = run_python(
        "import sys; from segwatch.cli.main import run; "
        f"code = run(['{argument}']); print([m for m in {HEAVY!r} if m in sys.modules]); sys.exit(code)"
    )
    assert done.returncode == 0
    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_has_help_with_examples(name: str) -> None:
    """The help shows how the command is used, and is the one that the list of commands promises."""
    if importlib.util.find_spec(f"segwatch.cli.{name.replace('-', '_')}") is None:
        pytest.fail(f"there is no command {name}")
    done = CliRunner().invoke(main.root, [name, "--help"])
    assert done.exit_code == 0, done.output
    assert f"segwatch {name}" in done.output
    assert "Example" in done.output


def every_command(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command, and of those below it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        yield (*path, name)
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))


@pytest.mark.parametrize("words", [(), *every_command(main.root)], ids=" ".join)
def test_help_fits_eighty_columns(words: tuple[str, ...]) -> None:
    """No line is longer, and no sentence is cut short; each command has an example."""
    shown = CliRunner().invoke(main.root, [*words, "--help"], terminal_width=80).output
    assert [line for line in shown.splitlines() if len(line) > 80 or re.search(r"[a-z]\.\.\.$", line)] == []
    assert "Example" in shown


def test_help_imports_no_heavy_package_for_any_command() -> None:
    """Commands import what they need when they run."""
    done = run_python(
        "import sys; from segwatch.cli.main import run, COMMANDS\n"
        "for name in COMMANDS: run([name, '--help'])\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    assert done.stdout.endswith("[]\n"), done.stdout[-200:]


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make a command that raises ``error``."""

    @click.command()
    def command() -> None:
        raise error

    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: command)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no such thing."), 2),
        (InputError("no such file."), 3),
        (PartialInputError("it was cut."), 4),
        (StoreError("it is away."), 5),
        (BusError("it refuses."), 6),
        (OutputError("there is no room."), 7),
    ],
)
def test_errors_become_a_sentence_and_a_code(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, nothing else with it."""
    failing(monkeypatch, error)
    assert main.run(["labels"]) == code
    assert capsys.readouterr() == ("", f"segwatch: {error}\n")


def test_an_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Control-C ends with the shell's code for it."""
    failing(monkeypatch, KeyboardInterrupt())
    assert main.run(["labels"]) == 128 + signal.SIGINT
    assert "Traceback" not in capsys.readouterr().err


def test_a_defect_is_written_to_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One sentence names the file that holds the traceback."""
    monkeypatch.setenv("SEGWATCH_CACHE_DIR", str(tmp_path / "cache"))
    failing(monkeypatch, ZeroDivisionError("oh"))
    assert main.run(["labels"]) == main.EXIT_DEFECT
    (report,) = (tmp_path / "cache" / "defects").iterdir()
    captured = capsys.readouterr()
    assert captured.err.startswith("segwatch: this is a defect of segwatch (ZeroDivisionError)")
    assert captured.err.count("\n") == 1
    assert str(report) in captured.err
    assert "ZeroDivisionError: oh" in report.read_text()


def test_a_defect_is_reported_even_where_nothing_can_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The sentence comes all the same."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("SEGWATCH_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "file"))
    failing(monkeypatch, ZeroDivisionError("oh"))
    assert main.run(["labels"]) == main.EXIT_DEFECT
    assert "could not be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lables"], "No such command 'lables'"),
        (["labels", "--fast", "x"], "--fast"),
        (["labels", "--format", "xml", "x"], "'xml' is not one of"),
        (["labels", "x", "--output", ""], "the name after --output is empty"),
        (["labels", "x", "--where", "port http"], "\n  port http\n       ^\n"),
    ],
)
def test_wrong_use(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence, and the code of shells for it."""
    assert main.run(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("segwatch: ")
    assert words in error


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Who types the name alone wants to know what there is."""
    assert main.run([]) == 2
    assert "Examples:" in capsys.readouterr().err


def test_a_closed_pipe_is_quiet() -> None:
    """``segwatch ... | head -1`` says nothing about it."""
    code = "import sys\nfrom segwatch.cli import main\nimport click\n"
    code += "@click.command()\ndef command():\n    [click.echo('x' * 1000) for _ in range(10000)]\n"
    code += "main.LazyGroup.get_command = lambda *_: command\nsys.exit(main.run(['labels']))"
    command = f'set -o pipefail; {sys.executable} -c "{code}" | head -c 1'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("x", "", main.EXIT_PIPE_CLOSED)


@pytest.mark.parametrize("command", [[], ["analyze"], ["db"], ["topics", "create"]])
def test_help_shows_examples_line_by_line(command: list[str]) -> None:
    shown = CliRunner().invoke(main.root, [*command, "--help"]).output
    assert "Examples:\n" in shown
    assert "\\b" not in shown


def run_shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program, as ``$SEGWATCH``, in a shell."""
    program = f'{sys.executable} -c "from segwatch.cli.main import main; main()"'
    line = command.replace("$SEGWATCH", program)
    variables = {**os.environ, **environment}
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=variables, check=False)


@pytest.mark.parametrize("arguments", ["--version", "--help", "db path"])
def test_a_closed_standard_output_gets_a_sentence(arguments: str, tmp_path: Path) -> None:
    """There is no object to write to then."""
    done = run_shell(f"$SEGWATCH {arguments} >&-", SEGWATCH_DATA_DIR=str(tmp_path))
    assert (done.stderr, done.returncode) == ("segwatch: standard output is closed: there is nowhere to write to.\n", 7)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full to play a full disk")
@pytest.mark.parametrize("arguments", ["--version", "--help", "db path"])
def test_a_full_standard_output_is_no_defect(arguments: str, tmp_path: Path) -> None:
    """One sentence, for every command."""
    done = run_shell(f"$SEGWATCH {arguments} >/dev/full", SEGWATCH_DATA_DIR=str(tmp_path))
    assert (done.stdout, done.returncode) == ("", 7)
    assert done.stderr.startswith("segwatch: there is no room left to write: ")
    assert "standard output" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_closed_standard_error_changes_nothing() -> None:
    """Not even where the program looks whether it is a terminal."""
    demonstration = REPOSITORY / "segwatch" / "data" / "demo.pcap.gz"
    done = run_shell(f"$SEGWATCH analyze --store none --json {demonstration} 2>&-")
    assert done.returncode == 0
    assert json.loads(done.stdout)["captures"][0]["damage"] is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_leaves_no_file(number: signal.Signals, tmp_path: Path) -> None:
    """The part of the output that was written is removed."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    as_usual = f"import signal; signal.signal({number:d}, signal.SIG_DFL)"  # nohup has it ignored, by children too
    program = [sys.executable, "-c", f"{as_usual}; from segwatch.cli.main import main; main()"]
    started = subprocess.Popen([*program, "labels", str(pipe), "-o", str(tmp_path / "out.tsv")])
    with pipe.open("wb") as stream:
        stream.write(pcap(handshake_and_repeat()))
        stream.flush()
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".out.tsv.*")) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert list(tmp_path.glob(".out.tsv.*"))
        started.send_signal(number)
        time.sleep(0.1)
    assert started.wait(60) == 128 + number
    assert [entry.name for entry in tmp_path.iterdir()] == ["pipe"]
