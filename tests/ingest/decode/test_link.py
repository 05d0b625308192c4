"""Link layers of the fast path, as tshark 4.0.17 reads them."""

import struct

import pytest

from ingest.decode.ethertypes import CARRIERS_OF_FRAMES, CARRIERS_OF_PACKETS
from ingest.decode.status import Status
from ingest.tunnels.layers import LAYERS
from ingest.tunnels.walk import Kind
from tests.ingest.decode.support import (
    LOOP,
    NULL,
    SLL,
    SLL2,
    Frame,
    decoded,
    ethernet,
    frame,
    ipv4,
    ipv6,
    status_of,
    tcp,
    vlan,
)

IPV4, IPV6 = ipv4(tcp()), ipv6(tcp())
FAST_ETHERTYPES = {0x0800, 0x86DD, 0x8100, 0x88A8, 0x9100}


def linked(data, linktype):
    """Return a whole frame of a link type."""
    return Frame(data, len(data), linktype)


def sll(protocol, payload, hardware=1):
    """Return a frame of the first cooked header."""
    return linked(struct.pack(">HHH8sH", 0, hardware, 6, bytes(8), protocol) + payload, SLL)


def sll2(protocol, payload, hardware=1):
    """Return a frame of the second cooked header."""
    return linked(struct.pack(">HHIHBB8s", protocol, 0, 2, hardware, 0, 6, bytes(8)) + payload, SLL2)


def test_ethernet():
    assert decoded(frame(ethernet(IPV4)))["vlan"] == 0
    assert decoded(frame(ethernet(IPV6, 0x86DD)))["vlan"] == 0


def test_versions_under_the_types_of_the_other():
    assert decoded(frame(ethernet(IPV6)))["src"] == "2001:db8::1"
    assert status_of(frame(ethernet(IPV4, 0x86DD))) is Status.IP_HEADER_BAD


@pytest.mark.parametrize("tag", [0x8100, 0x88A8, 0x9100])
def test_vlan_tags(tag):
    assert decoded(frame(ethernet(vlan(5, IPV4), tag)))["vlan"] == 5
    assert decoded(frame(ethernet(vlan(6, vlan(7, IPV6, 0x86DD), 0x8100), tag)))["vlan"] == 6
    assert status_of(frame(ethernet(vlan(6, vlan(7, vlan(8, IPV4), 0x8100), 0x88A8), tag))) is Status.TUNNEL


def test_other_tags_are_none():
    assert status_of(frame(ethernet(vlan(5, IPV4), 0x9200))) is Status.NOT_IP


@pytest.mark.parametrize("captured", [0, 13, 16, 17])
def test_cut_link_headers(captured):
    assert status_of(frame(ethernet(vlan(5, IPV4), 0x8100), captured)) is Status.LINK_HEADER_CUT


@pytest.mark.parametrize("ethertype", [0x0806, 0x88CC, 0x8863, 0x9000, 0x05DD, 0x0600, 0xFFFF])
def test_types_without_ip_are_counted(ethertype):
    assert status_of(frame(ethernet(IPV4, ethertype))) is Status.NOT_IP


@pytest.mark.parametrize("ethertype", CARRIERS_OF_FRAMES + CARRIERS_OF_PACKETS)
def test_types_that_carry_ip_are_declined(ethertype):
    assert status_of(frame(ethernet(IPV4, ethertype))) is Status.TUNNEL
    assert status_of(frame(ethernet(vlan(5, IPV4, ethertype), 0x8100))) is Status.TUNNEL


def test_all_types_of_the_slow_path_are_declined():
    known = {number for kind, number in LAYERS if kind is Kind.ETHERTYPE}
    assert known - FAST_ETHERTYPES <= set(CARRIERS_OF_FRAMES + CARRIERS_OF_PACKETS)


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("424203", Status.NOT_IP),  # spanning tree
        ("aaaa0300000c2000", Status.NOT_IP),  # Cisco discovery
        ("fefe0383", Status.NOT_IP),  # IS-IS
        ("ffff0028", Status.NOT_IP),  # IPX
        ("aaaa030000000800", Status.TUNNEL),
        ("aaaa030080c20007", Status.TUNNEL),
        ("060603", Status.TUNNEL),
        ("fefe03cc", Status.TUNNEL),
    ],
)
def test_llc(header, status):
    payload = bytes.fromhex(header) + IPV4
    assert status_of(frame(ethernet(payload, len(payload)))) is status
    assert status_of(frame(ethernet(vlan(5, payload, len(payload)), 0x8100))) is status


def test_short_llc():
    assert status_of(frame(ethernet(b"\xaa\xaa\x03", 3))) is Status.NOT_IP


def test_inter_switch_link_is_declined():
    assert status_of(frame(bytes.fromhex("01000c000000") + ethernet(IPV4, 60)[6:])) is Status.TUNNEL
    assert status_of(frame(bytes.fromhex("01000c000000") + ethernet(IPV4)[6:])) is Status.DECODED


@pytest.mark.parametrize("linktype", [12, 14, 101, 228])
def test_raw_ip(linktype):
    assert decoded(linked(IPV4, linktype))["src"] == "10.0.0.1"
    assert decoded(linked(IPV6, linktype))["src"] == "2001:db8::1"


def test_raw_ipv6():
    assert decoded(linked(IPV6, 229))["src"] == "2001:db8::1"
    assert status_of(linked(IPV4, 229)) is Status.IP_HEADER_BAD


@pytest.mark.parametrize("order", "<>")
def test_bsd_null(order):
    assert decoded(linked(struct.pack(order + "I", 2) + IPV4, NULL))["vlan"] == 0
    for family in (24, 28, 30, 0x86DD):
        assert decoded(linked(struct.pack(order + "I", family) + IPV6, NULL))["src"] == "2001:db8::1"
        assert status_of(linked(struct.pack(order + "I", family) + IPV4, NULL)) is Status.IP_HEADER_BAD
    assert decoded(linked(struct.pack(order + "I", 0x800) + IPV4, NULL))["src"] == "10.0.0.1"
    for family in (0, 7, 10, 23):
        assert status_of(linked(struct.pack(order + "I", family) + IPV6, NULL)) is Status.NOT_IP
    assert status_of(linked(struct.pack(order + "I", 0x8847) + IPV6, NULL)) is Status.TUNNEL


def test_ppp_under_bsd_null_is_declined():
    assert status_of(linked(b"\xff\x03\x00\x21" + IPV4, NULL)) is Status.TUNNEL


def test_openbsd_loop_is_in_network_order():
    assert decoded(linked(struct.pack(">I", 2) + IPV4, LOOP))["src"] == "10.0.0.1"
    assert decoded(linked(struct.pack(">I", 24) + IPV6, LOOP))["src"] == "2001:db8::1"
    for family in (struct.pack("<I", 2), struct.pack(">I", 0x800)):
        assert status_of(linked(family + IPV4, LOOP)) is Status.NOT_IP


@pytest.mark.parametrize("cooked", [sll, sll2])
def test_linux_cooked(cooked):
    assert decoded(cooked(0x0800, IPV4))["src"] == "10.0.0.1"
    assert decoded(cooked(0x86DD, IPV6))["src"] == "2001:db8::1"
    assert decoded(cooked(0x8100, vlan(5, IPV4)))["vlan"] == 5
    assert status_of(cooked(0x0806, IPV4)) is Status.NOT_IP
    assert status_of(cooked(0x8847, IPV4)) is Status.TUNNEL
    assert status_of(cooked(4, IPV4)) is Status.TUNNEL
    assert status_of(cooked(0x0800, IPV4, 778)) is Status.TUNNEL
    assert status_of(cooked(0x0800, IPV4, 824)) is Status.NOT_IP


@pytest.mark.parametrize(("linktype", "header"), [(NULL, 4), (LOOP, 4), (SLL, 16), (SLL2, 20)])
def test_cut_headers_of_other_link_layers(linktype, header):
    for length in (0, header - 1):
        assert status_of(linked(bytes(length), linktype)) is Status.LINK_HEADER_CUT


@pytest.mark.parametrize("linktype", [6, 9, 105, 127, 147, 999])
def test_other_link_types_are_declined(linktype):
    assert status_of(linked(IPV4, linktype)) is Status.TUNNEL
