"""Timeouts and probes told apart by silence, identifications and what comes after."""

import pytest

from segwatch.vocabulary import Cause, Needed, Place, Proof
from tests.processors.builder import Segment
from tests.processors.verdicts.talk import NEEDED_BEFORE, NO_NEED, SIZE, SPURIOUS, Talk


def test_a_timer_that_went_off_while_its_segments_were_held_up() -> None:
    """At the receiver they come all at once: no acknowledgment can have released the repeats in between."""
    talk = Talk(near=20, far=0.2, stamped=False)
    at = talk.warm()
    talk.send(at + 300, 10, 11, 12)
    talk.send(at + 300.1, 12)
    talk.ack(at + 300.2, 13)
    talk.ack(at + 300.3, 13, (12, 13))
    assert talk.only().says == (Cause.TAIL_LOSS_PROBE, *SPURIOUS)


def test_reports_that_were_settled_just_before_released_a_repeat() -> None:
    talk = Talk(near=16)
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    for number in range(3):
        talk.ack(at + 16, 10, (11, 12 + number))
    talk.ack(at + 17, 14)
    talk.send(at + 32, 10)
    assert talk.only().says == (Cause.FAST_RETRANSMIT, *SPURIOUS)


def test_what_is_sent_in_between_tells_the_network_from_the_capture() -> None:
    talk = Talk(sack=False)
    at = talk.warm()
    talk.send(at, 10)
    twin = talk.segments[-1]
    talk.send(at + 0.01, 11)
    talk.send(at + 0.02, 10, tsval=twin.tsval, ip_id=twin.ip_id)
    talk.ack(at + 16, 12)
    assert talk.only().says == (Cause.NETWORK_DUPLICATE, *NO_NEED)


def test_no_probe_waits_that_long() -> None:
    """One segment in flight; a probe comes two round trips and 200 ms after it at the latest (RFC 8985 section 7.2)."""
    talk = Talk(numbered=False)
    at = talk.warm()
    talk.send(at, 10)
    talk.send(at + 1000, 10)
    talk.ack(at + 1016, 11)
    assert talk.only().cause is Cause.RTO


def test_without_timestamps_and_selective_acknowledgments_nothing_tells_whether_a_timeout_was_needed() -> None:
    talk = Talk(sack=False, stamped=False)
    at = talk.warm()
    talk.send(at, 10, 11)
    talk.send(at + 300, 10)
    talk.ack(at + 316, 12)
    assert talk.only().says == (Cause.RTO, *NO_NEED)


@pytest.mark.parametrize("repeated", [False, True])
def test_an_answer_to_a_syn_a_second_later_was_sent_before(*, repeated: bool) -> None:
    """Where the SYN was repeated, the echo of the first one's timestamp tells. Or the trip is as long: a guess."""
    talk = Talk()
    syn, answer, *rest = talk.segments
    late = [Segment(**{**vars(one), "at": one.at + 1010}) for one in (answer, *rest)]
    again = Segment(**{**vars(syn), "at": 1000, "tsval": syn.tsval + 1000, "ip_id": syn.ip_id + 1})
    talk.segments = [syn, *([again] if repeated else []), *late]
    last = talk.verdicts()[-1]
    assert last.says == (Cause.SYN_RETRY, *NO_NEED)
    assert last.row["confidence"] == 0.5
    assert last.row["stalled"] == 1_026_000_000
    assert not last.row["from_client"]


@pytest.mark.parametrize("last_id", [100, 0x9000])
def test_a_repeat_of_a_tail_that_never_passed(last_id: int) -> None:
    """Only the missing IP ID tells; Linux gives 0 to a SYN/ACK, from which on half of all IDs look like older ones."""
    talk = Talk(last_id=last_id)
    at = talk.warm()
    talk.lose()
    frame = talk.send(at + 225, 10)
    talk.ack(at + 241, 11)
    verdict = talk.only()
    assert verdict.row["frame"] == frame
    assert verdict.says == (Cause.TAIL_LOSS_PROBE, Needed.NEEDED, Place.BEFORE_SENSOR)
    assert Proof.ID_MISSING in verdict.proof


def test_a_repeat_of_a_tail_of_several_that_never_passed() -> None:
    """The gap before the last, short segment was one full segment, so one number more is missing than it took."""
    talk = Talk()
    at = talk.warm()
    talk.lose()  # segment 10
    talk.lose()  # segment 11, short
    frame = talk.send(at + 44, 11, length=SIZE // 4)
    verdict = talk.only()
    assert verdict.row["frame"] == frame
    assert verdict.says == (Cause.TAIL_LOSS_PROBE, *NEEDED_BEFORE)


@pytest.mark.parametrize(("lost", "silence", "found"), [(2, 670, True), (2, 320, False), (1, 670, False)])
def test_several_timers_ran_out_if_as_many_numbers_are_missing(lost: int, silence: float, *, found: bool) -> None:
    """The first at 220 ms, the next twice as long behind it; what the peer sent in between may have been answered."""
    talk = Talk()
    at = talk.warm()
    talk.answer(at, 10)
    for _ in range(lost):
        talk.lose()
    talk.send(at + silence, 10)
    assert bool(talk.verdicts()) is found


@pytest.mark.parametrize("answered", [True, False])
def test_a_further_repeat_of_a_tail_that_never_passed(*, answered: bool) -> None:
    """All that passed is acknowledged, but a number was missing: the episode goes on until the peer answers."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    talk.lose()
    talk.ack(at + 16, 10, (11, 14))
    first = talk.send(at + 20, 10)
    talk.ack(at + 36, 14)
    if answered:
        talk.answer(at + 37, 14)
    frame = talk.send(at + 41, 14)
    said = [(verdict.row["frame"], verdict.cause) for verdict in talk.verdicts()]
    assert said == [(first, Cause.FAST_RETRANSMIT)] + [(frame, Cause.RECOVERY)] * (not answered)


def test_a_second_probe_is_no_timeout_where_the_silence_is_too_short_for_one() -> None:
    """The acknowledgment that ends the first probe's episode had not reached the sender yet."""
    talk = Talk(near=10, far=10)
    at = talk.warm()
    talk.send(at, 10, 11)
    talk.ack(at + 48, 12)
    talk.send(at + 50, 11)
    talk.send(at + 58, 12, 13)
    talk.ack(at + 106, 14)
    talk.send(at + 108, 13)
    assert [verdict.cause for verdict in talk.verdicts()] == [Cause.TAIL_LOSS_PROBE] * 2


def test_a_repeat_ends_the_silence_before_the_next() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12)
    talk.send(at + 221, 10)
    talk.send(at + 222, 11)
    assert [verdict.row["silence"] for verdict in talk.verdicts()] == [221_000_000, 1_000_000]


@pytest.mark.parametrize(("probed", "cause"), [(False, Cause.RTO), (True, Cause.TAIL_LOSS_PROBE)])
def test_a_timeout_tells_that_there_are_no_probes_only_if_none_can_be_missing(*, probed: bool, cause: Cause) -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12)
    if probed:
        talk.lose()
    talk.send(at + 221, 10)
    talk.ack(at + 237, 13)
    talk.send(at + 300, 13)
    talk.send(at + 525, 13)
    assert [verdict.cause for verdict in talk.verdicts()] == [Cause.RTO, cause]


@pytest.mark.parametrize("step", [1, 3])
def test_a_host_that_numbers_the_packets_of_all_its_connections_lacks_none(step: int) -> None:
    """One counter for all: others count it up while this connection is silent, or all the time."""
    talk = Talk()
    for number in range(12):
        for _ in range(step - 1 if number % 2 else 5):
            talk.lose()
        talk.send(100 + 400 * number, number)
        talk.ack(116 + 400 * number, number + 1)
    assert talk.verdicts() == []


@pytest.mark.parametrize("stamped", [True, False])
def test_what_comes_far_sooner_than_a_timeout_is_none(*, stamped: bool) -> None:
    """As after an ICMP message that a packet was too large: nothing else released it, and no timer is as short."""
    talk = Talk(stamped=stamped)
    at = talk.warm()
    talk.send(at, 10, 11)
    talk.send(at + 14, 10)
    talk.ack(at + 30, 12)
    verdict = talk.only()
    assert verdict.cause is Cause.UNKNOWN
    assert verdict.row["confidence"] < 0.4


def test_duplicate_acks_do_not_restart_a_timer() -> None:
    """The repeat was lost, too; acknowledgments of what was sent behind it came until just before the timeout."""
    talk = Talk(sack=False)
    at = talk.warm()
    talk.send(at, *range(10, 20))
    for number in range(9):
        talk.ack(at + 16 + number / 10, 10)
    talk.send(at + 21, 10)
    talk.ack(at + 200, 10)
    talk.send(at + 245, 10)
    talk.ack(at + 261, 20)
    assert [verdict.cause for verdict in talk.verdicts()] == [Cause.FAST_RETRANSMIT, Cause.RTO]


def test_what_is_sent_again_though_it_was_acknowledged_belongs_to_the_episode_before() -> None:
    """The acknowledgment of the probe was lost behind the sensor, as the sender's echo of older ones tells."""
    talk = Talk(near=20, far=0.2)
    at = talk.warm()
    talk.send(at, 10)
    probe = talk.send(at + 225, 10)
    heard = talk.segments[-1].tsecr
    talk.ack(at + 225.2, 11)
    talk.send(at + 450, 10, tsecr=heard)
    talk.ack(at + 450.2, 11, (10, 11))
    first, second = talk.verdicts()
    assert (int(first.row["frame"]), first.cause) == (probe, Cause.TAIL_LOSS_PROBE)
    assert second.says == (Cause.RTO, *SPURIOUS)


def test_what_was_reported_as_received_is_probed_by_a_sender_that_has_heard_of_no_report() -> None:
    """They were lost on their way to it; else it would have repeated what lacks."""
    talk = Talk(near=20, far=0.2)
    at = talk.warm()
    talk.send(at, 10)
    talk.lose()
    talk.send(at, 12, 13)
    for number in range(2):
        talk.ack(at + 0.2 + number / 10, 11, (12, 13 + number))
    talk.send(at + 75, 13)
    talk.ack(at + 75.2, 11, (13, 14), (12, 14))
    verdict = talk.only()
    assert verdict.says == (Cause.TAIL_LOSS_PROBE, *SPURIOUS)
    assert Proof.LOSS_REPORTED not in verdict.proof


@pytest.mark.parametrize(("after", "cause"), [(35, Cause.FAST_RETRANSMIT), (160, Cause.RTO)])
def test_a_silence_that_is_too_long_for_the_timer_of_reordering(after: int, cause: Cause) -> None:
    """That of Linux's timeout runs from the sending of what lacks; the report was released by a probe."""
    talk = Talk(near=20, far=0.2)
    at = talk.warm()
    talk.send(at, 10, 11, 12)
    talk.send(at + 60, 12)
    talk.ack(at + 60.2, 10, (12, 13))
    talk.send(at + 80.2 + after, 10)
    assert talk.verdicts()[-1].cause is cause


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize(("sent", "cause"), [(0, Cause.FAST_RETRANSMIT), (-60, Cause.RTO)])
def test_no_timeout_comes_so_soon_after_what_it_repeats(sent: int, cause: Cause, *, seen: bool) -> None:
    """The silence is long for the timer of reordering, as the round trip has grown; but a timeout takes longer.

    What left a hole may have been sent just after what lies before that.
    """
    talk = Talk(near=20, far=0.2)
    at = talk.warm()
    talk.send(at + sent, 10)
    if seen:
        talk.send(at + sent, 11)
    else:
        talk.lose()
    talk.send(at, 12, 13)
    talk.ack(at + 0.2, 11, (12, 14))
    talk.send(at + 150, 11)
    assert talk.verdicts()[-1].cause is cause


def test_a_sender_that_echoes_what_it_has_heard_was_not_silent_since() -> None:
    """Though it answers sooner than ever before: its handshake was slow, and it has had nothing else to answer."""
    talk = Talk(near=60, far=0.2)
    talk.send(100, *range(10))
    talk.ack(100.2, 10)
    talk.send(140, 10, 12, 13, 14)
    talk.ack(140.2, 11)
    talk.ack(140.3, 11, (12, 15))
    talk.send(180, 11, tsecr=talk.segments[-1].tsval)
    verdict = talk.only()
    assert verdict.cause is Cause.FAST_RETRANSMIT
    assert Proof.SILENCE not in verdict.proof


def test_nothing_is_sent_after_the_last_segment_that_could_report_its_loss() -> None:
    """So a timer sent it again, though half a round trip that was measured too long had not passed."""
    talk = Talk(far=200, numbered=False)
    at = talk.warm(3)
    talk.send(at, 3, 4, 5)
    talk.send(at + 45, 5)
    talk.ack(at + 61, 6)
    assert talk.only().cause is Cause.TAIL_LOSS_PROBE
