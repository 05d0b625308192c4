"""Output files: whole or not at all."""

from pathlib import Path

import pytest

from segwatch.errors import OutputError
from segwatch.output.target import OutputTarget


def test_a_file_takes_its_name_at_the_end(tmp_path: Path) -> None:
    """Until then the old content stays; afterwards nothing else lies there."""
    path = tmp_path / "out.tsv"
    path.write_text("old")
    with OutputTarget(str(path)) as target:
        target.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.tsv"]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    """An error inside removes what was written, and is not hidden."""
    target = OutputTarget(str(tmp_path / "out.tsv"))
    target.__enter__()
    target.write(b"half")
    target.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert list(tmp_path.iterdir()) == []


def test_new_files_have_the_usual_permissions(tmp_path: Path) -> None:
    """As if opened directly: the mask of the process decides."""
    with OutputTarget(str(tmp_path / "out")):
        pass
    (tmp_path / "usual").touch()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file behind it is written."""
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "file").touch()
    with OutputTarget(str(tmp_path / "link")) as target:
        target.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


@pytest.mark.parametrize("place", ["", "no/such/folder/out", "file/out"])
def test_impossible_places_get_a_sentence(place: str, tmp_path: Path) -> None:
    """A folder, a missing folder, a file as a folder."""
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot be written: .*\.$"), OutputTarget(str(tmp_path / place)):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full to play a full disk")
def test_a_full_device_gets_a_sentence() -> None:
    """Devices are written directly."""
    with pytest.raises(OutputError, match="no room left"), OutputTarget("/dev/full") as target:
        target.write(b"x")
