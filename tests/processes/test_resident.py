"""Memory comes back."""

import subprocess
import sys

from tests.support import REPOSITORY

SCRIPT = """
from pathlib import Path

from segwatch.processes.resident import give_back_large_blocks


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


give_back_large_blocks()
first = b"x" * (20 << 20)
del first
before = resident()
large, small = [], []
for _ in range(70):
    large.append(b"x" * (3 << 20))
    small.append(b"x" * 2000)
most = resident()
del large
print(before, most, resident())
"""


def test_large_blocks_are_given_back_though_small_ones_between_them_stay() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    before, most, after = map(int, done.stdout.split())
    assert most - before >= 200 << 20
    assert after - before < 20 << 20
