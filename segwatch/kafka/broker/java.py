"""The Java runtime."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from segwatch.errors import BusError

OLDEST = 17
"""Kafka 4 needs this version for its broker."""
_ANSWER_SECONDS = 30
_ADVICE = f"install version {OLDEST} or newer (on Debian: apt-get install default-jre-headless), or set JAVA_HOME"


class Java(NamedTuple):
    """A Java runtime."""

    path: str
    version: int
    """The first part alone: 17 of 17.0.15."""


def find_java() -> Java:
    """Return the runtime of ``JAVA_HOME``, else that of ``PATH``. Raise BusError if it is missing or too old."""
    home = os.environ.get("JAVA_HOME")
    path = shutil.which(str(Path(home) / "bin" / "java")) if home else shutil.which("java")
    if not path:
        where = f"JAVA_HOME ({home}) has none" if home else "there is none"
        raise BusError(f"The local broker needs a Java runtime, and {where}; {_ADVICE}.")
    version = _version(path)
    if version < OLDEST:
        raise BusError(f"The local broker needs a newer Java than {path}, which is version {version}; {_ADVICE}.")
    return Java(path, version)


def _version(path: str) -> int:
    try:
        done = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False)  # noqa: S603  # the path is what the user's shell would run
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BusError(f"The Java runtime {path} does not run ({error}); {_ADVICE}.") from error
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr)
    if not found:
        raise BusError(f"The Java runtime {path} does not say which version it is; {_ADVICE}.")
    return int(found[1])
