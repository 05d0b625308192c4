"""IP headers, their lengths, and what they carry, by specification 2.2 and tshark 4.0.17."""

import struct

import pytest

from ingest.decode.status import Status
from ingest.decode.upper_layer import RARE_TUNNEL_PORTS, TUNNEL_PORTS
from ingest.tunnels.udp_ports import TUNNEL_PORTS as SLOW_TUNNEL_PORTS
from segwatch.vocabulary import Quality
from tests.ingest.decode.support import (
    DESTINATION_6,
    RAW,
    SOURCE_6,
    Frame,
    decoded,
    ethernet,
    frame,
    ipv4,
    ipv6,
    status_of,
    tcp,
)

SEGMENT = tcp(payload=b"x" * 10)
EXTENSION = bytes([6, 0, 0, 0, 0, 0, 0, 0])
ROUTED = "2001:db8::77"
IPV4_ALONE = 228  # LINKTYPE_IPV4; on raw links the slow path looks at what has no version of IP


def raw(packet, captured=None, on_wire=None):
    """Return an IP packet as a frame without link layer."""
    return Frame(packet[:captured], len(packet) if on_wire is None else on_wire, RAW)


@pytest.mark.parametrize(
    ("total", "on_wire", "length"),
    [
        (50, 50, 10),
        (50, 60, 10),  # padding
        (45, 50, 5),  # shorter than the frame
        (400, 50, 10),  # the frame wins
        (0, 50, 10),
        (0, 3040, 3000),  # segmentation offload, most of it not captured
        (0, 56, 16),  # padding counts
        (40, 46, 0),
    ],
)
def test_ipv4_lengths(total, on_wire, length):
    row = decoded(raw(ipv4(SEGMENT, total=total), on_wire=on_wire))
    assert row["payload_len"] == length
    assert bool(row["quality"] & Quality.TOTAL_LENGTH_ZERO) == (total == 0)


def test_a_frame_that_claims_to_be_shorter_than_captured():
    assert decoded(raw(ipv4(SEGMENT, total=0), on_wire=30))["payload_len"] == 10


@pytest.mark.parametrize("packet", [ipv4(SEGMENT, words=4), ipv4(SEGMENT, total=19), ipv4(SEGMENT, version=5), b"\x00"])
def test_bad_headers(packet):
    assert status_of(Frame(packet, len(packet), IPV4_ALONE)) is Status.IP_HEADER_BAD


def test_header_longer_than_the_total_length():
    assert status_of(raw(ipv4(SEGMENT, words=6, total=22))) is Status.IP_HEADER_BAD


@pytest.mark.parametrize("captured", [0, 1, 19])
def test_cut_ipv4_headers(captured):
    assert status_of(raw(ipv4(SEGMENT), captured)) is Status.IP_HEADER_CUT


def test_cut_ipv4_options():
    assert status_of(raw(ipv4(SEGMENT, options=bytes(8)), 27)) is Status.IP_HEADER_CUT
    assert status_of(raw(ipv4(SEGMENT, options=bytes(8)), 28)) is Status.TRANSPORT_CUT


@pytest.mark.parametrize("captured", [0, 1, 39])
def test_cut_ipv6_headers(captured):
    assert status_of(raw(ipv6(SEGMENT), captured)) is Status.IP_HEADER_CUT


def test_datagrams_that_end_with_the_ip_header():
    assert status_of(raw(ipv4(b""))) is Status.TRANSPORT_CUT


@pytest.mark.parametrize(
    ("options", "destination"),
    [
        ("830b04 c0a80001c0a80002 00", "192.168.0.2"),
        ("890b08 c0a80001c0a80002 00", "192.168.0.2"),
        ("01 830704 c0a80001", "192.168.0.1"),
        ("830b0c c0a80001c0a80002 00", "10.0.0.2"),  # the route is used up
        ("070b04 c0a80001c0a80002 00", "10.0.0.2"),  # record route
        ("00 830704c0a80001", "10.0.0.2"),
        ("8300 0400", "10.0.0.2"),
        ("83ff 0400", "10.0.0.2"),
    ],
)
def test_source_routes(options, destination):
    assert decoded(raw(ipv4(SEGMENT, options=bytes.fromhex(options))))["dst"] == destination


@pytest.mark.parametrize("fragment", [0x2000, 0x2001, 0x0001, 0x1FFF])
def test_fragments_are_declined(fragment):
    assert status_of(raw(ipv4(SEGMENT, fragment=fragment))) is Status.TUNNEL


@pytest.mark.parametrize("fragment", [0x4000, 0x8000, 0xC000])
def test_other_flags_are_no_fragments(fragment):
    assert decoded(raw(ipv4(SEGMENT, fragment=fragment)))["payload_len"] == 10


def test_ipv6():
    row = decoded(raw(ipv6(SEGMENT)))
    assert (row["src"], row["dst"]) == (str(SOURCE_6), str(DESTINATION_6))
    assert (row["ttl"], row["dscp_ecn"], row["ip_id"], row["payload_len"]) == (61, 0x2A, 0, 10)
    assert row["quality"] == Quality.IPV6


@pytest.mark.parametrize(("length", "payload"), [(30, 10), (25, 5), (400, 10)])
def test_ipv6_lengths(length, payload):
    assert decoded(raw(ipv6(SEGMENT, length=length)))["payload_len"] == payload


def test_ipv6_without_payload():
    assert status_of(raw(ipv6(SEGMENT, length=0))) is Status.NO_PAYLOAD
    assert status_of(raw(ipv6(EXTENSION + SEGMENT, protocol=0, length=0))) is Status.NO_PAYLOAD


def test_jumbo_option():
    jumbo = struct.pack(">BBBBI", 6, 0, 0xC2, 4, 100_000 + 28)
    row = decoded(raw(ipv6(jumbo + SEGMENT, protocol=0, length=0), on_wire=200_000))
    assert row["payload_len"] == 100_000
    padded = bytes([6, 1, 0, 0xFF, 1, 7, 0xC2, 4]) + struct.pack(">I", 100_036) + bytes(4)
    # The unknown option has one byte of content; the jumbo option follows it.
    assert decoded(raw(ipv6(padded + SEGMENT, protocol=0, length=0), on_wire=200_000))["payload_len"] == 100_000
    small = struct.pack(">BBBBI", 6, 0, 0xC2, 4, 65535)
    assert status_of(raw(ipv6(small + SEGMENT, protocol=0, length=0))) is Status.NO_PAYLOAD


@pytest.mark.parametrize("protocol", [0, 43, 44, 60, 140])
@pytest.mark.parametrize("build", [ipv4, ipv6])
def test_extension_headers(protocol, build):
    assert decoded(raw(build(EXTENSION + SEGMENT, protocol=protocol)))["payload_len"] == 10


@pytest.mark.parametrize("build", [ipv4, ipv6])
def test_authentication_header(build):
    assert decoded(raw(build(bytes([6, 4, 0, 0]) + bytes(20) + SEGMENT, protocol=51)))["payload_len"] == 10


def test_chains_of_extension_headers():
    chain = (
        bytes([60, 1]) + bytes(14) + bytes([43, 0]) + bytes(6) + bytes([51, 0]) + bytes(6) + bytes([6, 4]) + bytes(22)
    )
    assert decoded(raw(ipv6(chain + SEGMENT, protocol=0)))["payload_len"] == 10
    assert status_of(raw(ipv6(chain + SEGMENT, protocol=0), 40 + len(chain) - 1)) is Status.IP_HEADER_CUT
    assert status_of(raw(ipv6(chain + SEGMENT, protocol=0), 40 + len(chain))) is Status.TRANSPORT_CUT


@pytest.mark.parametrize("protocol", [135, 139, 59, 200])
def test_nothing_follows_other_headers(protocol):
    assert status_of(raw(ipv6(EXTENSION + SEGMENT, protocol=protocol))) is Status.NOT_TCP


def test_ipv6_fragments_are_declined():
    for flags in (1, 8):
        header = struct.pack(">BBHI", 6, 0, flags, 1)
        assert status_of(raw(ipv6(header + SEGMENT, protocol=44))) is Status.TUNNEL


@pytest.mark.parametrize(
    ("kind", "left", "destination"),
    [(0, 1, ROUTED), (2, 1, ROUTED), (4, 1, ROUTED), (4, 0, str(DESTINATION_6)), (253, 1, str(DESTINATION_6))],
)
def test_routing_headers(kind, left, destination):
    header = bytes([6, 2, kind, left, 0, 0, 0, 0]) + bytes.fromhex("20010db8000000000000000000000077")
    assert decoded(raw(ipv6(header + SEGMENT, protocol=43)))["dst"] == destination


def test_routing_header_with_several_addresses():
    addresses = bytes.fromhex("20010db8000000000000000000000077") + bytes(15) + b"\x88"
    for kind, destination in ((4, ROUTED), (0, "::88")):
        header = bytes([6, 4, kind, 1, 0, 0, 0, 0]) + addresses
        assert decoded(raw(ipv6(header + SEGMENT, protocol=43)))["dst"] == destination


@pytest.mark.parametrize(
    ("kind", "words", "left", "compressed", "malformed"),
    [
        (2, 0, 0, 0, True),
        (2, 1, 1, 0, True),
        (2, 3, 1, 0, False),
        (3, 0, 1, 0, False),
        (3, 1, 0, 0, True),
        (3, 1, 0, 0x11, True),
        (3, 1, 0, 0x0F, False),
        (3, 1, 0, 0xF0, False),
        (4, 1, 0, 0, True),
        (4, 2, 0, 0, False),
        (5, 0, 1, 0, False),
        (5, 0, 2, 0, True),
        (6, 0, 0, 0, False),
        (6, 0, 1, 0, True),
    ],
)
def test_malformed_routing_headers(kind, words, left, compressed, malformed):
    header = bytes([6, words, kind, left, compressed, 0, 0, 0]) + bytes(8 * words)
    expected = Status.IP_HEADER_BAD if malformed else Status.DECODED
    assert status_of(raw(ipv6(header + SEGMENT, protocol=43))) is expected


@pytest.mark.parametrize("protocol", [4, 41, 47, 97, 115, 137, 143])
@pytest.mark.parametrize("build", [ipv4, ipv6])
def test_tunnels_are_declined(protocol, build):
    assert status_of(raw(build(SEGMENT, protocol=protocol))) is Status.TUNNEL


def test_encrypted_packets_are_counted():
    assert status_of(raw(ipv4(SEGMENT, protocol=50))) is Status.ENCRYPTED


@pytest.mark.parametrize("port", TUNNEL_PORTS + RARE_TUNNEL_PORTS)
@pytest.mark.parametrize("protocol", [17, 136])
def test_udp_tunnels_are_declined(port, protocol):
    for ports in ((port, 40000), (40000, port)):
        assert status_of(raw(ipv4(struct.pack(">HHHH", *ports, 8, 0), protocol=protocol))) is Status.TUNNEL


def test_all_ports_of_the_slow_path_are_declined():
    assert set(SLOW_TUNNEL_PORTS) <= set(TUNNEL_PORTS + RARE_TUNNEL_PORTS)


@pytest.mark.parametrize("port", [53, 443, 8472, 51820])
def test_other_udp_is_counted(port):
    assert status_of(raw(ipv4(struct.pack(">HHHH", 40000, port, 8, 0), protocol=17))) is Status.NOT_TCP
    assert status_of(raw(ipv4(struct.pack(">HHHH", 40000, 4789, 8, 0), protocol=17), 23)) is Status.NOT_TCP


@pytest.mark.parametrize(
    ("protocol", "kinds"), [(1, {3, 4, 5, 11, 12}), (58, {1, 2, 3, 4, 137})], ids=["icmp", "icmpv6"]
)
def test_icmp_errors_are_declined(protocol, kinds):
    for kind in range(256):
        status = status_of(raw(ipv4(bytes([kind]) + bytes(7) + ipv4(SEGMENT), protocol=protocol)))
        assert status is (Status.TUNNEL if kind in kinds else Status.NOT_TCP), kind


def test_bytes_after_the_packet_are_not_read():
    """Behind the captured bytes lie others: of the next record, or of a trailer."""
    packet = ethernet(ipv4(tcp(bytes.fromhex("020405b4")), total=42) + b"\xff" * 8)
    assert decoded(frame(packet))["quality"] == Quality.SHORT_SEGMENT | Quality.OPTIONS_CUT
