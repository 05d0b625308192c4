"""Copies of frames are told from segments that were sent again."""

from typing import Any

import numpy as np
import pytest

from ingest.capture.live.seen_twice import COPY_NANOSECONDS, SeenTwice
from segwatch.records.segments import SegmentColumns, join_segments, take_segments
from segwatch.vocabulary import Flag, Quality
from tests.messages.rows import valid_segments

TWICE = np.uint32(Quality.SEEN_TWICE)
ACK, SYN = int(Flag.ACK), int(Flag.SYN)
IPV6, STAMPED = int(Quality.IPV6), int(Quality.TIMESTAMPS)


def numbered(rows: int = 1) -> SegmentColumns:
    """Return different segments in IPv4 packets with identification, 1 second from one another."""
    segments = valid_segments(rows)
    segments.quality[:] = STAMPED
    segments.flags[:] = ACK
    segments.ip_id[:] |= 1
    segments.ts[:] = 10**18 + 10**9 * np.arange(rows)
    return segments


def changed(segments: SegmentColumns, after: int = 1000, **fields: Any) -> SegmentColumns:
    """Return a copy of some segments that was captured later, with other values in some fields."""
    copy = take_segments(segments, np.arange(len(segments.ts)))
    copy.ts[:] += after
    for name, value in fields.items():
        getattr(copy, name)[:] = value
    return copy


def copies(*parts: SegmentColumns) -> list[bool]:
    """Return which rows are marked, when these come in this order."""
    segments = join_segments(list(parts))
    found = SeenTwice().mark(segments)
    marked = segments.quality & TWICE != 0
    assert found == np.count_nonzero(marked)
    return marked.tolist()


def test_a_copy_is_marked_and_its_original_is_not() -> None:
    one = numbered()
    assert copies(one, changed(one), changed(one, 2000)) == [False, True, True]


def test_a_copy_may_have_passed_a_router() -> None:
    one = numbered()
    other = changed(one, ttl=one.ttl - 1, dscp_ecn=3, vlan=one.vlan ^ 1, tunnel_kind=6, tunnel_id=9, frame=77)
    assert copies(one, other) == [False, True]


@pytest.mark.parametrize(
    "name", ["src", "dst", "sport", "dport", "seq", "ack", "flags", "window", "payload_len", "ip_id", "tsval", "tsecr"]
)
def test_a_segment_that_differs_is_no_copy(name: str) -> None:
    one = numbered()
    assert copies(one, changed(one, **{name: getattr(one, name) ^ 2})) == [False, False]


def test_selective_acknowledgements_make_a_difference() -> None:
    one = changed(numbered(), sack_count=2)
    other = changed(one)
    other.sack[:, 2] ^= 1
    assert copies(one, other) == [False, False]
    assert copies(one, changed(one, sack_count=1)) == [False, False]
    unused = changed(one)
    unused.sack[:, 4:] ^= 1
    assert copies(one, unused) == [False, True]


def test_the_answer_is_no_copy() -> None:
    one = numbered()
    assert copies(one, changed(one, src=one.dst, dst=one.src, sport=one.dport, dport=one.sport)) == [False, False]


def test_copies_come_soon() -> None:
    one = numbered()
    assert copies(one, changed(one, COPY_NANOSECONDS - 1)) == [False, True]
    assert copies(one, changed(one, COPY_NANOSECONDS)) == [False, False]
    assert copies(one, changed(one, -1000)) == [False, True]  # from another interface's ring


@pytest.mark.parametrize("fields", [{"ip_id": 0}, {"quality": IPV6 | STAMPED}])
def test_without_identification_a_sender_may_have_sent_it_again(fields: dict[str, int]) -> None:
    """Linux was seen to repeat a SYN/ACK, and data over IPv6, within 0.1 ms."""
    one = changed(numbered(), flags=ACK | SYN, **fields)
    assert copies(one, changed(one, 50_000)) == [False, False]


@pytest.mark.parametrize("bit", [Quality.QUOTED_IN_ICMP, Quality.HEADER_UNREADABLE, Quality.HEADER_CUT])
def test_a_header_in_an_icmp_error_and_half_a_header_are_no_copies(bit: Quality) -> None:
    one = numbered()
    assert copies(one, changed(one, quality=int(bit))) == [False, False]


def test_batches_make_no_difference_and_few_copies_are_missed() -> None:
    one = numbered(300)
    one.ts[:] = one.ts[0] + 1000 * np.arange(300)
    both = join_segments([one, changed(one, 1_000_000)])
    whole = copies(both)
    seen, found = SeenTwice(), 0
    for start in range(0, len(both.ts), 7):
        found += seen.mark(take_segments(both, slice(start, start + 7)))
    assert found == sum(whole)
    assert not any(whole[:300])
    assert 280 < found <= 300  # the others gave their place to one with the same hash
