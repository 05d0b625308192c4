"""Settings: flags over environment over file."""

import os
from pathlib import Path

import pytest

from segwatch.errors import UsageError
from segwatch.settings import (
    CONFIG_VARIABLE,
    Settings,
    buffer_bytes,
    choose,
    export_settings,
    load_settings,
    read_again,
    settings,
    settings_reference,
    use_config,
    use_sensor_config,
)
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
        ("interfaces = 1", "must be a list of texts"),
        ("interfaces = ['']", "must be a list of texts"),
        ("spool_bytes = 1.5", "must be a whole number"),
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


def test_lists_in_the_file_and_in_the_environment(tmp_path: Path) -> None:
    """A list in the file, commas in the environment."""
    path = written(tmp_path, 'interfaces = ["eth0", "eth1"]')
    assert load_settings({}, path).interfaces == ("eth0", "eth1")
    assert load_settings({"SEGWATCH_INTERFACES": "lo, any"}, path).interfaces == ("lo", "any")


def test_another_file_takes_the_place_of_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first one had put into the environment goes, what the user has put there stays."""
    monkeypatch.setenv(CONFIG_VARIABLE, str(written(tmp_path, 'store = "none"\nname = "first"\nsnaplen = 100')))
    monkeypatch.setenv("SEGWATCH_SNAPLEN", "200")
    export_settings()
    assert os.environ["SEGWATCH_NAME"] == "first"
    (tmp_path / "other.toml").write_text('interfaces = ["eth0", "eth1"]\nname = "other"\nsnaplen = 300')
    use_config(tmp_path / "other.toml")
    found = settings()
    assert (found.store, found.name, found.snaplen, found.interfaces) == ("local", "other", 200, ("eth0", "eth1"))
    assert os.environ["SEGWATCH_INTERFACES"] == "eth0,eth1"


def test_settings_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file may have changed; what a flag or the environment said stands over it, a faulty file changes nothing."""
    path = written(tmp_path, 'filter = "tcp"\nname = "first"\nsnaplen = 100')
    monkeypatch.setenv(CONFIG_VARIABLE, str(path))
    monkeypatch.setenv("SEGWATCH_NAME", "environment")
    export_settings()
    choose("snaplen", "100")  # what the file says too, for now
    written(tmp_path, 'filter = "port 1"\nname = "second"\nsnaplen = 300\nkafka = "a:1"')
    found = read_again()
    assert (found.filter, found.name, found.snaplen, found.kafka) == ("port 1", "environment", 100, "a:1")
    for content, words in (("filter =", "no valid TOML"), ("filter = 1", "must be text")):
        written(tmp_path, content)
        with pytest.raises(UsageError, match=words):
            read_again()
        assert settings() == found
    path.unlink()
    with pytest.raises(UsageError, match="there is no file"):
        read_again()
    assert settings() == found


@pytest.mark.parametrize(("text", "size"), [("1048576", 1 << 20), ("64K", None), ("8m", 8 << 20), (" 1G ", 1 << 30)])
def test_sizes_have_units(text: str, size: int | None) -> None:
    if size is None:
        with pytest.raises(UsageError, match="is no size between"):
            buffer_bytes(text)
    else:
        assert buffer_bytes(text) == size


def test_a_service_has_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing else is named and the user has none."""
    monkeypatch.delenv(CONFIG_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    service = written(tmp_path, 'name = "service"')
    monkeypatch.setattr("segwatch.settings.SENSOR_CONFIG", service)
    use_sensor_config(None)
    assert settings().name == "service"
    (tmp_path / "own.toml").write_text('name = "own"')
    use_sensor_config(str(tmp_path / "own.toml"))
    assert settings().name == "own"
    with pytest.raises(UsageError, match="which --config or SEGWATCH_CONFIG names"):
        use_sensor_config(str(tmp_path / "no.toml"))


def test_the_documentation_is_current() -> None:
    """docs/settings.md is what the model says."""
    assert (REPOSITORY / "docs" / "settings.md").read_text("utf-8") == settings_reference()
