"""Conversations of which one direction is missing."""

import logging

import numpy as np
import pytest

from ingest.capture.live import one_way
from ingest.capture.live.one_way import FORGET_NANOSECONDS, LEAST_NANOSECONDS, LEAST_SEGMENTS, OneWay
from segwatch.records.segments import SegmentColumns, join_segments, take_segments
from segwatch.vocabulary import Flag, Quality
from tests.messages.rows import valid_segments

MARK = np.uint32(Quality.ONE_WAY)
ACK, SYN, RST = int(Flag.ACK), int(Flag.SYN), int(Flag.RST)
START = 10**18
STEP = LEAST_NANOSECONDS // LEAST_SEGMENTS * 2
ENOUGH = LEAST_SEGMENTS + 5


def sent(rows: int, begin: int = START, step: int = STEP, flags: int = ACK, conversation: int = 0) -> SegmentColumns:
    """Return segments of one direction of a conversation."""
    every = valid_segments(conversation + 1)
    segments = take_segments(every, np.full(rows, conversation))
    segments.quality[:] = 0
    segments.flags[:] = flags
    segments.ts[:] = begin + step * np.arange(rows)
    return segments


def answers(segments: SegmentColumns) -> SegmentColumns:
    """Return the same in the other direction."""
    return segments._replace(src=segments.dst, dst=segments.src, sport=segments.dport, dport=segments.sport)


def marked(seen: OneWay, segments: SegmentColumns) -> list[bool]:
    """Return which rows are marked."""
    seen.mark(segments)
    return (segments.quality & MARK != 0).tolist()


def test_one_direction_is_noticed_once_it_is_certain() -> None:
    seen, segments = OneWay("eth0"), sent(ENOUGH)
    assert seen.mark(segments) == 1
    assert (segments.quality & MARK != 0).tolist() == [False] * (LEAST_SEGMENTS - 1) + [True] * 6
    assert seen.mark(sent(5, int(segments.ts[-1]))) == 0


def test_many_segments_in_a_short_time_are_not_enough() -> None:
    seen = OneWay("eth0")
    assert seen.mark(sent(5000, step=LEAST_NANOSECONDS // 5000)) == 0
    assert marked(seen, sent(1, START + LEAST_NANOSECONDS + 1)) == [True]


def test_the_other_direction_ends_it() -> None:
    seen = OneWay("eth0")
    first = sent(ENOUGH)
    seen.mark(first)
    later = int(first.ts[-1])
    assert marked(seen, answers(sent(1, later))) == [False]
    assert marked(seen, sent(1000, later)) == [False] * 1000


@pytest.mark.parametrize("flags", [ACK, SYN, RST])
def test_a_conversation_of_both_directions_is_none(flags: int) -> None:
    seen = OneWay("eth0")
    rows = join_segments([sent(1), answers(sent(1, flags=flags)), sent(1000)])
    assert seen.mark(rows) == 0
    assert not (rows.quality & MARK).any()


@pytest.mark.parametrize("flags", [SYN, RST])
def test_segments_without_ack_make_no_conversation_one_way(flags: int) -> None:
    assert OneWay("eth0").mark(sent(1000, flags=flags)) == 0


def test_a_flood_of_syns_does_not_push_out_what_is_known() -> None:
    seen = OneWay("eth0")
    seen.mark(sent(LEAST_SEGMENTS - 1))
    flood = valid_segments(300_000)
    flood.quality[:] = 0
    flood.flags[:] = SYN
    assert seen.mark(flood) == 0
    assert seen.mark(sent(1, START + 60 * STEP)) == 1


def test_of_too_many_conversations_the_silent_ones_are_forgotten() -> None:
    seen = OneWay("eth0")
    seen.mark(sent(LEAST_SEGMENTS - 1))
    others = valid_segments(600_000, seed=7)
    others.quality[:] = 0
    others.flags[:] = ACK
    others.ts[:] = START + LEAST_SEGMENTS * STEP
    seen.mark(others)
    assert seen.mark(sent(1, START + 60 * STEP)) == 0


def test_a_conversation_that_was_silent_for_long_begins_anew() -> None:
    seen = OneWay("eth0")
    rows = sent(LEAST_SEGMENTS - 1)
    seen.mark(join_segments([rows, answers(sent(1, int(rows.ts[-1])))]))
    later = int(rows.ts[-1]) + FORGET_NANOSECONDS
    assert seen.mark(sent(ENOUGH, later)) == 1


def test_a_header_in_an_icmp_error_is_no_answer() -> None:
    seen, quoted = OneWay("eth0"), answers(sent(1))
    quoted.quality[:] = int(Quality.QUOTED_IN_ICMP)
    assert seen.mark(join_segments([sent(3), quoted, sent(ENOUGH, START + 3 * STEP)])) == 1


def test_a_conversation_with_itself_has_both_directions() -> None:
    rows = sent(ENOUGH)
    rows = rows._replace(dst=rows.src, dport=rows.sport)
    assert OneWay("eth0").mark(rows) == 0


@pytest.mark.parametrize(("both", "told"), [(8, True), (9, False)])
def test_a_share_worth_telling_is_told_and_not_again_soon(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, both: int, told: bool
) -> None:
    now = [0.0]
    monkeypatch.setattr(one_way.time, "monotonic", lambda: now[0])
    seen = OneWay("eth0")
    caplog.set_level(logging.WARNING)

    def everybody_sends(begin: int) -> None:
        for number in range(1, 1 + both):
            rows = sent(2, begin, conversation=number)
            seen.mark(join_segments([rows, answers(rows)]))
        seen.mark(sent(ENOUGH, begin))

    everybody_sends(START)
    assert not caplog.messages
    now[0] = one_way.LOOK_SECONDS
    everybody_sends(START + STEP)
    texts = ["eth0: only one direction is seen of 1 of 9 conversations; asymmetric routing, or half a mirror?"]
    assert caplog.messages == texts * told
    now[0] += one_way.SILENT_SECONDS - 1
    everybody_sends(START + 2 * STEP)
    assert len(caplog.messages) == told
    now[0] += 1
    everybody_sends(START + 3 * STEP)
    assert len(caplog.messages) == 2 * told
