"""Each cause, need and place, from the shortest conversation that shows it."""

import pytest

from segwatch.vocabulary import Cause, Needed, Proof
from tests.processors.builder import CLIENT, Segment
from tests.processors.verdicts.talk import NEEDED_AFTER, NEEDED_BEFORE, NO_NEED, SIZE, SPURIOUS, Talk


def test_nothing_is_said_of_data_in_order() -> None:
    talk = Talk()
    talk.warm()
    assert talk.verdicts() == []


def test_fast_retransmit_and_recovery_of_losses_behind_the_sensor() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13, 14, 15)
    for number in range(3):
        talk.ack(at + 16, 10, (12, 13 + number))
    first = talk.send(at + 20, 10)
    second = talk.send(at + 20.1, 11)
    talk.ack(at + 36, 11, (12, 16))
    talk.ack(at + 36.1, 16)
    one, other = talk.verdicts()
    assert one.says == (Cause.FAST_RETRANSMIT, *NEEDED_AFTER)
    assert other.says == (Cause.RECOVERY, *NEEDED_AFTER)
    assert [int(one.row["frame"]), int(other.row["frame"])] == [first, second]
    assert int(one.row["episode"]) == int(other.row["episode"]) == 1
    assert int(one.row["sacked_above"]) == 3 * SIZE
    assert int(one.row["original_frame"]) == 24
    assert int(one.row["stalled"]) == 20_000_000
    assert int(other.row["stalled"]) == 100_000


def test_fast_retransmit_of_a_loss_before_the_sensor() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 11, 12, 13)
    for number in range(3):
        talk.ack(at + 16, 10, (11, 12 + number))
    talk.send(at + 20, 10)
    talk.ack(at + 36, 14)
    verdict = talk.only()
    assert verdict.says == (Cause.FAST_RETRANSMIT, *NEEDED_BEFORE)
    assert Proof.HOLE_SEEN in verdict.proof
    assert Proof.SENT_LATER in verdict.proof


def test_fast_retransmit_without_selective_acknowledgments() -> None:
    talk = Talk(sack=False, stamped=False)
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    for _ in range(3):
        talk.ack(at + 16, 10)
    talk.send(at + 20, 10)
    talk.ack(at + 36, 14)
    verdict = talk.only()
    assert verdict.says == (Cause.FAST_RETRANSMIT, *NEEDED_AFTER)
    assert int(verdict.row["duplicate_acks"]) == 3


@pytest.mark.parametrize("near", [0.1, 4, 60])
def test_timeout_of_the_first_of_several(near: float) -> None:
    """Wherever the sensor is."""
    talk = Talk(near=near)
    at = talk.warm()
    talk.send(at, 10, 11)
    talk.send(at + 300 + near, 10)
    talk.ack(at + 316 + near, 12)
    assert talk.only().says == (Cause.RTO, *NEEDED_AFTER)


def test_timeouts_one_after_the_other() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11)
    talk.send(at + 220, 10)
    talk.send(at + 660, 10)
    talk.ack(at + 676, 11)
    talk.send(at + 680, 11)
    talk.ack(at + 696, 12)
    assert [verdict.cause for verdict in talk.verdicts()] == [Cause.RTO, Cause.RTO, Cause.RECOVERY]
    assert {int(verdict.row["episode"]) for verdict in talk.verdicts()} == {1}


def test_tail_loss_probe_of_the_last_of_several() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12)
    talk.send(at + 48, 12)
    talk.ack(at + 64, 10, (12, 13))
    talk.send(at + 68, 10)
    talk.send(at + 68, 11)
    talk.ack(at + 84, 13)
    probe, first, second = talk.verdicts()
    assert probe.says == (Cause.TAIL_LOSS_PROBE, *NEEDED_AFTER)
    assert first.says == (Cause.FAST_RETRANSMIT, *NEEDED_AFTER)
    assert second.says == (Cause.RECOVERY, *NEEDED_AFTER)
    assert int(probe.row["episode"]) == int(second.row["episode"]) == 1


def test_one_segment_in_flight_is_probed_first() -> None:
    """Linux's probe and its timeout come at the same time; the interval to the next repeat tells them apart."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.send(at + 222, 10)
    talk.send(at + 444, 10)
    talk.ack(at + 460, 11)
    probe, timeout = talk.verdicts()
    assert probe.says == (Cause.TAIL_LOSS_PROBE, *NEEDED_AFTER)
    assert timeout.cause is Cause.RTO
    assert not probe.row["revision"]


def test_an_interval_that_doubles_turns_the_probe_into_a_timeout() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    first = talk.send(at + 222, 10)
    second = talk.send(at + 666, 10)
    talk.ack(at + 682, 11)
    one, other = talk.verdicts()
    assert (one.cause, other.cause) == (Cause.RTO, Cause.RTO)
    assert [int(one.row["frame"]), int(one.row["revision"]), int(one.row["amended_by"])] == [first, 1, second]


def test_without_selective_acknowledgments_there_is_no_probe() -> None:
    talk = Talk(sack=False)
    at = talk.warm()
    talk.send(at, 10)
    talk.send(at + 222, 10)
    talk.ack(at + 240, 11)
    assert talk.only().cause is Cause.RTO


def test_a_repeat_that_was_acknowledged_before_is_spurious() -> None:
    talk = Talk(near=40)
    at = talk.warm()
    talk.send(at, 10, 11)
    talk.ack(at + 16, 12)
    talk.send(at + 300, 10)
    verdict = talk.only()
    assert (verdict.needed, verdict.place) == SPURIOUS
    assert Proof.ACKED_BEFORE in verdict.proof
    assert verdict.row["stalled"] == 0


def test_a_repeat_that_was_acknowledged_selectively_is_spurious() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12)
    talk.ack(at + 16, 10, (11, 13))
    talk.send(at + 20, 10)
    talk.send(at + 20, 11)
    assert [verdict.needed for verdict in talk.verdicts()] == [Needed.NEEDED, Needed.SPURIOUS]


def test_a_reported_duplicate_amends() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11)
    talk.send(at + 240, 10)
    report = talk.ack(at + 256, 12, (10, 11))
    verdict = talk.only()
    assert verdict.says == (Cause.RTO, *SPURIOUS)
    assert Proof.DSACK in verdict.proof
    assert [int(verdict.row["revision"]), int(verdict.row["amended_by"])] == [1, report]
    assert verdict.row["stalled"] == 0


def test_of_two_repeats_the_report_is_about_the_last() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11)
    talk.send(at + 240, 10)
    talk.send(at + 700, 10)
    talk.ack(at + 716, 12)
    talk.ack(at + 716.1, 12, (10, 11))
    assert [verdict.needed for verdict in talk.verdicts()] == [Needed.NEEDED, Needed.SPURIOUS]


def test_an_answer_that_comes_too_soon_amends() -> None:
    talk = Talk(stamped=False)
    at = talk.warm()
    talk.send(at, 10, 11)
    talk.send(at + 240, 10)
    talk.ack(at + 242, 12)
    verdict = talk.only()
    assert verdict.says == (Cause.RTO, *SPURIOUS)
    assert Proof.ACKED_EARLY in verdict.proof


def test_an_echo_of_the_original_amends() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11)
    original = talk.segments[-2].tsval
    talk.send(at + 240, 10)
    talk.ack(at + 258, 11, tsecr=original)
    verdict = talk.only()
    assert verdict.says == (Cause.RTO, *SPURIOUS)
    assert Proof.EIFEL in verdict.proof


def test_an_echo_of_the_repeat_does_not() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11)
    talk.send(at + 240, 10)
    talk.ack(at + 258, 11, tsecr=talk.segments[-1].tsval)
    assert talk.only().says == (Cause.RTO, *NEEDED_AFTER)


@pytest.mark.parametrize(("stamped", "numbered"), [(True, True), (True, False), (False, True), (False, False)])
def test_a_late_segment(*, stamped: bool, numbered: bool) -> None:
    """By its timestamp, its IP ID, or because a repeat could not have come yet."""
    talk = Talk(stamped=stamped, numbered=numbered)
    at = talk.warm()
    talk.send(at, 10)
    late = talk.segments.pop()
    talk.send(at + 2, 11, 12)
    talk.ack(at + 18, 10, (11, 13))
    talk.send(at + 17, 10, tsval=late.tsval, ip_id=late.ip_id)
    talk.ack(at + 36, 13)
    verdict = talk.only()
    assert verdict.says == (Cause.REORDERING, *NO_NEED)
    assert verdict.row["stalled"] == 15_000_000
    assert verdict.row["bytes_again"] == 0


def test_an_original_after_its_repeat_amends() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    original = talk.segments.pop()
    talk.send(at + 2, 11, 12, 13)
    talk.ack(at + 18, 10, (11, 14))
    talk.send(at + 22, 10)
    talk.send(at + 30, 10, tsval=original.tsval, ip_id=original.ip_id)
    repeat, late = talk.verdicts()
    assert repeat.says == (Cause.FAST_RETRANSMIT, *SPURIOUS)
    assert Proof.LATE_ORIGINAL in repeat.proof
    assert late.cause is Cause.REORDERING


def test_syn_retries() -> None:
    talk = Talk()
    first, answer, *rest = talk.segments
    syn = Segment(1000, CLIENT, "S", first.seq, ip_id=150, tsval=first.tsval + 1000, quality=first.quality)
    talk.segments = [
        first,
        syn,
        *(Segment(**{**vars(one), "at": one.at + 1000, "tsecr": syn.tsval}) for one in (answer, *rest)),
    ]
    assert talk.only().says == (Cause.SYN_RETRY, *NEEDED_AFTER)


def test_probes_of_a_closed_window() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.ack(at + 16, 11, window=0)
    below = talk.segments[-1].ack - 1
    for probe in (300, 800):
        talk.probe(at + probe, below)
        talk.ack(at + probe + 16, 11, window=0)
    talk.ack(at + 1000, 11)
    assert [verdict.says for verdict in talk.verdicts()] == [(Cause.ZERO_WINDOW_PROBE, *NO_NEED)] * 2


def test_probes_with_a_byte_beyond_the_window() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.ack(at + 16, 11, window=0)
    beyond = talk.segments[-1].ack
    for probe in (300, 800):
        talk.probe(at + probe, beyond, length=1)
        talk.ack(at + probe + 16, 11, window=0)
    talk.ack(at + 1000, 11)
    talk.send(at + 1001, 11)
    talk.ack(at + 1017, 12)
    assert [verdict.cause for verdict in talk.verdicts()] == [Cause.ZERO_WINDOW_PROBE] * 2


def test_keep_alives() -> None:
    talk = Talk()
    at = talk.warm()
    below = talk.segments[-1].ack - 1
    for probe in (2000, 3000):
        talk.probe(at + probe, below)
        talk.ack(at + probe + 16, 10)
    assert [verdict.says for verdict in talk.verdicts()] == [(Cause.KEEP_ALIVE, *NO_NEED)] * 2


def test_a_conversation_seen_one_way_says_what_it_can() -> None:
    talk = Talk()
    talk.segments = []
    talk.send(0, 0, 1, 2)
    talk.send(300, 0)
    verdict = talk.only()
    assert verdict.says == (Cause.RTO, *NO_NEED)
    assert verdict.row["confidence"] < 0.7
