"""Settings: flags over environment over file."""

from pathlib import Path

import pytest

from segwatch.errors import UsageError
from segwatch.settings import CONFIG_VARIABLE, Settings, load_settings, settings_reference
from tests.support import REPOSITORY


def written(folder: Path, text: str) -> Path:
    """Return a file of settings."""
    path = folder / "segwatch.toml"
    path.write_text(text)
    return path


def test_defaults_without_a_file(tmp_path: Path) -> None:
    """A missing file is an empty one."""
    assert load_settings({}, tmp_path / "no.toml") == Settings()


def test_the_environment_stands_over_the_file(tmp_path: Path) -> None:
    """Each value comes from the highest source that has it."""
    path = written(tmp_path, 'store = "none"\nrules = "file"\nsegments = true\ndata_dir = "/data"')
    found = load_settings({"SEGWATCH_RULES": "environment", "SEGWATCH_SEGMENTS": "no"}, path)
    assert found == Settings(store="none", rules="environment", segments=False, data_dir=Path("/data"))


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    """As a script has it that passes on what it may have: no store without a name, no data in the present folder."""
    path = written(tmp_path, 'store = "none"')
    names = ("STORE", "RULES", "SEGMENTS", "DATA_DIR", "CACHE_DIR", "CONFIG")
    assert load_settings({f"SEGWATCH_{name}": "" for name in names}, path) == Settings(store="none")
    assert load_settings({CONFIG_VARIABLE: ""}, tmp_path / "no.toml") == Settings()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("store =", "no valid TOML"),
        ('stroe = "none"', "stroe, which is no setting"),
        ("store = 1", "store in .* must be text"),
        ('segments = "maybe"', "must be true or false"),
        ("[labels]\nx = 1", "labels, which is no setting"),
    ],
)
def test_bad_files_get_a_sentence(content: str, words: str, tmp_path: Path) -> None:
    """Which file, which setting, what it should be."""
    with pytest.raises(UsageError, match=words):
        load_settings({}, written(tmp_path, content))


def test_bad_variables_get_a_sentence(tmp_path: Path) -> None:
    """The variable is named."""
    with pytest.raises(UsageError, match="SEGWATCH_SEGMENTS must be true or false"):
        load_settings({"SEGWATCH_SEGMENTS": "2"}, tmp_path / "no.toml")


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    """Who names a file wants it to be read."""
    with pytest.raises(UsageError, match="there is no file"):
        load_settings({CONFIG_VARIABLE: "x"}, tmp_path / "no.toml")


def test_unreadable_files_get_a_sentence(tmp_path: Path) -> None:
    """A folder instead of a file."""
    with pytest.raises(UsageError, match="cannot be read"):
        load_settings({}, tmp_path)


def test_the_documentation_is_current() -> None:
    """docs/settings.md is what the model says."""
    assert (REPOSITORY / "docs" / "settings.md").read_text("utf-8") == settings_reference()
