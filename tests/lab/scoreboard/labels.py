"""What tshark says of each frame, and what a reader takes it for."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

_PROTOCOLS: Final = ("frame", "eth", "ethertype", "ip", "ipv6", "tcp")
_HEADERS_ONLY: Final = [
    *("--disable-protocol", "ALL"),
    *(word for name in _PROTOCOLS for word in ("--enable-protocol", name)),
]
READINGS: Final = {
    "zero_window_probe": ("zero_window_probe", "unknown"),
    "keep_alive": ("keep_alive", "unknown"),
    "spurious_retransmission": ("unknown", "spurious"),
    "fast_retransmission": ("fast_retransmit", "needed"),
    "retransmission": ("rto", "needed"),
    "out_of_order": ("reordering", "unknown"),
    "ack_lost_segment": ("capture_loss", "unknown"),
    "lost_segment": ("capture_loss", "unknown"),
}
"""Cause and need by label; of several labels the first of these counts. A SYN that is labelled so is ``syn_retry``."""
_OF_REPEATS: Final = frozenset({"spurious_retransmission", "fast_retransmission", "retransmission"})
_SECONDS: Final = 120


class Labels(NamedTuple):
    """tshark."""

    program: str
    version: str

    def of(self, capture: Path) -> dict[int, tuple[str, str]]:
        """Return cause and need of the frames that have labels."""
        fields = ("frame.number", "tcp.flags.syn", *(f"tcp.analysis.{label}" for label in READINGS))
        columns = [word for name in fields for word in ("-e", name)]
        done = subprocess.run(
            [self.program, "-n", "-r", str(capture), *_HEADERS_ONLY, "-T", "fields", *columns],
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS,
        )
        return readings(done.stdout)


def readings(text: str) -> dict[int, tuple[str, str]]:
    """Return cause and need by frame, from lines of fields."""
    found = {}
    for line in text.splitlines():
        frame, syn, *marks = line.split("\t")
        label = next((name for name, mark in zip(READINGS, marks, strict=True) if mark), None)
        if label is not None:
            cause, needed = READINGS[label]
            is_syn = syn in {"1", "True"} and label in _OF_REPEATS
            found[int(frame)] = ("syn_retry" if is_syn else cause, needed)
    return found


def find() -> Labels | None:
    """Return tshark if it is installed."""
    program = shutil.which("tshark")
    if program is None:
        return None
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=_SECONDS)
    version = re.search(r"\d+\.\d+\.\d+", done.stdout)
    return Labels(program, version.group() if version else "unknown")
