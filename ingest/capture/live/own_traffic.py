"""The filter that keeps a sensor's own traffic to Kafka out of its capture.

Every captured segment would be published, and publishing makes segments: a loop. Traffic of other hosts to the same
brokers is left out too, as two sensors that see each other would make the same loop.
"""

import ipaddress
import logging
import socket
import time
from collections.abc import Callable, Iterable
from typing import Final

_log = logging.getLogger(__name__)


Server = tuple[str, int]
"""Host and port."""
RESOLVE_SECONDS: Final = 60.0
"""How long the addresses of a name are believed."""


class OwnTraffic:
    """Knows the addresses of the brokers; those that a name had before are kept when it cannot be resolved."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds and never goes back."""
        self._clock = clock
        self._resolved: dict[Server, tuple[frozenset[str], float]] = {}

    def clause(self, servers: Iterable[Server]) -> str:
        """Return what matches TCP to and from these servers, in the language of pcap-filter(7).

        Empty if no server has an address.
        """
        ends = {(address, server[1]) for server in servers for address in self._addresses(server)}
        terms = [f"(host {address} and port {port})" for address, port in sorted(ends)]
        return f"tcp and ({' or '.join(terms)})" if terms else ""

    def _addresses(self, server: Server) -> frozenset[str]:
        known, resolved = self._resolved.get(server, (frozenset(), -RESOLVE_SECONDS))
        now = self._clock()
        if now - resolved >= RESOLVE_SECONDS:
            known = _addresses(*server) or known
            self._resolved[server] = known, now
        return known


def combined_filter(wanted: str, unwanted: str) -> str:
    """Return the filter for what ``wanted`` matches (empty: everything) and ``unwanted`` does not (empty: nothing)."""
    if not unwanted:
        return wanted
    return f"({wanted}) and not ({unwanted})" if wanted.strip() else f"not ({unwanted})"


def _addresses(host: str, port: int) -> frozenset[str]:
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        _log.warning("The address of Kafka at %s is not known, so its traffic is not left out: %s", host, error)
        return frozenset()
    texts = (str(entry[4][0]).partition("%")[0] for entry in found)
    return frozenset(str(ipaddress.ip_address(text)) for text in texts)
