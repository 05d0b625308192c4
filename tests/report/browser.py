"""A browser that looks at pages, for tests."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest


def plots_drawn(page: Path, folder: Path) -> int:
    """Return how many plots a browser draws on a page, or skip the test where there is none.

    ``folder``: for what the browser writes. Nothing may stand in its console.
    """
    return _looked(page, folder, "--dump-dom").count("<canvas")


def sheets_printed(page: Path, folder: Path) -> int:
    """Return how many sheets of paper a browser prints a page on, or skip the test where there is none."""
    paper = folder / f"{page.stem}.pdf"
    _looked(page, folder, f"--print-to-pdf={paper}")
    return len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes()))


def _looked(page: Path, folder: Path, what: str) -> str:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium to look at the page with")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    looked = subprocess.run(
        [browser, *options, "--enable-logging=stderr", what, page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in looked.stderr
    return looked.stdout
