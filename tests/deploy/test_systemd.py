"""The units, as systemd itself sees them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.files import PROGRAM, UNITS

MOST_EXPOSURE = 25
"""Of 100, in systemd's own measure: "OK" ends at 50."""


@pytest.fixture(params=UNITS, ids=lambda path: path.stem)
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Give a unit with a program that is there; of a template, an instance."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian: systemd)")
    source: Path = request.param
    text = source.read_text(encoding="utf-8")
    assert f"ExecStart={PROGRAM} " in text
    made = tmp_path / source.name.replace("@.", "@1.")
    made.write_text(text.replace(PROGRAM, shutil.which("true") or "/bin/true"), encoding="utf-8")
    return made


def analyze(*arguments: str) -> tuple[int, str]:
    """Return what systemd-analyze ends with and says."""
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_systemd_understands_the_unit(unit: Path) -> None:
    assert analyze("verify", "--man=no", str(unit)) == (0, "")


def test_the_unit_exposes_little(unit: Path) -> None:
    code, told = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE}", str(unit))
    assert code == 0, told


def test_a_unit_that_exposes_more_is_noticed(unit: Path) -> None:
    """The limit is one that could be missed."""
    lines = unit.read_text(encoding="utf-8").splitlines(keepends=True)
    unit.write_text("".join(line for line in lines if not line.startswith(("Protect", "Restrict"))), encoding="utf-8")
    code, _ = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE}", str(unit))
    assert code != 0
