"""A client that is not Linux: smoltcp, in a program of its own that is built with Cargo.

It writes lines like those of the kernel's trace, about connections of namespace 1: the truth is made in the same way.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.lab.endpoint import FIRST_CLIENT_PORT, PORT
from tests.lab.needs import MissingError
from tests.lab.settings import Traffic
from tests.support import REPOSITORY

NAMESPACE: Final = 1
"""Of its events; the kernel gives no namespace so small a number."""
_MANIFEST: Final = Path(__file__).with_name("Cargo.toml")
_TARGET: Final = REPOSITORY / ".bench" / "smoltcp"


def command(descriptor: int, traffic: Traffic) -> list[str]:
    """Return the command line of a client that does what ``traffic`` says, one connection after the other.

    Build the program if need be; raise MissingError where that is not possible.
    """
    if shutil.which("cargo") is None:
        raise MissingError("the client that is not Linux is built with cargo (Debian: apt-get install cargo)")
    built = subprocess.run(
        ["cargo", "build", "--release", "--quiet", "--manifest-path", str(_MANIFEST), "--target-dir", str(_TARGET)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if built.returncode != 0:
        raise MissingError(f"the client that is not Linux cannot be built: {built.stderr.strip()}")
    numbers = (
        descriptor, FIRST_CLIENT_PORT, PORT, traffic.flows, traffic.messages, traffic.request, traffic.response,
        int(traffic.pause_ms),
    )  # fmt: skip
    return [str(_TARGET / "release" / "smoltcp-host"), *map(str, numbers)]
