"""Whatever the bytes say: no error, no read outside of the frame, and compiled code does what its source says."""

import os
import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.decode.mutations import LINK_TYPES, digest, mutated, outcome
from tests.ingest.decode.support import Frame
from tests.support import REPOSITORY

FRAMES = 4000


def test_uncompiled_code_reads_inside_the_frame_and_gives_the_same_rows():
    """Uncompiled, a read beyond the buffer or at a negative index raises; each frame fills its buffer."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.ingest.decode.mutations", str(FRAMES)],
        cwd=REPOSITORY,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == digest(FRAMES)


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_what_lies_around_a_frame_changes_nothing(random):
    frame = mutated(random)
    alone = outcome(frame)
    assert outcome(frame, b"\x00" * 70) == alone
    assert outcome(frame, b"\x45\x06\xff" * 30) == alone


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, (1 << 32) - 1), st.sampled_from(LINK_TYPES))
def test_noise(data, on_wire, linktype):
    frame = Frame(data, on_wire, linktype)
    assert outcome(frame, b"\xaa" * 70) == outcome(frame, b"\x55" * 70)
