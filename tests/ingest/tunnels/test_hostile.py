"""Any bytes: nothing raises, nothing hangs, nothing piles up, and equal bytes give equal rows."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.tunnels.decoder import SKIP_REASONS, TunnelDecoder
from ingest.tunnels.layers import LAYERS
from ingest.tunnels.walk import Kind
from segwatch.records.segments import empty_segments
from tests.ingest.tunnels.cases import CASES
from tests.ingest.tunnels.frames import SEGMENT, ethernet, ip4, mpls, tag, tcp, udp
from tests.ingest.tunnels.support import decode

LINKTYPES = sorted(number for kind, number in LAYERS if kind is Kind.LINKTYPE)
OUT = empty_segments(64)


def _survives(decoder: TunnelDecoder, frame: bytes, linktype: int, wirelen: int) -> None:
    rows = decoder.decode(memoryview(frame), linktype, wirelen, 1, 1, OUT, 0)
    assert 0 <= rows <= 64


@given(st.sampled_from(LINKTYPES), st.binary(max_size=300), st.integers(0, 70_000))
def test_random_bytes(linktype: int, frame: bytes, wirelen: int):
    """Noise under every link type, whatever the length on the wire is said to be."""
    _survives(TunnelDecoder(), frame, linktype, wirelen)


@settings(max_examples=500)
@given(
    st.sampled_from(CASES),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
    st.integers(0, 400),
    st.integers(0, 400),
)
def test_damaged_frames(case: Sequence, changes: list[tuple[int, int]], cut: int, more: int):
    """Frames of every encapsulation with bytes changed, cut anywhere, and longer on the wire."""
    linktype, frame = case[1], bytearray(case[2])
    for at, value in changes:
        frame[at % len(frame)] = value
    decoder = TunnelDecoder()
    for _ in range(2):
        _survives(decoder, bytes(frame[:cut]), linktype, min(cut, len(frame)) + more)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_cut(case: Sequence):
    """A frame that is cut at any byte gives the whole row, a row with less quality, or a reason."""
    frame = case[2]
    decoder = TunnelDecoder()
    for captured in range(len(frame)):
        rows = decoder.decode(memoryview(frame)[:captured], case[1], len(frame), 1, 1, OUT, 0)
        assert 0 <= rows <= 1
    assert sum(decoder.skipped.values()) > 0


def test_deep_nesting_ends():
    """A stack of labels or tunnels that goes on and on ends with a reason."""
    decoder = TunnelDecoder()
    packet = SEGMENT
    for _ in range(200):
        packet = ip4(packet, 4)
    assert len(decode(ethernet(packet), decoder=decoder).ts) == 0
    labels = SEGMENT
    for number in range(5_000):
        labels = mpls(number & 0xFF, labels, bottom=number == 0)
    assert len(decode(ethernet(labels, 0x8847), decoder=decoder).ts) == 1
    assert len(decode(ethernet(tag(1, 0x88E7, b"") * 3_000, 0x8100), decoder=decoder).ts) == 0


def test_amplification_ends():
    """Samples inside samples do not multiply without end."""
    inner = udp(b"\0\0\0\5" + b"\0\0\0\1" + bytes(16) + b"\0\0\0\xff" + (b"\0\0\0\1" + b"\0\0\0\0") * 8_000, 6343)
    assert len(decode(inner[:65_000]).ts) == 0


def test_reasons_are_bounded():
    """However many protocols a capture shows, the counts stay few."""
    decoder = TunnelDecoder()
    for number in range(2_000, 6_000):
        decode(ethernet(tcp(), number), decoder=decoder)
    assert len(decoder.skipped) <= SKIP_REASONS + 1
    assert sum(decoder.skipped.values()) == 4_000


@given(st.sampled_from([case for case in CASES if case.tunnel is not None]), st.binary(max_size=40))
def test_equal_bytes_give_equal_rows(case: Sequence, padding: bytes):
    """A second decoding of the same bytes gives the same row, also where what follows the packet is noise."""
    first, second = (decode(case[2] + padding, case[1])._asdict() for _ in range(2))
    for columns in (first, second):
        del columns["sack"]  # has a meaning only as far as sack_count says
    assert {name: column.tolist() for name, column in first.items()} == {
        name: column.tolist() for name, column in second.items()
    }
