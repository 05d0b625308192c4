"""Batches: order, merging with the slow path, memory, counts."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decode.decoder import Decoder
from ingest.decode.frames import decode_frames
from ingest.decode.slow_path import ROWS_PER_FRAME
from ingest.decode.status import STATUS_TEXTS, Status
from ingest.decode.transport import TWELVE_BYTES
from segwatch.records.pool import segment_pool
from segwatch.records.segments import SEGMENT_TYPES, empty_segments
from segwatch.vocabulary import SHARE_MASK, Quality, Tunnel
from tests.ingest.decode.mutations import seeds
from tests.ingest.decode.support import Frame, columns_of, decode, ethernet, frame, ipv4, plain, tcp

PLAIN = frame(ethernet(ipv4(tcp())))
ARP = frame(ethernet(bytes(28), 0x0806))
UDP = frame(ethernet(ipv4(bytes([0, 53, 0, 53, 0, 8, 0, 0]), 17)))


def declined(rows):
    """Return a frame that goes to the slow path, which makes so many rows of it."""
    return frame(ethernet(bytes(rows), 0x8847))


class Rows:
    """A slow path that writes as many rows as the frame has bytes after its header."""

    def __init__(self):
        self.skipped = {"nothing in it": 0, STATUS_TEXTS[Status.NOT_TCP]: 1}
        self.seen = []

    def decode(self, frame_bytes, linktype, wirelen, ts, number, out, row):
        assert row + ROWS_PER_FRAME <= len(out.ts)
        rows = len(frame_bytes) - 14
        self.seen.append((linktype, wirelen, ts, number))
        self.skipped["nothing in it"] += not rows
        for name in SEGMENT_TYPES:
            getattr(out, name)[row : row + rows] = 1
        out.frame[row : row + rows] = number
        out.seq[row : row + rows] = np.arange(rows)
        return rows


@settings(deadline=None)
@given(st.lists(st.sampled_from([None, 0, 1, 2, 30]), max_size=40))
def test_rows_are_in_the_order_of_frames(kinds):
    decoder = Decoder(Rows())
    segments = decoder.decode(columns_of(PLAIN if kind is None else declined(kind) for kind in kinds))
    expected = []
    for number, kind in enumerate(kinds, 1):
        expected += [(number, 7, 80)] if kind is None else [(number, seq, 1) for seq in range(kind)]
    got = zip(segments.frame.tolist(), segments.seq.tolist(), segments.dport.tolist(), strict=True)
    assert list(got) == expected


def test_many_rows_from_one_frame():
    segments = Decoder(Rows()).decode(columns_of([PLAIN, declined(ROWS_PER_FRAME), PLAIN] * 20))
    assert len(segments.ts) == 20 * (ROWS_PER_FRAME + 2)
    assert (np.diff(segments.frame) >= 0).all()


def test_what_the_slow_path_is_given():
    slow = Rows()
    Decoder(slow).decode(columns_of([PLAIN, Frame(declined(3).data, 1500), Frame(declined(3).data, 5, 147)]))
    assert slow.seen == [(1, 1500, 1001, 2), (147, 17, 1002, 3)]


def test_frames_longer_than_2_gibibytes_count_as_that_long():
    """Wireshark's lengths have 31 bits; a total length of zero shows how long a frame is taken to be."""
    offloaded = ethernet(ipv4(tcp(), total=0))
    segments = Decoder().decode(columns_of([Frame(offloaded, length) for length in (2**31 - 1, 2**31, 2**32 - 1)]))
    assert segments.payload_len.tolist() == [2**31 - 1 - 54] * 3


def test_skipped_frames_are_counted_by_reason():
    decoder = Decoder(Rows())
    assert decoder.skipped() == {STATUS_TEXTS[Status.NOT_TCP]: 1}
    for _ in range(2):
        decoder.decode(columns_of([ARP, PLAIN, UDP, declined(0), ARP]))
    assert list(decoder.skipped().items()) == [
        (STATUS_TEXTS[Status.NOT_IP], 4),
        (STATUS_TEXTS[Status.NOT_TCP], 3),
        ("nothing in it", 2),
    ]


def test_every_status_has_words():
    assert set(STATUS_TEXTS) == set(Status)
    assert len(set(STATUS_TEXTS.values())) == len(Status)


def test_no_frames():
    assert len(Decoder().decode(columns_of([])).ts) == 0


def test_tunnels_are_decoded():
    label = bytes.fromhex("00001140")
    segments = Decoder().decode(columns_of([PLAIN, frame(ethernet(label + ipv4(tcp()), 0x8847)), PLAIN]))
    assert segments.tunnel_kind.tolist() == [Tunnel.NONE, Tunnel.MPLS, Tunnel.NONE]
    assert segments.frame.tolist() == [1, 2, 3]


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_batches_of_any_size_give_the_same_rows(batch):
    frames = seeds()
    columns = columns_of(frames)
    whole, decoder = Decoder().decode(columns), Decoder()
    rows = []
    for start in range(0, len(frames), batch):
        part = columns._replace(**{n: getattr(columns, n)[start : start + batch] for n in columns._fields[1:]})
        segments = decoder.decode(part)
        rows += [plain(segments, row) for row in range(len(segments.ts))]
    assert rows == [plain(whole, row) for row in range(len(whole.ts))]


def test_results_stay_valid_while_they_are_referred_to():
    decoder = Decoder()
    kept = [decoder.decode(columns_of([PLAIN] * (1 + n))).frame[-1:] for n in range(10)]
    assert [column.tolist() for column in kept] == [[1 + n] for n in range(10)]


@pytest.mark.parametrize(
    ("payload", "captured", "found"),
    [
        (12, 12, True),
        (13, 13, False),
        (11, 11, False),
        (100, 12, True),
        (100, 11, False),
        (12, 11, False),
        (0, 0, False),
    ],
)
def test_twelve_captured_bytes_are_found_and_not_told(payload, captured, found):
    data = ethernet(ipv4(tcp(payload=bytes(payload))))
    of_kernel, _ = decode(frame(data, len(data) - payload + captured))
    assert bool(of_kernel.quality[0] & TWELVE_BYTES) == found
    assert not TWELVE_BYTES & (SHARE_MASK | sum(Quality))
    told = Decoder().decode(columns_of([frame(data, len(data) - payload + captured)]))
    assert told.quality[0] == of_kernel.quality[0] & ~np.uint32(TWELVE_BYTES)


def test_memory_is_taken_again():
    decoder = Decoder()
    places = set()
    for _ in range(20):
        segments = decoder.decode(columns_of([PLAIN]))
        places.add(segments.ts.ctypes.data)
        del segments
    assert len(places) == 1


def test_columns_are_separate():
    columns = segment_pool(100).lease(150)
    for number, name in enumerate(SEGMENT_TYPES):
        getattr(columns, name)[...] = number
    for number, name in enumerate(SEGMENT_TYPES):
        column = getattr(columns, name)
        assert (column == number).all()
        assert column.dtype == SEGMENT_TYPES[name][0]
        assert column.shape == (150, *SEGMENT_TYPES[name][1])
        assert column.flags.c_contiguous
        assert column.flags.aligned


def test_the_loop_stops_where_the_rows_end():
    columns = columns_of([ARP, PLAIN, ARP, PLAIN, PLAIN])
    segments, waiting, counts = empty_segments(3), np.empty(5, np.int64), np.zeros(len(Status), np.int64)
    assert decode_frames(columns, 0, segments, 1, waiting, counts) == (4, 2, 0)
    assert segments.frame[1:].tolist() == [2, 4]
    assert decode_frames(columns, 4, segments, 0, waiting, counts) == (1, 1, 0)
    assert counts[Status.NOT_IP] == 2


def test_two_threads():
    """Decoding happens without the interpreter lock; each decoder has its own memory."""
    columns = columns_of(seeds() * 5)
    results = [None, None]

    def work(index):
        results[index] = Decoder().decode(columns)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in ("seq", "src", "payload_len", "quality"):
        np.testing.assert_array_equal(getattr(results[0], name), getattr(results[1], name))
