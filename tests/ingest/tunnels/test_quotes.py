"""TCP headers quoted in ICMP errors, source routes, and frames with several headers."""

from struct import pack

import pytest

from ingest.tunnels.decoder import TunnelDecoder
from segwatch.records.segments import empty_segments
from segwatch.vocabulary import Quality, Tunnel
from tests.ingest.tunnels.frames import (
    CLIENT6,
    IPV6,
    SERVER6,
    attribute,
    ethernet,
    ip4,
    ip6,
    llc,
    over_ip,
    sflow,
    tcp,
    udp,
    wlan,
)
from tests.ingest.tunnels.support import address, decode


def _error(kind: int, quote: bytes, length: int = 0) -> bytes:
    return over_ip(1, pack(">BBHBBH", kind, 0, 0, 0, length, 0) + quote)


def _error6(kind: int, quote: bytes) -> bytes:
    return ethernet(ip6(pack(">BBHI", kind, 0, 0, 0) + quote, 58), IPV6)


@pytest.mark.parametrize("kind", [3, 4, 11, 12])
def test_icmp_quotes_a_whole_header(kind: int):
    """Errors that quote 16 bytes or more of TCP give a row without payload."""
    rows = decode(_error(kind, ip4(tcp(b""), total=1500)))
    assert rows.quality[0] == Quality.QUOTED_IN_ICMP
    assert (rows.seq[0], rows.payload_len[0]) == (1000, 0)


@pytest.mark.parametrize("words", [4, 8, 32])
def test_icmp_length_of_fewer_than_128_bytes_cuts_nothing(words: int):
    """A quote is 128 bytes long at least where its length is told (RFC 4884 section 4)."""
    assert len(decode(_error(11, ip4(tcp(bytes(200))), words)).ts) == 1


@pytest.mark.parametrize(
    "frame",
    [
        _error(3, ip4(tcp()[:8], total=40)),
        _error(5, ip4(tcp())),
        _error(8, ip4(tcp())),
        _error6(1, ip6(tcp())[:48]),
        _error6(128, ip6(tcp())),
        _error6(1, ip4(tcp())),
    ],
    ids=["8 bytes", "redirect", "echo", "8 bytes over IPv6", "echo over IPv6", "IPv4 in ICMPv6"],
)
def test_quotes_without_effect(frame: bytes):
    """Quotes that are too short, and messages that are no errors, give nothing."""
    decoder = TunnelDecoder()
    assert len(decode(frame, decoder=decoder).ts) == 0
    assert sum(decoder.skipped.values()) == 1


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_icmpv6_quotes_a_whole_header(kind: int):
    """The same for ICMPv6."""
    rows = decode(_error6(kind, ip6(tcp())))
    assert rows.quality[0] == Quality.QUOTED_IN_ICMP | Quality.IPV6


def test_redirected_packet_over_ipv6():
    """A redirect quotes the packet in an option."""
    option = bytes([4, 10]) + bytes(6) + ip6(tcp())
    rows = decode(ethernet(ip6(pack(">BBHI", 137, 0, 0, 0) + CLIENT6 + SERVER6 + option, 58), IPV6))
    assert rows.quality[0] & Quality.QUOTED_IN_ICMP


def test_source_route_gives_the_true_destination():
    """The last address of a loose source route is where the packet goes."""
    options = bytes([131, 11, 4]) + bytes([10, 0, 0, 1, 10, 0, 0, 2]) + b"\0"
    packet = ip4(b"")
    packet = bytes([0x48]) + packet[1:2] + pack(">H", 20 + 12 + 25) + packet[4:] + options + tcp()
    rows = decode(ethernet(packet))
    assert address(rows.dst)[12:] == bytes([10, 0, 0, 2])
    assert rows.payload_len[0] == 5


def test_total_length_zero_takes_the_frame():
    """Segmentation offload leaves total length 0: the payload reaches to the end of the frame, padding included."""
    rows = decode(ethernet(ip4(tcp(), total=0)) + b"\0" * 6)
    assert rows.payload_len[0] == 11
    assert rows.quality[0] == Quality.TOTAL_LENGTH_ZERO


@pytest.mark.parametrize("cut", range(6))
def test_cut_header(cut: int):
    """16 bytes of TCP give a row to analyse, fewer give ports at most."""
    frame = ethernet(ip4(tcp(b"")))
    captured = 34 + (20, 19, 16, 15, 4, 3)[cut]
    rows = decode(frame[:captured], wirelen=len(frame))
    expected = (
        Quality(0),
        Quality.HEADER_CUT | Quality.PAYLOAD_CUT,
        Quality.HEADER_CUT | Quality.PAYLOAD_CUT,
        Quality.HEADER_UNREADABLE,
        Quality.HEADER_UNREADABLE,
        None,
    )[cut]
    assert [int(quality) for quality in rows.quality] == ([] if expected is None else [int(expected)])


def test_aggregate_gives_a_row_for_each_frame():
    """The frames of an 802.11 aggregate come in order."""
    subframes = b""
    for seq in (1, 2, 3):
        packet = llc(ip4(tcp(b"y" * seq, seq)))
        subframes += b"\0" * (-len(subframes) % 4) + bytes(12) + pack(">H", len(packet)) + packet
    rows = decode(wlan(subframes, 0x88, 0x02, b"\x80\0"), 105)
    assert rows.seq.tolist() == [1, 2, 3]
    assert rows.payload_len.tolist() == [1, 2, 3]


def test_samples_come_in_order():
    """Each sampled header is a row that is not analysed; one bad sample does not hide the others."""
    frames = [ethernet(ip4(tcp(b"", seq))) for seq in (1, 2)]
    rows = decode(udp(sflow(frames[0], ethernet(b"\x45"), frames[1]), 6343))
    assert rows.seq.tolist() == [1, 2]
    assert set(rows.tunnel_kind.tolist()) == {Tunnel.SFLOW}
    assert all(quality & Quality.FRAGMENT for quality in rows.quality.tolist())


def test_netlink_batch():
    """All logged and queued packets of a netlink datagram come in order."""
    logged = b"\2\0\0\0" + attribute(9, ip4(tcp(b"", 1)))
    queued = b"\2\0\0\0" + attribute(1, pack(">IHB", 1, 0x0800, 0)) + attribute(10, ip4(tcp(b"", 2)))
    messages = b""
    for kind, body in ((0x0400, logged), (0x0300, queued)):
        messages += pack("<IHHII", 16 + len(body), kind, 0, 0, 0) + body
    rows = decode(pack(">HHH8sH", 0, 824, 0, b"", 12) + messages, 253)
    assert rows.seq.tolist() == [1, 2]


def test_rows_end_with_the_columns():
    """More headers than rows left: those that fit are written."""
    frames = [ethernet(ip4(tcp(b"", seq))) for seq in range(5)]
    out = empty_segments(4)
    data = udp(sflow(*frames), 6343)
    assert TunnelDecoder().decode(memoryview(data), 1, len(data), 1, 1, out, 1) == 3
