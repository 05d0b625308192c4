"""The network interfaces of this host (more exactly: of this network namespace)."""

import ctypes
import fcntl
import ipaddress
import socket
import struct
import sys
from contextlib import closing
from typing import Any, Final, NamedTuple

from ingest.capture.libpcap import PCAP_ERRBUF_SIZE, libpcap_library
from segwatch.errors import InputError, UsageError

ANY: Final = "any"
"""The pseudo-interface that stands for all of them."""
_SIOCGIFFLAGS, _SIOCGIFMTU, _SIOCGIFHWADDR = 0x8913, 0x8921, 0x8927  # netdevice(7)
_IFF_UP, _IFF_LOOPBACK, _IFF_RUNNING = 0x1, 0x8, 0x40
_REQUEST: Final = struct.Struct("16s24x")
_ADDRESS_BYTES: Final = {socket.AF_INET: (4, 4), socket.AF_INET6: (8, 16)}
"""Where the address begins in a ``sockaddr``, and its length."""
_LINK_TYPES: Final = {
    1: 1, 6: 6, 7: 7, 512: 50, 768: 101, 769: 101, 772: 1, 774: 10, 776: 101, 778: 101, 801: 105, 802: 119,
    803: 127, 823: 101, 65534: 101,
}  # fmt: skip
"""LINKTYPE_ value by ARPHRD_ type, as libpcap maps them for Linux."""
COOKED_V2: Final = 276
"""LINKTYPE_LINUX_SLL2: what frames of ``any`` begin with."""


class LinkState(NamedTuple):
    """What the kernel says of an interface now."""

    number: int
    """Its index, which stays when it is renamed."""
    up: bool
    running: bool
    loopback: bool
    mtu: int
    hardware: int
    """ARPHRD_ type."""

    @property
    def text(self) -> str:
        """``up``, ``no carrier`` or ``down``."""
        if not self.up:
            return "down"
        return "up" if self.running else "no carrier"

    @property
    def link_type(self) -> int | None:
        """LINKTYPE_ value of its frames; None where that is not known without opening it."""
        return _LINK_TYPES.get(self.hardware)


class Interface(NamedTuple):
    """An interface that can be captured."""

    name: str
    state: str
    """``up``, ``no carrier`` or ``down``."""
    link_type: int | None
    mtu: int | None
    addresses: list[str]
    description: str


class _Address(ctypes.Structure):
    """``struct pcap_addr``; the netmask and what follows it are not used."""


_Address._fields_ = [("next", ctypes.POINTER(_Address)), ("address", ctypes.c_void_p)]


class _Device(ctypes.Structure):
    """``struct pcap_if``."""


_Device._fields_ = [
    ("next", ctypes.POINTER(_Device)),
    ("name", ctypes.c_char_p),
    ("description", ctypes.c_char_p),
    ("addresses", ctypes.POINTER(_Address)),
    ("flags", ctypes.c_uint32),
]


def link_state(name: str) -> LinkState | None:
    """Return the state of an interface, None if there is none of this name."""
    try:
        number = socket.if_nametoindex(name)
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as channel:
            flags = _asked(channel, _SIOCGIFFLAGS, name, "H")
            mtu = _asked(channel, _SIOCGIFMTU, name, "i")
            hardware = _asked(channel, _SIOCGIFHWADDR, name, "H")
    except OSError:
        return None
    running = bool(flags & _IFF_RUNNING)
    return LinkState(number, bool(flags & _IFF_UP), running, bool(flags & _IFF_LOOPBACK), mtu, hardware)


def require_interface(name: str) -> None:
    """Raise UsageError where there is no such interface to capture; one that is down is there."""
    if name != ANY and link_state(name) is None:
        raise UsageError(f"there is no interface {name}: segwatch interfaces lists them.")


def _asked(channel: socket.socket, what: int, name: str, kind: str) -> int:
    answer = fcntl.ioctl(channel, what, _REQUEST.pack(name.encode()))
    return int(struct.unpack_from(kind, answer, 16)[0])


def interface_mtus() -> dict[int, int]:
    """Return the largest packet of each interface in bytes, by index."""
    states = (link_state(name) for _, name in socket.if_nameindex())
    return {state.number: state.mtu for state in states if state is not None}


def list_interfaces() -> list[Interface]:
    """Return the network interfaces that libpcap finds, and ``any``. Raises InputError."""
    library = libpcap_library()
    message = ctypes.create_string_buffer(PCAP_ERRBUF_SIZE)
    first = ctypes.POINTER(_Device)()
    if library.pcap_findalldevs(ctypes.byref(first), message) != 0:
        raise InputError(f"the interfaces cannot be listed: {message.value.decode(errors='replace')}.")
    try:
        found = [_interface(device) for device in _linked(first)]
    finally:
        library.pcap_freealldevs(first)
    return [interface for interface in found if interface is not None]


def _linked(pointer: Any) -> Any:
    """Yield the elements of a list of C structures with a member ``next``."""
    while pointer:
        yield pointer.contents
        pointer = pointer.contents.next


def _interface(device: Any) -> Interface | None:
    """Return a network interface; None for the rest of what libpcap captures (USB, Bluetooth, netfilter, D-Bus)."""
    name = device.name.decode(errors="replace")
    description = (device.description or b"").decode(errors="replace")
    if name == ANY:
        return Interface(name, "up", COOKED_V2, None, [], "all interfaces")
    state = link_state(name)
    if state is None:
        return None
    addresses = [text for one in _linked(device.addresses) if (text := _address_text(one.address))]
    return Interface(name, state.text, state.link_type, state.mtu, addresses, description)


def _address_text(place: int | None) -> str:
    """Return the IP address in the ``sockaddr`` at a place in memory; empty if it is another kind of address."""
    if not place:
        return ""
    family = int.from_bytes(ctypes.string_at(place, 2), sys.byteorder)
    if family not in _ADDRESS_BYTES:
        return ""
    start, length = _ADDRESS_BYTES[socket.AddressFamily(family)]
    return str(ipaddress.ip_address(ctypes.string_at(place + start, length)))
