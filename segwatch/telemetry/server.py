"""A small HTTP server beside the work: ``/metrics`` for Prometheus, ``/health`` for whoever restarts processes.

``/health`` answers 200 while work gets on or there is none, 503 with a sentence while it does not (``health``).
"""

import logging
import socket
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from typing import Any, Final, Self

from prometheus_client import Gauge
from prometheus_client.exposition import MetricsHandler

from segwatch.errors import BusError, UsageError
from segwatch.telemetry.address import MetricsAddress
from segwatch.telemetry.health import STALL_SECONDS, Health, Look

LOOK_SECONDS: Final = 1.0
_CLIENT_SECONDS: Final = 5.0
"""How long a client may take to ask."""
_WAITING: Final = Gauge("segwatch_waiting_messages", "Messages that are there for this process and not done")
_STILL: Final = Gauge("segwatch_still_seconds", "For how long messages have waited without any of them getting done")

_log = logging.getLogger(__name__)


class Telemetry:
    """Serves metrics and health while its context lasts; ``look`` is called about every second in its own thread.

    ``look`` may raise ``BusError`` where it cannot tell.
    """

    def __init__(self, address: MetricsAddress, look: Callable[[], Look], limit: float = STALL_SECONDS) -> None:
        """Listen at ``address``. Raises ``UsageError`` where that is impossible."""
        self._look = look
        self._health = Health(time.monotonic(), limit)
        self._stop = threading.Event()
        self._server = _listen(address, self._health)
        self._measure()
        self._threads = [
            threading.Thread(target=self._server.serve_forever, name="segwatch-metrics", daemon=True),
            threading.Thread(target=self._watch, name="segwatch-health", daemon=True),
        ]

    @property
    def address(self) -> MetricsAddress:
        """Where the server listens."""
        host, port = self._server.server_address[:2]
        return MetricsAddress(str(host), port)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        _log.info("Metrics at http://%s/metrics, health at http://%s/health", self.address, self.address)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            try:
                look = self._look()
            except BusError as error:
                _log.debug("%s", error)
            else:
                self._health.observe(look, time.monotonic())
            self._measure()

    def _measure(self) -> None:
        _WAITING.set(self._health.waiting)
        _STILL.set(self._health.still(time.monotonic()))


class _Handler(MetricsHandler):
    timeout = _CLIENT_SECONDS
    health: Health

    def do_GET(self) -> None:  # noqa: N802  # the library's name
        path = self.path.partition("?")[0]
        if path == "/metrics":
            super().do_GET()
        elif path == "/health":
            verdict = self.health.verdict(time.monotonic())
            self._say(HTTPStatus.OK if verdict.is_healthy else HTTPStatus.SERVICE_UNAVAILABLE, verdict.sentence)
        else:
            self._say(HTTPStatus.NOT_FOUND, "There are /metrics and /health.")

    def _say(self, status: HTTPStatus, sentence: str) -> None:
        content = f"{sentence}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away early is no matter."""


class _Server6(_Server):
    address_family = socket.AF_INET6


def _listen(address: MetricsAddress, health: Health) -> _Server:
    handler = type("Handler", (_Handler,), {"health": health})
    try:
        return (_Server6 if ":" in address.host else _Server)(address, handler)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(
            f"metrics cannot be served at {address} ({reason}); choose another place with --metrics."
        ) from error
