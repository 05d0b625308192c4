"""Reassembly: in which frame a datagram is complete, what of overlaps counts, and that memory is bounded."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.tunnels.decoder import TunnelDecoder
from ingest.tunnels.fragments import FragmentTable, NumberedFragments
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Quality
from tests.ingest.tunnels.frames import CLIENT4, IPV6, ethernet, ip4, ip6, llc, tag, tcp, wlan
from tests.ingest.tunnels.support import decode

MORE = 0x2000
PAYLOAD = bytes(range(100))


def _parts(segment: bytes, size: int = 40) -> list[bytes]:
    """Return Ethernet frames with the fragments of a segment."""
    offsets = range(0, len(segment), size)
    return [
        ethernet(ip4(segment[at : at + size], fragment=(MORE if at + size < len(segment) else 0) | at // 8))
        for at in offsets
    ]


def _parts6(segment: bytes, identification: int = 5, size: int = 40) -> list[bytes]:
    """Return the same over IPv6."""
    return [
        ethernet(
            ip6(
                bytes([6, 0])
                + (at | (at + size < len(segment))).to_bytes(2, "big")
                + identification.to_bytes(4, "big")
                + segment[at : at + size],
                44,
            ),
            IPV6,
        )
        for at in range(0, len(segment), size)
    ]


def _decode_all(frames: list[bytes], decoder: TunnelDecoder) -> list[SegmentColumns]:
    return [decode(frame, decoder=decoder, number=number) for number, frame in enumerate(frames, 1)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("version", [4, 6])
def test_the_completing_frame_counts(order: tuple[int, ...], version: int):
    """Whatever the order, the last fragment to come gives the row, with its number."""
    parts = _parts(tcp(PAYLOAD)) if version == 4 else _parts6(tcp(PAYLOAD))
    decoder = TunnelDecoder()
    *before, last = _decode_all([parts[index] for index in order], decoder)
    assert [len(rows.ts) for rows in before] == [0, 0]
    assert (last.frame[0], last.payload_len[0], last.seq[0]) == (3, 100, 1000)
    assert last.quality[0] & Quality.REASSEMBLED
    assert len(decoder.fragments) == decoder.fragments.stored == 0


def test_overlap_keeps_the_lower_offset():
    """Bytes that two fragments hold come from the one that begins earlier."""
    segment, other = tcp(PAYLOAD), tcp(bytes(100))
    frames = [
        ethernet(ip4(segment[:64], fragment=MORE)),
        ethernet(ip4(other[32:96], fragment=MORE | 4)),
        ethernet(ip4(segment[96:], fragment=12)),
    ]
    assert len(_decode_all(frames, TunnelDecoder())[-1].ts) == 1
    table = FragmentTable()
    table.add("a", 0, b"AAAA", more=True)
    table.add("a", 2, b"BBBB", more=True)
    assert table.add("a", 4, b"CCCC", more=False) == b"AAAABBCC"


def test_duplicate_fragments_start_anew():
    """A copy of a fragment that comes after completion belongs to a new datagram."""
    decoder = TunnelDecoder()
    parts = _parts(tcp(PAYLOAD))
    assert len(_decode_all([parts[0], parts[0], *parts[1:]], decoder)[-1].ts) == 1
    assert len(decode(parts[0], decoder=decoder).ts) == 0
    assert len(decoder.fragments) == 1


def test_datagrams_do_not_mix():
    """Addresses, identification, protocol and, for private addresses, the VLAN tell datagrams apart."""
    segment = tcp(PAYLOAD)
    first = ethernet(ip4(segment[:40], fragment=MORE))
    for second in (
        ethernet(ip4(segment[40:], fragment=5, ident=8)),
        ethernet(ip4(segment[40:], fragment=5, source=bytes([192, 0, 2, 9]))),
        ethernet(ip4(segment[40:], 17, fragment=5)),
    ):
        assert len(_decode_all([first, second], TunnelDecoder())[-1].ts) == 0
    for source, rows in ((bytes([10, 0, 0, 1]), 0), (CLIENT4, 1)):
        head, tail = ip4(segment[:40], source=source, fragment=MORE), ip4(segment[40:], source=source, fragment=5)
        frames = [ethernet(tag(1, 0x0800, head), 0x8100), ethernet(tag(2, 0x0800, tail), 0x8100)]
        assert len(_decode_all(frames, TunnelDecoder())[-1].ts) == rows


def test_service_tags_do_not_tell_datagrams_apart():
    """The tag behind an IEEE 802.1ad tag does, as in Wireshark."""
    segment, source = tcp(PAYLOAD), bytes([10, 0, 0, 1])
    head, tail = ip4(segment[:40], source=source, fragment=MORE), ip4(segment[40:], source=source, fragment=5)
    for inner, rows in ((6, 1), (7, 0)):
        first = ethernet(tag(5, 0x8100, tag(6, 0x0800, head)), 0x88A8)
        assert len(_decode_all([first, ethernet(tag(inner, 0x0800, tail), 0x8100)], TunnelDecoder())[-1].ts) == rows


def test_cut_fragments_are_not_joined():
    """The first fragment of IPv4 shows its TCP header, which is not analysed; later ones and IPv6 show nothing."""
    decoder = TunnelDecoder()
    first, second, _ = _parts(tcp(PAYLOAD))
    rows = decode(first[:-10], wirelen=len(first), decoder=decoder)
    assert (len(rows.ts), rows.payload_len[0]) == (1, 0)
    assert rows.quality[0] & Quality.FRAGMENT
    assert len(decode(second[:-10], wirelen=len(second), decoder=decoder).ts) == 0
    first6 = _parts6(tcp(PAYLOAD))[0]
    assert len(decode(first6[:-10], wirelen=len(first6), decoder=decoder).ts) == 0
    assert len(decoder.fragments) == 0


def test_fragments_inside_a_tunnel():
    """Fragments of the inner packet are joined too."""
    inner = [frame[14:] for frame in _parts(tcp(PAYLOAD))]
    frames = [ethernet(ip4(packet, 4, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), ident=50)) for packet in inner]
    rows = _decode_all(frames, TunnelDecoder())[-1]
    assert (len(rows.ts), rows.payload_len[0]) == (1, 100)


def test_wlan_fragments():
    """Fragments of an 802.11 frame are joined by sequence number; a lone last fragment is a frame."""
    payload = llc(ip4(tcp(PAYLOAD)))
    decoder = TunnelDecoder()
    first = wlan(payload[:60], flags=0x05, sequence=0x0120)
    last = wlan(payload[60:], flags=0x01, sequence=0x0121)
    assert len(decode(first, 105, decoder=decoder).ts) == 0
    assert decode(last, 105, decoder=decoder).payload_len[0] == 100
    assert len(decode(wlan(payload, flags=0x01, sequence=0x0131), 105, decoder=decoder).ts) == 1


def test_memory_is_bounded():
    """The oldest datagrams go first, and are counted."""
    table = FragmentTable(datagrams=10, octets=10_000)
    for key in range(100):
        assert table.add(key, 0, bytes(100), more=True) is None
    assert (len(table), table.dropped) == (10, 90)
    for key in range(100, 200):
        table.add(key, 0, bytes(3_000), more=True)
    assert table.stored <= 10_000
    assert table.add(200, 0, bytes(50_000), more=True) is None
    assert table.stored == len(table) == 0
    for number in range(5_000):
        table.add("many", 8 * number, bytes(1), more=True)
    assert table.stored < 1_024 * 300


def test_wlan_memory_is_bounded():
    """Frames that never become complete do not pile up."""
    table = NumberedFragments()
    for key in range(3 * table.OPEN_FRAMES):
        table.add(key, 0, b"x", more=True)
    assert table.dropped == 2 * table.OPEN_FRAMES


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(1, 3)), min_size=1, max_size=20), st.randoms())
def test_any_cover_gives_the_datagram(pieces: list[tuple[int, int]], shuffler: object):
    """Fragments that overlap anyhow join to the datagram as soon as they cover it, and not before."""
    whole = bytes(range(80))
    cuts = [(8 * start, min(8 * (start + length), 80)) for start, length in pieces] + [(64, 80)]
    shuffler.shuffle(cuts)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    table = FragmentTable()
    covered: set[int] = set()
    last_seen = False
    for start, end in cuts:
        covered |= set(range(start, end))
        last_seen |= end == 80
        joined = table.add("key", start, whole[start:end], more=end < 80)
        if last_seen and covered == set(range(80)):
            assert joined == whole
            return
        assert joined is None
