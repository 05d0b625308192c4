"""Choosing conversations by hosts and ports, as typed into the view."""

from ipaddress import IPv6Network, ip_address, ip_network
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from segwatch.errors import UsageError

_MAPPED: Final = 96
"""Bits before the IPv4 address in ::ffff:a.b.c.d."""
_OCTETS: Final = 16


class Filter:
    """Hosts, networks and ports; all of them must be found at one end or the other."""

    def __init__(self, text: str = "") -> None:
        """Take words such as ``10.0.0.1``, ``10.0.0.0/8``, ``443``, ``10.0.0.1:443``; raise UsageError for others."""
        self.text = text.strip()
        self._terms = [_term(word) for word in self.text.split()]

    def matches(self, ends: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Return (C,) whether each conversation matches."""
        found = np.ones(len(ends), np.bool_)
        for network, port in self._terms:
            either = np.zeros(len(ends), np.bool_)
            for side in ("client", "server"):
                here = _inside(ends[side], network)
                if port is not None:
                    here &= ends[f"{side}_port"] == port
                either |= here
            found &= either
        return found

    def matches_hosts(self, addresses: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        """Return (H,) whether each address is in one of the networks; True where only ports were named."""
        networks = [network for network, _ in self._terms if network is not None]
        found = np.full(len(addresses), not networks)
        for network in networks:
            found |= _inside(addresses, network)
        return found


def _term(word: str) -> tuple[IPv6Network | None, int | None]:
    """Return the network and the port that a word names, None for any."""
    host, port = word, ""
    if word.lstrip(":").isdecimal():
        host, port = "", word.lstrip(":")
    elif word.startswith("[") or word.count(":") == 1:
        host, _, port = word.rpartition(":")
        host = host.strip("[]")
    try:
        number = int(port) if port else None
        return _network(host) if host else None, number
    except ValueError:
        raise UsageError(f"{word!r} is neither a host nor a network nor a port.") from None


def _network(text: str) -> IPv6Network:
    if text.endswith("."):
        octets = text.strip(".").split(".")
        text = f"{'.'.join([*octets, *['0'] * (4 - len(octets))])}/{8 * len(octets)}"
    network = ip_network(text, strict=False)
    if network.version == 4:
        mapped = ip_address(f"::ffff:{network.network_address}")
        return IPv6Network((int(mapped), network.prefixlen + _MAPPED))
    return IPv6Network(network)


def _inside(addresses: npt.NDArray[np.uint64], network: IPv6Network | None) -> npt.NDArray[np.bool_]:
    if network is None:
        return np.ones(len(addresses), np.bool_)
    octets = np.ascontiguousarray(addresses).view(np.uint8).reshape(-1, _OCTETS)
    mask = np.frombuffer(network.netmask.packed, np.uint8)
    wanted = np.frombuffer(network.network_address.packed, np.uint8)
    same: npt.NDArray[np.bool_] = ((octets & mask) == wanted).all(axis=1)
    return same
