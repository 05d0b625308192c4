"""The file that holds the key: made once, copied to every sensor, read by nobody else."""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from ingest.anonymize.crypto_pan import KEY_BYTES
from segwatch.errors import UsageError

_MOST_BYTES: Final = 1024


def make_key(path: Path) -> None:
    """Write a new key as hexadecimal digits into a file that only its owner may read. Raise UsageError if it cannot be.

    A file that is there is left alone: without its key nothing that was recorded could be matched any more.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
    except FileExistsError:
        raise UsageError(f"{path} is there already, and is not overwritten; choose another file for the key.") from None
    except OSError as error:
        raise UsageError(f"the key cannot be written to {path} ({_reason(error)}).") from error


def read_key(path: Path) -> bytes:
    """Return the key in a file: ``KEY_BYTES`` bytes, or as many in hexadecimal digits.

    Raise UsageError where it cannot be read, holds something else or can be read by everybody.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_MOST_BYTES)
    except OSError as error:
        raise UsageError(f"the key for anonymizing cannot be read from {path} ({_reason(error)}).") from error
    if mode & stat.S_IRWXO:
        raise UsageError(f"everybody may read or write the key {path}; run: chmod o-rwx {path}")
    key = _key_in(content)
    if key is None:
        raise UsageError(
            f"{path} is no key: it must hold {KEY_BYTES} bytes, or {2 * KEY_BYTES} hexadecimal digits; make one with: "
            "segwatch sensor --new-key FILE"
        )
    return key


def _key_in(content: bytes) -> bytes | None:
    if len(content) == KEY_BYTES:
        return content
    try:
        key = bytes.fromhex(content.decode("ascii").strip())
    except (UnicodeDecodeError, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
