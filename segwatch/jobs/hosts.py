"""The hosts of a capture, numbered in the order in which they are met."""

import secrets
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from segwatch.compilation import kernel
from segwatch.endpoints import address_text
from segwatch.memory import grown, zeroed

_HOST: Final = np.dtype((np.record, [("address", np.uint64, (2,)), ("ip_version", np.uint64)]))
_FIRST_CAPACITY: Final = 64
_SEED_BITS: Final = 64
_SHIFT: Final = np.uint64(32)
_IPV4_MAPPED: Final = b"\0" * 10 + b"\xff\xff"


class HostTable(NamedTuple):
    """What kernels see of the hosts."""

    hosts: npt.NDArray[Any]
    """(H,) addresses as on the wire, with their version: it tells ::ffff:a.b.c.d of IPv6 from a.b.c.d of IPv4."""
    slots: npt.NDArray[np.int32]
    """(S,) the numbers plus 1 by open addressing, 0 is empty; S is a power of two above 2 H."""
    used: npt.NDArray[np.int64]
    """(1,) how many there are."""
    factors: npt.NDArray[np.uint64]
    """(3,) random: who chooses the addresses in a capture must not be able to choose collisions."""


@kernel
def _slot_of(table: HostTable, first: Any, second: Any, version: Any) -> int:
    """Return the slot of an address, or the empty one where it belongs."""
    hashed = first * table.factors[0] + second * table.factors[1] + version
    hashed = (hashed ^ (hashed >> _SHIFT)) * table.factors[2]
    mask = len(table.slots) - 1
    slot = int(hashed >> _SHIFT) & mask
    while table.slots[slot] != 0:
        host = table.hosts[table.slots[slot] - 1]
        if host.address[1] == second and host.address[0] == first and host.ip_version == version:
            break
        slot = (slot + 1) & mask
    return slot


@kernel
def host_number(table: HostTable, address: Any, ip_version: Any) -> int:
    """Return the number of an address ((2,) uint64); the table must have room for one more."""
    version = np.uint64(ip_version)
    slot = _slot_of(table, address[0], address[1], version)
    if table.slots[slot] == 0:
        host = table.hosts[table.used[0]]
        host.address[0] = address[0]
        host.address[1] = address[1]
        host.ip_version = version
        table.used[0] += 1
        table.slots[slot] = table.used[0]
    return int(table.slots[slot]) - 1


@kernel
def _fill_slots(table: HostTable) -> None:
    """Enter all hosts into slots that are empty."""
    for number in range(table.used[0]):
        host = table.hosts[number]
        table.slots[_slot_of(table, host.address[0], host.address[1], host.ip_version)] = number + 1


class Hosts:
    """A table of hosts that grows."""

    def __init__(self) -> None:
        self.table = HostTable(
            zeroed(_FIRST_CAPACITY, _HOST),
            np.zeros(2 * _FIRST_CAPACITY, np.int32),
            np.zeros(1, np.int64),
            np.array([secrets.randbits(_SEED_BITS) | 1 for _ in range(3)], np.uint64),
        )

    def __len__(self) -> int:
        return int(self.table.used[0])

    def make_room(self, more: int) -> None:
        """Let the table have room for that many more."""
        wanted = len(self) + more
        while wanted > len(self.table.hosts):
            self.table = self.table._replace(hosts=grown(self.table.hosts))
        while 2 * wanted > len(self.table.slots):
            slots = self.table.slots
            self.table = self.table._replace(slots=zeroed(2 * len(slots), slots.dtype))
            with np.errstate(over="ignore"):  # hashing wraps around on purpose
                _fill_slots(self.table)

    def find(self, address: IPv4Address | IPv6Address) -> int | None:
        """Return the number of a host, None for one that was not met."""
        packed = address.packed if address.version == 6 else _IPV4_MAPPED + address.packed
        words, hosts = np.frombuffer(packed, np.uint64), self.table.hosts[: len(self)]
        fits = (hosts["address"] == words).all(axis=1) & (hosts["ip_version"] == address.version)
        return int(np.argmax(fits)) if fits.any() else None

    def name(self, number: int) -> str:
        """Return the address of a host as text."""
        host = self.table.hosts[number]
        return address_text(host["address"], int(host["ip_version"]))
