"""Ports on the loopback interface that nobody listens on now."""

import random
import socket
from contextlib import ExitStack
from pathlib import Path

HOST = "127.0.0.1"
_LOWEST = 10_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_ATTEMPTS = 1000


def free_ports(count: int) -> tuple[int, ...]:
    """Return different ports out of those that the kernel gives to connections."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((HOST, 0))
        return tuple(one.getsockname()[1] for one in sockets)


def lasting_ports(count: int) -> tuple[int, ...]:
    """Return different ports that a server can come back to. Raise OSError where there are none.

    They lie below those that the kernel gives to connections: it could give one of these away while the server is
    down, even to a client that is trying to reach the server, which then is connected with itself.
    """
    lowest_ephemeral = int(_EPHEMERAL.read_text(encoding="ascii").split()[0])
    found: set[int] = set()
    for _ in range(_ATTEMPTS):
        if len(found) == count:
            return tuple(found)
        port = random.randrange(_LOWEST, max(lowest_ephemeral, _LOWEST + _ATTEMPTS))  # noqa: S311  # no secret
        if is_free(port):
            found.add(port)
    raise OSError(0, f"no {count} ports are free between {_LOWEST} and {lowest_ephemeral}")


def is_free(port: int) -> bool:
    """Return whether a server could listen on a port now."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((HOST, port))
            one.listen(1)
        except OSError:
            return False
        return True
