"""How segments are cut into batches, and whether state was read back between them, changes no verdict."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from segwatch.records.verdicts import VERDICT
from segwatch.vocabulary import CAUSE_NAMES, NEEDED_NAMES, PLACE_NAMES, Cause, Quality
from tests.processors.builder import CLIENT, SERVER, Segment, columns, hostile_segments
from tests.processors.verdicts.talk import Talk, judged, troubled_segments


@settings(deadline=None, max_examples=80)
@given(st.one_of(hostile_segments(30), troubled_segments()), st.data())
def test_cuts_change_nothing(described: list[Segment], data: st.DataObject) -> None:
    segments = columns(described)
    rows = len(described)
    whole = judged(segments)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, rows - 1)), max_size=rows))) if rows > 1 else []
    for some_cuts, read_back in ((cuts, False), (list(range(1, rows)), True)):
        parts = judged(segments, some_cuts, read_back=read_back)
        for name in VERDICT.names or ():
            assert np.array_equal(whole[name], parts[name]), name


@settings(deadline=None, max_examples=100)
@given(st.one_of(hostile_segments(30), troubled_segments()))
def test_every_row_makes_sense(described: list[Segment]) -> None:
    verdicts = judged(columns(described))
    frames = {row + 1 for row in range(len(described))}
    assert set(verdicts["frame"].tolist()) <= frames
    assert (verdicts["cause"] < len(CAUSE_NAMES)).all()
    assert (verdicts["needed"] < len(NEEDED_NAMES)).all()
    assert (verdicts["place"] < len(PLACE_NAMES)).all()
    assert ((verdicts["confidence"] > 0) & (verdicts["confidence"] <= 1)).all()
    assert (verdicts["stalled"] >= 0).all()
    assert ((verdicts["place"] == 0) | (verdicts["needed"] == 1)).all()
    keys = [tuple(row) for row in verdicts[["stream", "frame", "from_client", "seq", "revision"]].tolist()]
    assert len(set(keys)) == len(keys)
    assert {key[:4] for key in keys if key[4]} <= {key[:4] for key in keys if not key[4]}


def test_a_probe_has_no_other_verdict() -> None:
    """A byte against a closed window, though packets of its sender are missing and more repeats are expected."""
    described = [
        Segment(0, CLIENT, "S", 1000, quality=int(Quality.SACK_PERMITTED)),
        Segment(1, SERVER, "SA", 5000, 1001, quality=int(Quality.SACK_PERMITTED)),
        Segment(2, SERVER, "A", 5001, 1001, window=0),
        Segment(3, CLIENT, "A", 1001, 5001, ip_id=1),
        Segment(4, CLIENT, "A", 901, 5001, 1, ip_id=3),
        *(Segment(5, CLIENT, "A", 1001, 5001) for _ in range(3)),
        Segment(5, CLIENT, "A", 1001, 5001, 1),
    ]
    verdicts = judged(columns(described))
    assert [Cause(int(cause)) for cause in verdicts["cause"][verdicts["frame"] == 9]] == [Cause.ZERO_WINDOW_PROBE]


def test_memory_grows_in_the_middle_of_a_batch() -> None:
    """More conversations in trouble in one batch than there is room for at first, and the same a few rows at a time."""
    described = [
        Segment(at=row * 0.01, sender="client", flags="PA", seq=1 + 100 * (row // 1200 % 3), ack=1, length=100,
                client_port=1024 + row % 1200)
        for row in range(6000)
    ]  # fmt: skip
    segments = columns(described)
    whole = judged(segments)
    parts = judged(segments, list(range(1, 6000, 17)))
    assert len(whole) == 2400
    for name in VERDICT.names or ():
        assert np.array_equal(whole[name], parts[name]), name


def test_a_reset_is_judged_by_its_own_conversation_however_segments_are_cut() -> None:
    """The peer's last segment before it was held up, as its clock tells; what was judged before tells nothing."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12)
    talk.ack(at + 16, 10, (11, 13))
    talk.send(at + 20, 10)
    talk.ack(at + 36, 13)
    talk.reset(at + 1000, 13, tsval=round(at) + 7300)
    segments = columns(talk.segments)
    whole = judged(segments)
    assert int(whole["silence"][-1]) > 0
    assert np.array_equal(whole, judged(segments, [len(segments.ts) - 1], read_back=True))
