"""The file of the key: what is taken, and what is refused in which words."""

from pathlib import Path

import pytest

from ingest.anonymize.key_file import make_key, read_key
from segwatch.errors import UsageError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "key"


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o640)
    return path


def test_a_new_key_is_the_owners_alone(path: Path) -> None:
    make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    key = read_key(path)
    assert len(key) == 32
    with pytest.raises(UsageError, match="is there already"):
        make_key(path)
    assert read_key(path) == key


def test_bytes_and_digits_are_keys(path: Path) -> None:
    key = bytes(range(32))
    assert read_key(written(path, key)) == key
    assert read_key(written(path, key.hex().encode() + b"\n")) == key
    assert read_key(written(path, key.hex(" ").upper().encode())) == key


@pytest.mark.parametrize("content", [b"", bytes(31), bytes(33), b"x" * 64, bytes(range(31)).hex().encode()])
def test_what_is_no_key_gets_a_sentence(path: Path, content: bytes) -> None:
    with pytest.raises(UsageError, match="is no key: it must hold 32 bytes"):
        read_key(written(path, content))


def test_a_key_that_everybody_may_read_is_refused(path: Path) -> None:
    written(path, bytes(32)).chmod(0o644)
    with pytest.raises(UsageError, match="run: chmod o-rwx"):
        read_key(path)


def test_a_key_that_is_not_there_gets_a_sentence(path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read from .* \(no such file or directory\)"):
        read_key(path)
    with pytest.raises(UsageError, match="cannot be written"):
        make_key(path / "key")
