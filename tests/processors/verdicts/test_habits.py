"""What a sender does later in its conversation tells what it did before: probes, timeouts, going back."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from segwatch.vocabulary import Cause, Needed, Place, Proof
from tests.processors.verdicts.talk import SIZE, Talk, Verdict

_FIRST = 18
"""The segment that is the only one in flight."""


def _after_many(**more: bool) -> tuple[Talk, float]:
    """Return a conversation whose client had eight segments in flight, and the time when they are acknowledged."""
    talk = Talk(**more)
    at = talk.warm()
    talk.send(at, *range(10, _FIRST))
    talk.ack(at + 16, _FIRST)
    return talk, at + 40


def _fly(talk: Talk, at: float, *numbers: int) -> int:
    """Send segments at once, let the first be acknowledged, and send one more; return its frame."""
    talk.send(at, *numbers)
    talk.ack(at + 16, numbers[1])
    return talk.send(at + 20, numbers[-1] + 1)


def _causes(verdicts: Sequence[Verdict]) -> list[Cause]:
    return [verdict.cause for verdict in verdicts]


def test_two_segments_that_wait_for_an_acknowledgment_follow_a_timeout() -> None:
    talk, at = _after_many()
    repeat = talk.repeat_alone(at, 18)
    told = _fly(talk, at + 260, 19, 20)
    verdict = talk.only()
    assert verdict.says == (Cause.RTO, Needed.NEEDED, Place.AFTER_SENSOR)
    assert Proof.HABIT in verdict.proof
    assert [int(verdict.row[name]) for name in ("frame", "revision", "amended_by")] == [repeat, 1, told]
    assert verdict.row["confidence"] > 0.85


@pytest.mark.parametrize("beside", [False, True], ids=["three at once", "beside the repeat"])
def test_more_than_a_timeout_allows_follows_a_probe(beside: bool) -> None:
    """So a later repeat, of which nothing else tells, is a probe for sure."""
    talk, at = _after_many()
    if beside:
        talk.send(at, 18)
        talk.send(at + 222, 18)
        talk.send(at + 223, 19, 20, 21)
        talk.ack(at + 239, 22)
    else:
        talk.repeat_alone(at, 18)
        talk.send(at + 260, 19, 20, 21)
        talk.ack(at + 276, 22)
    talk.repeat_alone(at + 400, 22)
    first, second = talk.verdicts()
    assert _causes([first, second]) == [Cause.TAIL_LOSS_PROBE, Cause.TAIL_LOSS_PROBE]
    assert not first.row["revision"]
    assert Proof.HABIT in second.proof
    assert second.row["confidence"] > first.row["confidence"]


def test_a_sender_that_has_lost_nothing_before_had_room_for_many() -> None:
    talk = Talk()
    at = talk.warm(18) + 40
    talk.repeat_alone(at, 18)
    _fly(talk, at + 260, 19, 20)
    assert talk.only().cause is Cause.RTO


def _after_a_loss() -> tuple[Talk, int]:
    """Return a talk in which a loss was repaired, then a tail repeated alone; after it two segments passed."""
    talk = Talk()
    at = talk.warm(18)
    talk.send(at, 18, 19, 20, 21)
    talk.ack(at + 16, 18, (19, 22))
    talk.send(at + 20, 18)
    talk.ack(at + 36, 22)
    talk.repeat_alone(at + 60, 22)
    _fly(talk, at + 320, 23, 24)
    return talk, at


def test_after_losses_few_in_flight_may_be_all_that_there_was_room_for() -> None:
    talk, _ = _after_a_loss()
    assert _causes(talk.verdicts()) == [Cause.FAST_RETRANSMIT, Cause.TAIL_LOSS_PROBE]


def test_four_segments_that_follow_on_two_tell_of_a_slow_start() -> None:
    """However few there were before: after a probe a sender would have sent one more."""
    talk, at = _after_a_loss()
    told = talk.send(at + 341, 26, 27, 28)
    _, second = talk.verdicts()
    assert second.cause is Cause.RTO
    assert int(second.row["amended_by"]) == told


def test_a_short_segment_may_have_waited_for_the_acknowledgment_itself() -> None:
    talk, at = _after_many()
    talk.repeat_alone(at, 18)
    _fly(talk, at + 260, 19, 20)
    talk.segments[-1] = replace(talk.segments[-1], length=SIZE // 2)
    assert talk.only().cause is Cause.TAIL_LOSS_PROBE


def test_one_segment_tells_nothing() -> None:
    talk, at = _after_many()
    talk.repeat_alone(at, 18)
    talk.send(at + 260, 19)
    talk.ack(at + 276, 20)
    talk.send(at + 280, 20)
    assert talk.only().cause is Cause.TAIL_LOSS_PROBE


@pytest.mark.parametrize("probed", [False, True])
def test_a_timeout_before_a_hole_that_no_probe_preceded(*, probed: bool) -> None:
    """The original did not pass; identifications tell whether a probe was sent, and lost before the sensor, too."""
    talk = Talk()
    at = talk.warm()
    talk.repeat_alone(at, 10)
    talk.send(at + 260, 11)
    talk.ack(at + 276, 12)
    at += 500
    talk.lose()  # segment 12
    talk.send(at, 13)
    if probed:
        talk.lose()
    talk.send(at + 240, 12)
    talk.ack(at + 256, 14)
    first, second = talk.verdicts()
    assert first.cause is (Cause.TAIL_LOSS_PROBE if probed else Cause.RTO)
    assert second.says == (Cause.RTO, Needed.NEEDED, Place.BEFORE_SENSOR)


def test_two_segments_that_wait_for_an_answer_tell_nothing() -> None:
    talk, at = _after_many()
    talk.repeat_alone(at, 18)
    talk.send(at + 260, 19, 20, flags="PA")
    talk.answer(at + 276, 21)
    talk.send(at + 280, 21)
    assert talk.only().cause is Cause.TAIL_LOSS_PROBE


def test_what_is_learnt_decides_all_that_was_open() -> None:
    """Long after nothing else can amend it."""
    talk = Talk()
    at = talk.warm() + 40
    first = talk.repeat_alone(at, 10)
    for number in range(11, 20):
        talk.send(at + 200 * number, number)
        talk.ack(at + 200 * number + 16, number + 1)
    second = talk.repeat_alone(at + 6000, 20)
    talk.send(at + 6500, 21)
    talk.ack(at + 6516, 22)
    talk.send(at + 7000, 22)
    talk.send(at + 7222, 22)
    told = talk.send(at + 7666, 22)
    talk.ack(at + 7682, 23)
    one, other, third, last = talk.verdicts()
    assert _causes([one, other, third, last]) == [Cause.RTO] * 4
    assert [int(verdict.row["amended_by"]) for verdict in (one, other, third)] == [told] * 3
    assert [int(one.row["frame"]), int(other.row["frame"])] == [first, second]
    assert Proof.HABIT in one.proof & other.proof
    assert Proof.NEXT_INTERVAL in third.proof


def test_the_first_timer_is_a_probe_however_late() -> None:
    """IP identifications show that nothing was sent between the two: its sender takes the round trip to be longer."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.send(at + 700, 10)
    talk.ack(at + 716, 11)
    assert talk.only().cause is Cause.TAIL_LOSS_PROBE


def test_a_late_repeat_after_another_one_that_did_not_pass_is_a_timeout() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.lose()
    talk.send(at + 700, 10)
    talk.ack(at + 716, 11)
    assert talk.only().cause is Cause.RTO


def test_a_sender_that_goes_back_retransmits_fast_each_time() -> None:
    """It sends again what had been acknowledged selectively; so it starts over at each third duplicate ACK."""
    talk = Talk(stamped=False, numbered=False)
    at = talk.warm()
    talk.send(at, *range(10, 20))
    for number in range(3):
        talk.ack(at + 16, 10, (11, 13 + number))
    talk.send(at + 20, *range(10, 20))
    for number in range(3):
        talk.ack(at + 36 + number / 10, 12, (13, 17 + number))
    talk.send(at + 41, *range(12, 20))
    talk.ack(at + 57, 20)
    fast = [int(verdict.row["seq"]) for verdict in talk.verdicts() if verdict.cause is Cause.FAST_RETRANSMIT]
    assert fast == [1001 + SIZE * 10, 1001 + SIZE * 12]
    assert {verdict.cause for verdict in talk.verdicts()} == {Cause.FAST_RETRANSMIT, Cause.RECOVERY}


def test_a_sender_that_heeds_selective_acknowledgments_recovers_what_it_lost_twice() -> None:
    talk = Talk(stamped=False, numbered=False)
    at = talk.warm()
    talk.send(at, *range(10, 20))
    for number in range(3):
        talk.ack(at + 16, 10, (12, 15 + number))
    talk.send(at + 20, 10, 11)
    talk.ack(at + 36, 10, (11, 20))
    talk.send(at + 41, 10)
    talk.ack(at + 57, 20)
    assert _causes(talk.verdicts()) == [Cause.FAST_RETRANSMIT, Cause.RECOVERY, Cause.RECOVERY]


@pytest.mark.parametrize("wait", [0, 45], ids=["with the others", "a probe"])
def test_a_probe_may_have_sent_new_data(wait: float) -> None:
    """Before a timeout with several segments in flight, the last of them went alone, after a silence.

    Its client was slow to complete the handshake: so that is less than what is taken for a round trip.
    """
    talk = Talk(near=40, far=0.2)
    at = talk.warm()
    heard = talk.segments[-1].tsval
    talk.send(at, 10, 11, 12, tsecr=heard)
    talk.send(at + wait, 13, tsecr=heard)
    talk.send(at + wait + 225, 10)
    talk.ack(at + wait + 241, 14)
    talk.repeat_alone(at + 500, 14)
    assert _causes(talk.verdicts()) == [Cause.RTO, Cause.TAIL_LOSS_PROBE if wait else Cause.RTO]


@pytest.mark.parametrize(
    ("missing", "since", "cause"), [(1, 0, Cause.TAIL_LOSS_PROBE), (2, 0, Cause.RTO), (1, 1, Cause.RTO)]
)
def test_an_answer_that_two_timers_have_sent_again(missing: int, since: int, cause: Cause) -> None:
    """What the server asked had come before it asked again, as the client reports; so its answer went then."""
    talk = Talk()
    at = talk.warm() + 100
    talk.answer(at, 10)
    for _ in range(missing):
        talk.lose()  # the answer, and a repeat of it
    talk.answer(at + 240, 10)
    asked = talk.segments[-1]
    after = {"ack": asked.seq + SIZE, "tsecr": asked.tsval}
    talk.probe(at + 244, talk.segments[0].seq + 1 + SIZE * 11)
    talk.segments[-1] = replace(talk.segments[-1], sack=(asked.seq, asked.seq + SIZE), **after)
    for _ in range(since):
        talk.lose()  # another repeat, just behind that
    talk.send(at + 460, 10)
    talk.segments[-1] = replace(talk.segments[-1], **after)
    assert talk.verdicts()[-1].cause is cause


@pytest.mark.parametrize("number", [244, 245], ids=["in the same tick", "later"])
def test_what_was_claimed_comes_right_behind_the_claim(number: int) -> None:
    """The answer's timer and the peer's ran as long: its repeat went just after the peer's was acknowledged again."""
    talk = Talk()
    at = talk.warm() + 100
    talk.answer(at, 10)
    talk.lose()
    talk.answer(at + 240, 10)
    asked = talk.segments[-1]
    talk.probe(at + 244, talk.segments[0].seq + 1 + SIZE * 11)
    after = {"ack": asked.seq + SIZE, "tsecr": asked.tsval}
    talk.segments[-1] = replace(talk.segments[-1], sack=(asked.seq, asked.seq + SIZE), **after)
    talk.send(at + number + 0.1, 10)
    talk.segments[-1] = replace(talk.segments[-1], **after)
    assert talk.verdicts()[-1].says == (Cause.TAIL_LOSS_PROBE, Needed.NEEDED, Place.BEFORE_SENSOR)
