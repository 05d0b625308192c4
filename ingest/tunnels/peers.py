"""Peers of tunnels whose ports do not tell the protocol."""

from collections import OrderedDict

PEERS = 4096
"""Peers that are remembered."""


class L2tpPeers:
    """Who spoke L2TP from which port: the other side may answer from any port (RFC 2661 section 8.1)."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[bytes, int, bytes], None] = OrderedDict()

    def add(self, source: bytes, port: int, destination: bytes) -> None:
        """Remember who sent a message to the port of L2TP; beyond ``PEERS`` the first one is forgotten."""
        self._known[source, port, destination] = None
        if len(self._known) > PEERS:
            self._known.popitem(last=False)

    def has(self, source: bytes, sport: int, destination: bytes, dport: int) -> bool:
        """Return whether a datagram comes from a known port or goes to one."""
        return (source, sport, destination) in self._known or (destination, dport, source) in self._known
