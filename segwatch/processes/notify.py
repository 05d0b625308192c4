"""What systemd wants to hear of a service: sd_notify(3), without its library."""

import os
import socket
from contextlib import closing, suppress
from typing import Final

_SOCKET: Final = "NOTIFY_SOCKET"
_MICROSECONDS: Final = 1_000_000
READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
WATCHDOG: Final = "WATCHDOG=1"


def notify(*assignments: str) -> None:
    """Tell the supervisor, if there is one that listens."""
    address = os.environ.get(_SOCKET, "")
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.sendall("\n".join(assignments).encode())


def status(text: str) -> str:
    """Return the assignment for a line about the state of the service."""
    return f"STATUS={' '.join(text.split())}"


def watchdog_seconds() -> float | None:
    """Return how often the supervisor wants to hear ``WATCHDOG``; None where it does not."""
    for_this = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    text = os.environ.get("WATCHDOG_USEC", "")
    return int(text) / _MICROSECONDS if for_this and text.isdecimal() and int(text) else None
