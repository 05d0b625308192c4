"""Unexpected errors: a sentence for the person, the traceback into a file for the report."""

import os
import platform
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Final

from segwatch import __version__

EXIT_DEFECT: Final = 70
"""Exit code of an unexpected error (EX_SOFTWARE of sysexits.h)."""


def defect_sentence(error: Exception) -> str:
    """Write the traceback to a file; return the sentence that says so."""
    kind = type(error).__name__
    try:
        place = f"the traceback is in {_write_traceback(error)}"
    except OSError as failure:
        place = f"the traceback could not be written ({failure.strerror})"
    return f"this is a defect of segwatch ({kind}); please report it: {place}."


def _write_traceback(error: Exception) -> Path:
    lines = [f"segwatch {__version__}, Python {platform.python_version()}, {platform.platform()}\n", f"{sys.argv!r}\n"]
    content = "".join([*lines, *traceback.format_exception(error)])
    name = f"defect-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.txt"
    for folder in (cache_directory() / "defects", Path(tempfile.gettempdir())):
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, "utf-8", errors="backslashreplace")
            return folder / name
    raise OSError(0, "no folder can be written")


def cache_directory() -> Path:
    """Return the folder of what can be made again, settings or not."""
    import platformdirs

    return Path(os.environ.get("SEGWATCH_CACHE_DIR") or platformdirs.user_cache_dir("segwatch"))
