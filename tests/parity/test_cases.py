"""The small captures: every column of every frame is tshark's, compiled and as plain Python."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parity.reference import differences, read_rows
from tests.support import CASES

NAMES = sorted(path.stem for path in CASES.glob("*.pcap"))


def _labels(captures: list[Path], folder: Path, environment: dict[str, str]) -> None:
    """Label captures into ``folder``, all in one process."""
    program = (
        "import sys\n"
        "from segwatch.cli.main import main\n"
        "for capture, output in zip(sys.argv[1::2], sys.argv[2::2]):\n"
        "    sys.argv = ['segwatch', 'labels', capture, '-o', output]\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit as end:\n"
        "        assert not end.code, (capture, end.code)\n"
    )
    arguments = [str(part) for path in captures for part in (path, folder / f"{path.stem}.tsv")]
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


@pytest.fixture(scope="module", params=["compiled", "uncompiled"])
def labelled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with our labels of all cases."""
    folder = tmp_path_factory.mktemp(request.param)
    environment = {"NUMBA_DISABLE_JIT": "1"} if request.param == "uncompiled" else {}
    _labels([CASES / f"{name}.pcap" for name in NAMES], folder, environment)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_every_column_agrees(name: str, labelled: Path) -> None:
    assert differences(read_rows(CASES / f"{name}.tsv"), read_rows(labelled / f"{name}.tsv")) == []


def test_all_cases_are_here() -> None:
    assert len(NAMES) == 70
