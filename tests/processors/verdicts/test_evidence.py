"""What echoes, clocks and the time since the original tell of repeats."""

import pytest

from segwatch.vocabulary import Cause, Needed, Place, Proof
from tests.processors.verdicts.talk import SIZE, SPURIOUS, Talk


def test_a_probe_of_the_last_segment_was_not_needed_if_an_older_timestamp_is_echoed() -> None:
    """Though acknowledgments of what was sent before it were lost: they were due long before."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12)
    talk.send(at + 48, 12)
    told = talk.ack(at + 64, 13, tsecr=round(at) + 7000)
    verdict = talk.only()
    assert verdict.says == (Cause.TAIL_LOSS_PROBE, *SPURIOUS)
    assert Proof.EIFEL in verdict.proof
    assert int(verdict.row["amended_by"]) == told


def test_a_probe_that_came_before_a_delayed_acknowledgment_may_have_been_needed() -> None:
    talk = Talk(near=2, far=6)
    at = talk.warm()
    talk.send(at, 10, 11, 12)
    talk.send(at + 20, 12)
    talk.ack(at + 26, 13, tsecr=round(at) + 7000)
    assert talk.only().says == (Cause.TAIL_LOSS_PROBE, Needed.NEEDED, Place.AFTER_SENSOR)


def _went_back() -> Talk:
    """Return a conversation whose sender goes back to the first loss, and sends all behind it again."""
    talk = Talk(stamped=False, numbered=False)
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    talk.send(at + 15, 14)
    for number in range(3):
        talk.ack(at + 16, 10, (11, 12 + number))
    talk.send(at + 20, 10, 14)
    talk.ack(at + 36, 15)
    return talk


def test_what_is_sent_again_within_a_round_trip_was_not_known_to_be_lost() -> None:
    first, second = _went_back().verdicts()
    assert first.says == (Cause.FAST_RETRANSMIT, Needed.NEEDED, Place.AFTER_SENSOR)
    assert second.says == (Cause.RECOVERY, Needed.UNKNOWN, Place.UNKNOWN)


@pytest.mark.parametrize("sack", [True, False])
def test_what_a_timeout_sends_again_behind_the_first_loss_was_not_known_to_be_lost(*, sack: bool) -> None:
    """Without selective acknowledgments; the first one after it covers two, of which the second may have been there."""
    talk = Talk(sack=sack)
    at = talk.warm()
    talk.send(at, 10, 11, 12)
    talk.send(at + 240, 10)
    talk.ack(at + 256, 11)
    talk.send(at + 260, 11, 12)
    talk.ack(at + 276, 13)
    verdicts = talk.verdicts()
    assert [verdict.cause for verdict in verdicts] == [Cause.RTO, Cause.RECOVERY, Cause.RECOVERY]
    needed = [verdict.needed for verdict in verdicts]
    assert needed == [Needed.NEEDED, Needed.NEEDED, Needed.NEEDED if sack else Needed.UNKNOWN]


def test_a_sender_that_has_heard_that_its_repeat_was_spurious_retransmits_fast_anew() -> None:
    """Its echo says that it has, however short ago the acknowledgment passed."""
    talk = Talk(near=0.1, sack=False)
    at = talk.warm()
    talk.send(at, *range(10, 20))
    for number in range(3):
        talk.ack(at + 16 + number / 10, 10)
    talk.send(at + 16.4, 10)
    talk.ack(at + 18, 15, tsecr=round(at) + 7000)
    talk.send(at + 18.3, 15)
    talk.ack(at + 34, 20)
    first, second = talk.verdicts()
    assert first.says == (Cause.FAST_RETRANSMIT, *SPURIOUS)
    assert second.cause is Cause.FAST_RETRANSMIT
    assert int(second.row["episode"]) == 2


def test_the_first_segment_in_flight_comes_late() -> None:
    """Though nothing before it is remembered any more."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, *range(11, 20))
    for number in range(3):
        talk.ack(at + 1 + number, 10, (11, 18 + number))
    talk.send(at + 4, 10, tsval=round(at) + 6999)
    talk.ack(at + 20, 20)
    verdict = talk.only()
    assert verdict.cause is Cause.REORDERING
    assert Proof.HOLE_SEEN in verdict.proof


def test_the_clock_of_a_sender_tells_though_all_of_its_window_was_held_up() -> None:
    """One flight a round trip of 30 ms after the other by its clock; the second passes 350 ms late, with a repeat."""
    talk = Talk(near=26, far=4)
    at = 100.0
    for flight in range(3):
        talk.send(at, *range(9 * flight, 9 * flight + 9))
        talk.ack(at + 4, 9 * flight + 9)
        at += 30
    late = at + 350
    sent = {"tsval": round(at) + 7000, "tsecr": talk.segments[-1].tsval}
    talk.send(late, *range(27, 36), **sent)
    repeat = talk.send(late + 0.1, 27, **sent | {"tsval": round(at) + 7240})
    talk.ack(late + 4, 36, tsecr=sent["tsval"])
    verdict = talk.only()
    assert int(verdict.row["frame"]) == repeat
    assert verdict.says == (Cause.RTO, *SPURIOUS)
    assert int(verdict.row["silence"]) == 240_000_000


def test_bytes_of_a_guess_count_as_sent_again() -> None:
    assert [int(verdict.row["bytes_again"]) for verdict in _went_back().verdicts()] == [SIZE, SIZE]


@pytest.mark.parametrize("acknowledged", [True, False])
def test_a_number_that_nothing_asked_for_is_missing_before_a_late_timer(*, acknowledged: bool) -> None:
    """Its sender takes its timeout to be 1.7 s; the answer that came in the meantime had been acknowledged, or not."""
    talk = Talk()
    at = talk.warm(180)
    talk.answer(at, 180)
    if acknowledged:
        talk.take(at + 4, 1)
    talk.lose()
    talk.send(at + 1700, 180, flags="FA", length=0)
    causes = [verdict.says for verdict in talk.verdicts()]
    repeat = (Cause.TAIL_LOSS_PROBE, Needed.NEEDED, Place.BEFORE_SENSOR)
    assert causes == ([repeat] if acknowledged else [])


def test_a_probe_before_a_spurious_timeout_may_not_have_been_needed() -> None:
    """The acknowledgments were late: that of what was probed may come with those of what was sent after it."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12)
    talk.send(at + 48, 12)
    talk.send(at + 268, 10)
    talk.ack(at + 280, 11, tsecr=round(at) + 7000)
    talk.ack(at + 281, 12, tsecr=round(at) + 7000)
    talk.send(at + 284, 13)
    talk.ack(at + 300, 14)
    probe, timeout = talk.verdicts()
    assert probe.says == (Cause.TAIL_LOSS_PROBE, Needed.UNKNOWN, Place.UNKNOWN)
    assert timeout.says == (Cause.RTO, *SPURIOUS)


@pytest.mark.parametrize(
    ("pause", "lost", "sack", "repeats"),
    [(15, 1, True, False), (30, 1, True, True), (60, 2, True, False), (60, 1, False, False)],
)
def test_no_timer_is_shorter_than_a_round_trip_where_nothing_is_reported(
    pause: float, lost: int, *, sack: bool, repeats: bool
) -> None:
    """Numbers are missing, and all that passed was acknowledged: what is missing may only be late.

    Only a probe is as short: that is of one packet, and of a sender with selective acknowledgments.
    """
    talk = Talk(sack=sack)
    at = talk.warm()
    for _ in range(lost):
        talk.lose()
    talk.send(at + pause, 10)
    talk.ack(at + pause + 16, 11)
    assert [verdict.cause for verdict in talk.verdicts()] == ([Cause.TAIL_LOSS_PROBE] if repeats else [])
