"""The hosts' programs: ``python -m tests.lab.endpoint client|server PLAN`` runs inside a namespace.

The plan is a JSON file (``Plan``). Each prints what its connections came to as one line of JSON.
"""

import json
import socket
import struct
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tests.lab.settings import Traffic

PORT: Final = 5001
FIRST_CLIENT_PORT: Final = 40_000
READY: Final = "serving"
_PIECE: Final = bytes(1 << 16)
_INFO_BYTES: Final = 256
_INFO: Final = {
    "total_retrans": ("I", 100),
    "bytes_retrans": ("Q", 208),
    "dsack_dups": ("I", 216),
    "total_rto": ("H", 240),
}
"""Places in struct tcp_info."""
_QUICKACK: Final = 12


@dataclass(frozen=True)
class Plan:
    """What both hosts do."""

    traffic: Traffic
    address: str
    congestion: str
    receive_buffer: int
    quick_acks: bool
    timeout: float

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))


def plan_of(text: str) -> Plan:
    """Return a plan out of its JSON."""
    fields: dict[str, Any] = json.loads(text)
    return Plan(**{**fields, "traffic": Traffic(**fields["traffic"])})


def _new_socket(plan: Plan) -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    one.settimeout(plan.timeout)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, plan.congestion.encode())
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one


def _info(one: socket.socket) -> dict[str, int]:
    """Return numbers of TCP_INFO; what this kernel does not have is 0."""
    raw = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES).ljust(_INFO_BYTES, b"\0")
    return {name: struct.unpack_from(f"={code}", raw, at)[0] for name, (code, at) in _INFO.items()}


def _read(one: socket.socket, plan: Plan, wanted: int, piece: int, pause_ms: float) -> None:
    """Read so many bytes."""
    while wanted:
        got = len(one.recv(min(piece or len(_PIECE), wanted)))
        if not got:
            raise ConnectionError("the other end closed too early")
        wanted -= got
        if plan.quick_acks:
            one.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        if wanted and pause_ms:
            time.sleep(pause_ms / 1000)


def _send(one: socket.socket, wanted: int) -> None:
    one.sendall(bytes(wanted))


def _end(one: socket.socket) -> dict[str, int]:
    """Read up to the other end's FIN; return the numbers of the connection."""
    while one.recv(len(_PIECE)):
        pass
    return _info(one)


def _talk(plan: Plan, number: int) -> dict[str, int]:
    """Do what a connection of the client does."""
    traffic = plan.traffic
    with _new_socket(plan) as one:
        if traffic.keep_alive:
            for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 9)):
                one.setsockopt(socket.IPPROTO_TCP, option, value)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        one.bind(("", FIRST_CLIENT_PORT + number))
        one.connect((plan.address, PORT))
        for message in range(traffic.messages):
            if message and traffic.pause_ms:
                time.sleep(traffic.pause_ms / 1000)
            _send(one, traffic.request)
            _read(one, plan, traffic.response, 0, 0)
        time.sleep(traffic.idle_seconds)
        one.shutdown(socket.SHUT_WR)
        return _end(one)


def _serve(plan: Plan, one: socket.socket) -> dict[str, int]:
    """Do what a connection of the server does."""
    traffic = plan.traffic
    with one:
        one.settimeout(plan.timeout)
        for _ in range(traffic.messages):
            _read(one, plan, traffic.request, traffic.read_bytes, traffic.read_pause_ms)
            _send(one, traffic.response)
        return _end(one)


def _client(plan: Plan) -> dict[str, Any]:
    """Start all connections, each in its thread; return their numbers by the client's port."""
    results: dict[str, Any] = {}

    def talk(number: int) -> None:
        try:
            results[str(FIRST_CLIENT_PORT + number)] = _talk(plan, number)
        except OSError as error:
            results[str(FIRST_CLIENT_PORT + number)] = {"error": str(error)}

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(plan.traffic.flows)]
    for thread in threads:
        thread.start()
        time.sleep(plan.traffic.apart_ms / 1000)
    for thread in threads:
        thread.join()
    return results


def _server(plan: Plan) -> dict[str, Any]:
    """Serve as many connections as the client will make; return their numbers by the client's port."""
    results: dict[str, Any] = {}

    def serve(one: socket.socket, port: int) -> None:
        try:
            results[str(port)] = _serve(plan, one)
        except OSError as error:
            results[str(port)] = {"error": str(error)}

    threads = []
    with _new_socket(plan) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if plan.receive_buffer:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, plan.receive_buffer)
        listening.bind((plan.address, PORT))
        listening.listen(1024)
        sys.stdout.write(f"{READY}\n")
        sys.stdout.flush()
        for _ in range(plan.traffic.flows):
            one, (_, port) = listening.accept()
            threads.append(threading.Thread(target=serve, args=(one, port)))
            threads[-1].start()
        for thread in threads:
            thread.join()
    return results


def main() -> None:
    """Be the client or the server."""
    role, path = sys.argv[1:]
    plan = plan_of(Path(path).read_text(encoding="utf-8"))
    results = _client(plan) if role == "client" else _server(plan)
    sys.stdout.write(f"{json.dumps(results)}\n")


if __name__ == "__main__":
    main()
