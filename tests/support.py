"""What tests share: where the data lies, and how reference labels are read."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
CASES = REPOSITORY / "tests" / "data" / "cases"
"""Small captures with the labels that tshark 4.0.17 gives (``NAME.pcap``, ``NAME.tsv``)."""


def captures_directory() -> Path:
    """Return the folder of real captures with tshark's word on every frame, or skip the test where there is none."""
    folder = Path(os.environ.get("SEGWATCH_CAPTURES") or REPOSITORY.parent / "shared" / "captures")
    if not (folder / "oracle").is_dir():
        pytest.skip(f"no corpus of real captures at {folder}; SEGWATCH_CAPTURES names one")
    return folder


def fill_disk(folder: Path) -> Path:
    """Write a file until the disk is full; return it."""
    filler = folder / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        except OSError:
            return filler
