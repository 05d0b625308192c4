"""Overload sheds whole conversations, more and less of them."""

import numpy as np

from ingest.capture.live.shedding import (
    FALL_NANOSECONDS,
    HIGHEST_LEVEL,
    RETURN_NANOSECONDS,
    RISE_NANOSECONDS,
    Shedder,
)
from segwatch.records.segments import SegmentColumns, join_segments
from segwatch.vocabulary import SHARE_MASK, SHARE_SHIFT, Quality
from tests.messages.rows import valid_segments

NOW = 100 * RISE_NANOSECONDS
LOSS = np.uint32(Quality.CAPTURE_LOSS)


def two_way_traffic(conversations: int) -> SegmentColumns:
    """Return a segment and its answer of some conversations."""
    there = valid_segments(conversations)
    there.quality[:] = 0
    back = there._replace(src=there.dst, dst=there.src, sport=there.dport, dport=there.sport)
    return join_segments([there, back])


def at_level(level: int) -> Shedder:
    """Return a shedder that has risen to a level."""
    shedder = Shedder()
    for step in range(level):
        shedder.decide(1.0, True, NOW + (step + 1 - level) * RISE_NANOSECONDS)
    assert shedder.level == level
    return shedder


def ends(segments: SegmentColumns) -> set[frozenset[tuple[bytes, int]]]:
    """Return the conversations, each as its two ends."""
    columns = (segments.src, segments.sport, segments.dst, segments.dport)
    return {
        frozenset(((one.tobytes(), int(port)), (other.tobytes(), int(other_port))))
        for one, port, other, other_port in zip(*columns, strict=True)
    }


def test_nothing_is_shed_without_need() -> None:
    shedder, segments = Shedder(), two_way_traffic(100)
    for now in range(0, 10 * RISE_NANOSECONDS, RISE_NANOSECONDS):
        shedder.decide(0.5, False, now)
        assert shedder.keep(segments, now) is segments
    assert shedder.keep_one_in == 1


def test_conversations_are_kept_or_shed_whole_and_each_level_is_part_of_the_one_before() -> None:
    segments = two_way_traffic(4000)
    everything = kept = ends(segments)
    for level in range(1, 5):
        rows = at_level(level).keep(segments, 0)
        before, kept = kept, ends(rows)
        assert kept < before
        assert len(rows.ts) == 2 * len(kept)
        assert 0.8 < len(kept) * 2**level / len(everything) < 1.25


def test_order_stays() -> None:
    segments = two_way_traffic(500)
    segments.frame[:] = np.arange(1, 1001)
    assert np.all(np.diff(at_level(2).keep(segments, 0).frame) > 0)


def test_it_rises_while_the_queue_grows() -> None:
    shedder = Shedder()
    levels = []
    for step, fill in enumerate([0.4, 0.6, 0.7, 0.7, 0.65, 0.6, 0.7]):
        shedder.decide(fill, False, (step + 1) * RISE_NANOSECONDS)
        shedder.decide(0.99, True, (step + 1) * RISE_NANOSECONDS + 1)  # too soon
        levels.append(shedder.level)
    assert levels == [0, 1, 2, 2, 2, 2, 3]


def test_it_rises_where_the_queue_has_no_room() -> None:
    shedder = Shedder()
    for step in range(1, 100):
        shedder.decide(0.95, True, step * RISE_NANOSECONDS)
    assert shedder.level == HIGHEST_LEVEL


def test_it_falls_only_after_calm() -> None:
    shedder = at_level(2)
    shedder.decide(0.0, False, NOW)
    shedder.decide(0.0, False, NOW + FALL_NANOSECONDS - 1)
    assert shedder.level == 2
    shedder.decide(0.2, False, NOW + FALL_NANOSECONDS)  # neither calm nor full
    shedder.decide(0.0, False, NOW + FALL_NANOSECONDS + 1)
    shedder.decide(0.0, False, NOW + 2 * FALL_NANOSECONDS)
    assert shedder.level == 2
    shedder.decide(0.0, False, NOW + 2 * FALL_NANOSECONDS + 1)
    assert shedder.level == 1
    shedder.decide(0.0, False, NOW + 3 * FALL_NANOSECONDS)
    assert shedder.level == 1
    shedder.decide(0.0, False, NOW + 3 * FALL_NANOSECONDS + 1)
    assert shedder.level == 0


def test_after_a_step_down_that_was_too_early_it_waits_longer() -> None:
    shedder = at_level(1)
    shedder.decide(0.0, False, NOW)
    shedder.decide(0.0, False, NOW + FALL_NANOSECONDS)
    assert shedder.level == 0
    again = FALL_NANOSECONDS + RISE_NANOSECONDS
    shedder.decide(0.6, False, NOW + again)
    assert shedder.level == 1
    shedder.decide(0.0, False, NOW + again)
    shedder.decide(0.0, False, NOW + again + 2 * FALL_NANOSECONDS - 1)
    assert shedder.level == 1
    shedder.decide(0.0, False, NOW + again + 2 * FALL_NANOSECONDS)
    assert shedder.level == 0


def test_rows_say_of_how_many_conversations_they_are_one() -> None:
    for level in range(5):
        segments = two_way_traffic(200)
        segments.quality[:] = int(Quality.IPV6)
        rows = at_level(level).keep(segments, NOW)
        assert len(rows.ts)
        assert (rows.quality & np.uint32(SHARE_MASK) == level << SHARE_SHIFT).all()
        assert (rows.quality & np.uint32(Quality.IPV6) != 0).all()
        assert level == 0 or (segments.quality == int(Quality.IPV6)).all()
    assert HIGHEST_LEVEL << SHARE_SHIFT <= SHARE_MASK


def test_conversations_that_come_back_are_marked_for_a_while() -> None:
    shedder, segments = at_level(1), two_way_traffic(500)
    always = ends(shedder.keep(segments, NOW))
    shedder.decide(0.0, False, NOW)
    shedder.decide(0.0, False, NOW + FALL_NANOSECONDS)
    back = shedder.keep(segments, NOW + FALL_NANOSECONDS)
    assert len(back.ts) == len(segments.ts)
    for segment in range(len(back.ts)):
        (conversation,) = ends(SegmentColumns(*(column[segment : segment + 1] for column in back)))
        assert bool(back.quality[segment] & LOSS) is (conversation not in always)
    back.quality[:] = 0
    assert not shedder.keep(segments, NOW + FALL_NANOSECONDS + RETURN_NANOSECONDS).quality.any()
