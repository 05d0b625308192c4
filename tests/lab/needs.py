"""What a live run needs of the machine, and the sentence that says what is missing."""

import os
import shutil
from pathlib import Path
from typing import Final

_PROGRAMS: Final = {"ip": "iproute2", "bpftrace": "bpftrace", "unshare": "util-linux", "mount": "mount"}
TUN: Final = Path("/dev/net/tun")
_TYPES: Final = Path("/sys/kernel/btf/vmlinux")


class MissingError(Exception):
    """The machine cannot run the lab live."""


def missing() -> str:
    """Return why no scenario can be run here, in one sentence; empty where nothing is missing."""
    if os.geteuid() != 0:
        return "network namespaces and kernel traces are for root only: run this as root"
    for program, package in _PROGRAMS.items():
        if shutil.which(program) is None:
            return f"this needs the program {program} (Debian: apt-get install {package})"
    if not TUN.exists():
        return f"there is no {TUN}: the kernel makes no TAP interfaces"
    if not _TYPES.exists():
        return f"there is no {_TYPES}: the kernel does not describe its types, which bpftrace needs"
    return ""
