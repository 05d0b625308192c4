"""TCP traffic between two namespaces.

python -m tests.live.traffic serve ADDRESS... serves on ``PORT`` of each address until it is killed.
python -m tests.live.traffic talk JSON does what ``Talk`` says.
"""

import json
import os
import signal
import socket
import struct
import sys
import threading
import time
from contextlib import closing, suppress
from dataclasses import asdict, dataclass

PORT = 7001
REFUSED_PORT = 7002
_REQUEST = struct.Struct("<cI")
_PIECE = bytes(1 << 16)
_TIMEOUT = 60.0


@dataclass(frozen=True)
class Talk:
    """What a client does with each address."""

    addresses: list[str]
    bulk_bytes: int = 1 << 20
    """Sent by the server, then by the client, in a connection each."""
    short: int = 100
    """Connections of a request and an answer."""
    refused: int = 5
    reset: int = 5
    """Connections that the server, and as many that the client resets."""
    slow: int = 0
    """Questions, each with an answer, 0.05 seconds from one another in one connection."""
    again_after: float = 0.0
    """Seconds until all of it is done again, which SIGTERM ends; 0: it is done once."""

    def command(self) -> list[str]:
        """Return the command line of the client."""
        return [sys.executable, "-m", "tests.live.traffic", "talk", json.dumps(asdict(self))]


def serving(addresses: list[str]) -> list[str]:
    """Return the command line of the server."""
    return [sys.executable, "-m", "tests.live.traffic", "serve", *addresses]


def _serve(addresses: list[str]) -> None:
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, PORT), family=family, backlog=512)
        threading.Thread(target=_accept, args=(listener,)).start()
    sys.stdout.write("listening\n")
    sys.stdout.flush()


def _accept(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_answer, args=(connection,)).start()


def _answer(connection: socket.socket) -> None:
    with closing(connection), suppress(OSError):
        connection.settimeout(_TIMEOUT)
        what, size = _REQUEST.unpack(_received(connection, _REQUEST.size))
        if what == b"r":
            _reset_at_close(connection)
        elif what == b"d":
            _send(connection, size)
        elif what == b"u":
            _received(connection, size)
            connection.sendall(b"k")
        elif what == b"s":
            for _ in range(size):
                connection.sendall(_received(connection, 1))


def _talk_on(talk: Talk) -> None:
    enough = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: enough.set())
    _talk(talk)
    while talk.again_after and not enough.wait(talk.again_after):
        _talk(talk)


def _talk(talk: Talk) -> None:
    for address in talk.addresses:
        for what in (b"d", b"u"):
            _ask(address, what, talk.bulk_bytes)
        for number in range(talk.short):
            _ask(address, b"d", 200 * (number % 20))
        for _ in range(talk.reset):
            with suppress(ConnectionResetError):
                _ask(address, b"r", 0)
            _ask(address, b"d", 1000, reset=True)
        if talk.slow:
            _ask_slowly(address, talk.slow)
        for _ in range(talk.refused):
            with suppress(ConnectionRefusedError):
                socket.create_connection((address, REFUSED_PORT), _TIMEOUT).close()


def _ask(address: str, what: bytes, size: int, *, reset: bool = False) -> None:
    with closing(socket.create_connection((address, PORT), _TIMEOUT)) as connection:
        connection.sendall(_REQUEST.pack(what, size))
        if what == b"u":
            _send(connection, size)
            _received(connection, 1)
        elif reset:
            connection.recv(10)
            _reset_at_close(connection)
        else:
            _received(connection, size)


def _ask_slowly(address: str, questions: int) -> None:
    with closing(socket.create_connection((address, PORT), _TIMEOUT)) as connection:
        connection.sendall(_REQUEST.pack(b"s", questions))
        for _ in range(questions):
            time.sleep(0.05)
            connection.sendall(b"?")
            _received(connection, 1)


def _send(connection: socket.socket, size: int) -> None:
    while size:
        size -= connection.send(_PIECE[:size])


def _received(connection: socket.socket, size: int) -> bytes:
    """Return the first bytes of what was received, all ``size`` of them if they fit into one call."""
    first = b""
    while size:
        piece = connection.recv(min(size, len(_PIECE)))
        if not piece:
            raise ConnectionResetError
        first = first or piece
        size -= len(piece)
    return first


def _reset_at_close(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


if __name__ == "__main__":
    # All packets pass one processor: two captures of the same interface see them in the same order.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if sys.argv[1] == "serve":
        _serve(sys.argv[2:])
    else:
        _talk_on(Talk(**json.loads(sys.argv[2])))
