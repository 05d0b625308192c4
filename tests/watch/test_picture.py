"""The picture is what the findings say, of the window and since the start, however the segments come."""

from collections import Counter

import numpy as np
import pytest

from processors.engine import Engine, Timeouts
from segwatch.jobs.watch.analyst import Limits
from segwatch.jobs.watch.book import Count
from segwatch.jobs.watch.picture import SLOTS
from segwatch.records.findings import FindingColumns, empty_findings
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import LABEL_NAMES, Label
from tests.processors.builder import CLIENT, Segment, columns, handshake
from tests.watch.feeding import DEMONSTRATION, SECOND, counts_by_end, segments_of, watched


def findings_of(segments: SegmentColumns) -> FindingColumns:
    """Return what the engine says of segments."""
    findings = empty_findings(len(segments.ts))
    Engine().analyze(segments, findings)
    return findings


def labels_of(findings: FindingColumns, rows: np.ndarray) -> dict[str, int]:
    """Return how many of the rows have each label."""
    masks = findings.labels[rows]
    return {name: int(np.count_nonzero(masks >> bit & 1)) for bit, name in enumerate(LABEL_NAMES)}


@pytest.mark.parametrize("batch", [7, 1 << 15])
@pytest.mark.parametrize("window", [12, 60])
def test_window_and_start_are_what_the_findings_say(window: int, batch: int) -> None:
    segments = segments_of(str(DEMONSTRATION))
    findings = findings_of(segments)
    analyst, _ = watched(segments, window=window, batch=batch)
    look = analyst.look(since_start=False)
    oldest = look.now - round(look.window.seconds * SECOND)
    # A window begins with a slot, so it is up to a slot shorter.
    assert window * (1 - 1 / SLOTS) <= look.window.seconds <= window
    recent = segments.ts >= oldest
    assert 0 < np.count_nonzero(recent) < len(segments.ts)
    assert look.window.labels == labels_of(findings, recent)
    assert look.window.segments == np.count_nonzero(recent)
    assert look.window.payload_bytes == segments.payload_len[recent].sum()
    assert look.start.labels == labels_of(findings, np.ones(len(segments.ts), np.bool_))
    assert look.start.segments == len(segments.ts)
    assert look.active == len(np.unique(findings.stream[recent]))
    assert look.conversations == 1 + findings.stream.max()


@pytest.mark.parametrize("since_start", [False, True])
def test_conversations_are_what_the_findings_say(since_start: bool) -> None:
    segments = segments_of(str(DEMONSTRATION))
    findings = findings_of(segments)
    analyst, _ = watched(segments, window=24, batch=100)
    look = analyst.look(since_start=since_start)
    oldest = 0 if since_start else look.now - round(look.window.seconds * SECOND)
    expected: Counter[tuple[tuple[int, int], Count]] = Counter()
    for row in np.flatnonzero(segments.ts >= oldest):
        ports = int(segments.sport[row]), int(segments.dport[row])
        ends = ports if findings.from_client[row] else ports[::-1]
        expected[ends, Count.SEGMENTS] += 1
        expected[ends, Count.PAYLOAD_BYTES] += int(segments.payload_len[row])
        labels = Label(int(findings.labels[row]))
        expected[ends, Count.DUPLICATE_ACKS] += Label.DUPLICATE_ACK in labels
        expected[ends, Count.LOST_SEGMENTS] += Label.LOST_SEGMENT in labels
        expected[ends, Count.RESETS] += findings.reset[row] != 0
    counted = counts_by_end(look)
    assert {ends for ends, _ in expected} == set(counted)
    for (ends, count), number in expected.items():
        assert counted[ends][count] == number, (ends, count)


def test_looking_in_between_changes_nothing() -> None:
    segments = segments_of(str(DEMONSTRATION))
    analyst, _ = watched(segments)
    looked, picture = watched(columns([]), batch=1)
    session = looked.begin(0)
    for first in range(0, len(segments.ts), 500):
        looked.add(session, type(segments)(*(column[first : first + 500] for column in segments)))
        looked.look(since_start=first % 1000 == 0)
    assert picture.forgotten == 0
    for since_start in (False, True):
        assert counts_by_end(looked.look(since_start=since_start)) == counts_by_end(
            analyst.look(since_start=since_start)
        )


def test_window_empties_when_time_passes() -> None:
    picture_window = 60
    analyst, _ = watched(columns(handshake()), window=picture_window)
    session = analyst.begin(0)
    assert analyst.look(since_start=False).active == 1
    analyst.pass_time(session, analyst.look(since_start=False).now + 600 * SECOND)
    look = analyst.look(since_start=False)
    assert (look.active, look.window.segments, len(look.ends)) == (0, 0, 0)
    assert look.start.segments == len(handshake())
    assert look.window.seconds <= picture_window
    assert len(analyst.look(since_start=True).ends) == 1


def opened(number: int) -> list[Segment]:
    """Return a conversation of two segments, the first a SYN."""
    port, at = 1024 + number, 10.0 * number
    return [
        Segment(at, CLIENT, "S", 100, client_port=port),
        Segment(at + 1, CLIENT, "A", 101, 1, client_port=port),
    ]


def test_too_many_conversations_are_forgotten_and_counted() -> None:
    described = [segment for number in range(500) for segment in opened(number)]
    segments = columns(described)
    limits = Limits(Timeouts(3600 * SECOND, 240 * SECOND), 100)
    analyst, picture = watched(segments, window=1, most=40, batch=20, limits=limits)
    look = analyst.look(since_start=True)
    assert look.conversations == 500
    assert look.start.segments == len(segments.ts)
    assert analyst.evicted >= 500 - 100
    # Those that go on, and at most as many that are over as the limit says, and as come within a slot of time.
    assert len(look.ends) == 500 - picture.forgotten <= 100 + 40 + 20
    assert {1024 + number for number in range(480, 500)} <= set(look.ends["client_port"].tolist())


def test_a_bad_conversation_outlives_good_ones_in_the_book() -> None:
    bad = [*handshake(), *(Segment(20 + number, CLIENT, "PA", 1001, 5001, 100) for number in range(5))]
    described = [*bad, *(segment for number in range(10, 500) for segment in opened(number))]
    limits = Limits(Timeouts(3600 * SECOND, 240 * SECOND), 50)
    analyst, picture = watched(columns(described), window=1, most=10, batch=20, limits=limits)
    look = analyst.look(since_start=True)
    assert picture.forgotten > 300
    assert counts_by_end(look)[40000, 443][Count.RETRANSMISSIONS] == 4
