"""Passwords of users: from the environment, the file of settings or a file of their own, never from a flag."""

import os
import re
from pathlib import Path

from segwatch.errors import UsageError
from segwatch.settings import PREFIX, settings


def configured_password(name: str) -> str:
    """Return the setting ``name``, else the content of the file that ``<name>_file`` names, else an empty text.

    Raise UsageError where that file cannot be read or is empty.
    """
    password: str = getattr(settings(), name)
    path = os.environ.get(f"{PREFIX}{name.upper()}_FILE")
    return password if password or not path else read_password(Path(path))


def without_password(address: str) -> str:
    """Return an address for a message: a password that somebody wrote into it, against the rules, is left out."""
    return re.sub(r"\?.*", "?***", re.sub(r"^(\w+:/+)?+.*:.*@", r"\1***@", address))


def read_password(path: Path) -> str:
    """Return what stands in a file, without the end of its last line.

    Raise UsageError where it cannot be read or is empty.
    """
    try:
        password = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise UsageError(f"The password file {path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The password file {path} is no text.") from error
    if not password:
        raise UsageError(f"The password file {path} is empty.")
    return password
