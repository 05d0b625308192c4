"""The prompt of ``segwatch query``, fed with keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from segwatch.cli import prompt
from sinks.connection import ServerAddress
from sinks.querying import Querying


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        yield pipe


@pytest.fixture
def querying(address: ServerAddress) -> Iterator[Querying]:
    opened = Querying(address)
    yield opened
    opened.close()


def test_statements_over_several_lines(
    keys: PipeInput,
    querying: Querying,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Settings:
        data_dir = tmp_path

    monkeypatch.setattr(prompt, "settings", Settings)
    keys.send_text("SELECT 41 +\n1 AS answer;\n")
    keys.send_text("SELEC 1;\n")
    keys.send_text("\\d captures\n")
    keys.send_text("\\d nowhere\n")
    keys.send_text("\\?\n")
    keys.send_text("CREATE TABLE mine (a UInt8 COMMENT 'my own') ENGINE = Memory;\n")
    keys.send_text("\\d mine\n")
    keys.send_text("SELECT 1\x03")  # Ctrl-C forgets what is typed
    keys.send_text("\x04")  # Ctrl-D leaves
    prompt.run_prompt(querying, "csv")
    out, error = capsys.readouterr()
    assert "answer\n42\n" in out
    assert error.startswith("The server refused the statement: Syntax error")
    assert "file_name" in out
    assert "There is no table 'nowhere'" in out
    assert "Statements end with a semicolon" in out
    assert "a  my own" in out
    assert "answer;" in (tmp_path / "query-history").read_text()


def test_cancelled_statement(
    querying: Querying, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(prompt, "write_result", interrupt)
        prompt._run(querying, "SELECT number FROM numbers(1000000000000)", "csv")
    assert capsys.readouterr().err == "Cancelled.\n"
    prompt._run(querying, "SELECT 1 AS one", "csv")
    assert capsys.readouterr().out == "one\n1\n"


@pytest.mark.parametrize(
    ("text", "complete"),
    [("", True), ("SELECT 1", False), ("SELECT 1; ", True), ("\\d", True), ("exit", True), ("SELECT\n1;", True)],
)
def test_end_of_a_statement(text: str, complete: bool) -> None:
    assert prompt.is_complete(text) is complete
