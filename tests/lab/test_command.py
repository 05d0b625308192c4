"""The lab's command line."""

import sys
from pathlib import Path

import pytest

from tests.lab import __main__ as command
from tests.lab import run
from tests.lab.scenarios import scenarios


def _main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["lab", *arguments])
    return command.main()


def test_list_names_every_scenario(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _main(monkeypatch, "list") == 0
    told = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")}
    assert told == {one.name for one in scenarios()}


def test_a_scenario_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as ended:
        _main(monkeypatch, "run", "nonsense", "--out", str(tmp_path))
    assert ended.value.code == 2
    assert "there is no scenario nonsense" in capsys.readouterr().err


def test_a_machine_that_cannot(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "missing", lambda: "there is no /dev/net/tun")
    assert _main(monkeypatch, "run", "losses-default-1", "--out", str(tmp_path)) == 3
    assert capsys.readouterr().err == "The lab cannot run here: there is no /dev/net/tun.\n"
