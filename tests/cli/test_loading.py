"""What a live sensor loads before it captures."""

import subprocess
import sys

from tests.support import REPOSITORY

SCRIPT = """
from pathlib import Path

import numba
import numpy as np

from segwatch.jobs import loading
from segwatch.jobs.loading import load_kernels


def resident():
    found, counted = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0]:
            counted = line.endswith("libllvmlite.so") and " r-xp " in line
        elif counted and line.startswith("Rss:"):
            found += int(line.split()[1])
    return found


give_back, loading.give_back_compiler = loading.give_back_compiler, lambda: None
load_kernels(None)
before = resident()
give_back()
print(before, resident())


@numba.njit
def total(numbers):
    found = 0
    for number in numbers:
        found += number
    return found


load_kernels(None)
print(total(np.arange(5)))
"""


def test_the_compiler_is_given_back_and_still_works() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=REPOSITORY, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    sizes, total = done.stdout.splitlines()
    before, after = map(int, sizes.split())
    assert before > 10_000
    assert after < before // 10
    assert total == "10"
