"""What is measured: segwatch, and the programs that classify TCP trouble or at least read the packets."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from segwatch.vocabulary import LABEL_NAMES

SEGWATCH = str(Path(sys.executable).with_name("segwatch"))

_FIELDS = (
    *("frame.number", "frame.time_epoch", "tcp.stream", "ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst"),
    *("tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.len", "tcp.flags", "tcp.window_size_value"),
)
_ANALYSIS = (*LABEL_NAMES, "tfo_syn", "tfo_ack", "tfo_ignored", "bytes_in_flight", "rto", "ack_rtt")
LABEL_FIELDS = [word for field in (*_FIELDS, *(f"tcp.analysis.{name}" for name in _ANALYSIS)) for word in ("-e", field)]
_PROTOCOLS = ("frame", "eth", "ethertype", "ip", "ipv6", "tcp")
HEADERS_ONLY = ["--disable-protocol", "ALL", *(word for name in _PROTOCOLS for word in ("--enable-protocol", name))]
"""tshark at its fastest: no dissector of applications."""


class Program(NamedTuple):
    """A program beside segwatch."""

    name: str
    gives: str
    binary: str
    command: Callable[[str, Path, Path], Sequence[str]]
    """From its path, a capture and an empty folder to its arguments."""
    version: Sequence[str]
    slow: bool = False
    """Measured over smaller captures."""


PEERS = (
    Program(
        "tshark, label fields",
        "every label and number, per packet",
        "tshark",
        lambda tool, capture, _: [tool, "-n", "-r", str(capture), *HEADERS_ONLY, "-T", "fields", *LABEL_FIELDS],
        ("--version",),
        slow=True,
    ),
    Program(
        "tcptrace -l -r",
        "counts a connection",
        "tcptrace",
        lambda tool, capture, _: [tool, "-n", "-l", "-r", str(capture)],
        ("-version",),
        slow=True,
    ),
    Program(
        "tstat",
        "counts a connection",
        os.environ.get("TSTAT", "tstat"),
        lambda tool, capture, folder: [tool, "-s", str(folder), str(capture)],
        ("-v",),
    ),
    Program(
        "capinfos",
        "counts packets, no analysis",
        "capinfos",
        lambda tool, capture, _: [tool, str(capture)],
        ("--version",),
    ),
)


def found_peers(wanted: Sequence[str]) -> list[tuple[Program, str]]:
    """Return the peers that this machine has, with their paths; ``wanted`` chooses by the first word of the name."""
    found = []
    for program in PEERS:
        path = shutil.which(program.binary)
        if path and (not wanted or re.split(r"\W", program.name)[0] in wanted):
            found.append((program, path))
    return found


def version_of(program: Program, path: str) -> str:
    """Return the version that a program reports, or "unknown"."""
    try:
        done = subprocess.run([path, *program.version], capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return "unknown"
    match = re.search(r"\d+\.\d+(\.\d+)*", done.stdout + done.stderr)
    return match.group() if match else "unknown"
