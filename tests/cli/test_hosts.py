"""Numbers of hosts."""

import ipaddress

import numpy as np

from segwatch.jobs.hosts import Hosts, host_number


def _words(address: str) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    packed = ipaddress.ip_address(address).packed
    return np.frombuffer(packed if len(packed) == 16 else bytes(10) + b"\xff\xff" + packed, np.uint64)


def test_equal_addresses_have_one_number_while_the_table_grows() -> None:
    """In the order in which they come; an IPv6 address that maps an IPv4 one is another host."""
    hosts = Hosts()
    names = [f"10.0.{place >> 8}.{place & 255}" for place in range(1000)] + ["2001:db8::1", "::ffff:10.0.0.0"]
    for _ in range(2):
        for number, name in enumerate(names):
            hosts.make_room(1)
            with np.errstate(over="ignore"):
                assert host_number(hosts.table, _words(name), ipaddress.ip_address(name).version) == number
    assert len(hosts) == len(names)
    assert [ipaddress.ip_address(hosts.name(number)) for number in range(len(names))] == [
        ipaddress.ip_address(name) for name in names
    ]
