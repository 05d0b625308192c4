"""A browser that looks at pages, for tests."""

import shutil
import subprocess
from pathlib import Path

import pytest


def plots_drawn(page: Path, folder: Path) -> int:
    """Return how many plots a browser draws on a page, or skip the test where there is none.

    ``folder``: for what the browser writes. Nothing may stand in its console.
    """
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium to look at the page with")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    looked = subprocess.run(
        [browser, *options, "--enable-logging=stderr", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in looked.stderr
    return looked.stdout.count("<canvas")
