"""Timeouts shorter than Linux's least, as the sender shows them, and repeats that only a timeout can have sent."""

import pytest

from segwatch.vocabulary import Cause, Proof
from tests.processors.verdicts.talk import Talk


def _causes(talk: Talk) -> list[Cause]:
    return [verdict.cause for verdict in talk.verdicts()]


def _after_a_timeout(after: float) -> tuple[Talk, float]:
    """Return a conversation with a timeout so long after its original, two in flight, and the time after it; 0 none."""
    talk = Talk()
    at = talk.warm()
    if after:
        talk.send(at, 10, 11)
        talk.send(at + after, 10)
        talk.ack(at + after + 16, 12)
        return talk, at + after + 40
    talk.send(at, 10, 11)
    talk.ack(at + 16, 12)
    return talk, at + 40


@pytest.mark.parametrize(("shown", "cause"), [(90, Cause.RTO), (250, Cause.RECOVERY), (0, Cause.RECOVERY)])
def test_a_timeout_shows_how_short_the_next_may_be(shown: float, cause: Cause) -> None:
    """So a repeat that was lost is sent again by a timeout, sooner than Linux's least after it."""
    talk, at = _after_a_timeout(shown)
    talk.send(at, 12, 13, 14, 15)
    talk.ack(at + 16, 12, (13, 16))
    talk.send(at + 20, 12)
    talk.send(at + 21, 16)
    talk.send(at + 110, 12)
    assert _causes(talk)[-1] is cause
    assert talk.verdicts()[-1].row["timeout"] == (90_000_000 if shown == 90 else 220_000_000)


@pytest.mark.parametrize(("shown", "found"), [(90, True), (0, False)])
def test_what_never_passed_is_found_after_a_shorter_timeout(shown: float, *, found: bool) -> None:
    """Its sender had something to acknowledge, so that the silence has to be that of a timeout."""
    talk, at = _after_a_timeout(shown)
    before = len(talk.verdicts())
    talk.answer(at, 12)
    talk.lose()
    talk.send(at + 97, 12)
    assert len(talk.verdicts()) == before + found


def test_the_repeat_of_a_probe_is_a_timeout() -> None:
    """A sender has one probe in flight at most, whatever empty segments go between."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.send(at + 92, 10)
    talk.take(at + 93, 0)
    talk.send(at + 184, 10)
    assert _causes(talk) == [Cause.TAIL_LOSS_PROBE, Cause.RTO]


def test_what_may_be_an_answer_to_a_message_of_the_network_has_to_come_twice() -> None:
    """Within two round trips, the first may be due to an ICMP message; several of one length are due to a timer."""
    talk = Talk()
    at = talk.warm()
    for number in (10, 12, 14):
        talk.send(at, number, number + 1)
        talk.send(at + 38, number)
        talk.ack(at + 54, number + 2)
        at += 80
    assert _causes(talk) == [Cause.UNKNOWN, Cause.RTO, Cause.RTO]


@pytest.mark.parametrize(("between", "cause"), [(False, Cause.RTO), (True, Cause.RECOVERY)])
def test_only_a_timeout_repeats_what_was_sent_last(*, between: bool, cause: Cause) -> None:
    """What was sent after a repeat may have been reported, and so show that the repeat was lost."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    talk.ack(at + 16, 10, (11, 14))
    talk.send(at + 20, 10)
    if between:
        talk.send(at + 21, 14)
    talk.send(at + 90, 10)
    assert _causes(talk) == [Cause.FAST_RETRANSMIT, cause]


@pytest.mark.parametrize(("echoed", "cause"), [(0, Cause.FAST_RETRANSMIT), (-180, Cause.RTO)])
def test_a_sender_has_heard_of_the_report_that_it_echoes(echoed: int, cause: Cause) -> None:
    """However short ago that passed."""
    talk = Talk(near=40)
    at = talk.warm()
    talk.send(at, 10, 11, 12)
    talk.ack(at + 250, 10, (11, 13))
    report = talk.segments[-1].tsval
    talk.send(at + 255, 10, tsecr=report + echoed)
    verdict = talk.only()
    assert verdict.cause is cause
    assert (Proof.LOSS_REPORTED in verdict.proof) is (cause is Cause.FAST_RETRANSMIT)


@pytest.mark.parametrize(("lost", "cause"), [(0, Cause.RECOVERY), (1, Cause.RTO)])
def test_a_loss_that_was_heard_of_needs_no_timeout_for_its_first_repeat(lost: int, cause: Cause) -> None:
    """The acknowledgment came late to the sender. Or a repeat did not pass, as its identification tells."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, *range(10, 18))
    talk.ack(at + 16, 10, (11, 13), (14, 18))
    talk.send(at + 20, 10)
    talk.ack(at + 36, 13, (14, 18))
    for _ in range(lost):
        talk.lose()
    talk.send(at + 340, 13)
    assert _causes(talk) == [Cause.FAST_RETRANSMIT, cause]


@pytest.mark.parametrize(("many", "heard", "cause"), [
    (True, True, Cause.FAST_RETRANSMIT),
    (False, True, Cause.RTO),
    (False, False, Cause.FAST_RETRANSMIT),
])  # fmt: skip
def test_as_many_reports_as_make_any_sender_repeat_need_no_timeout(*, many: bool, heard: bool, cause: Cause) -> None:
    """Fewer do not, without RACK. But who has not heard what passed after the report, heard that late, too."""
    talk = Talk()
    at = talk.warm()
    last = 14 if many else 12
    talk.send(at, *range(10, last))
    talk.ack(at + 16, 10, (11, last))
    report = talk.segments[-1].tsval
    talk.ack(at + 30, 10, (11, last))
    talk.send(at + 340, 10, **({} if heard else {"tsecr": report}))
    assert talk.only().cause is cause


def test_what_the_report_acknowledges_is_repeated_by_a_sender_that_has_not_heard_it() -> None:
    """Though it echoes its timestamp: so does what passed just before, in the same tick."""
    talk = Talk(near=40)
    at = talk.warm()
    talk.send(at, *range(10, 18))
    talk.ack(at + 250.1, 12)
    talk.ack(at + 250.2, 13, (14, 18))
    talk.send(at + 255, 12, tsecr=talk.segments[-1].tsval)
    verdict = talk.only()
    assert verdict.cause is Cause.RTO
    assert Proof.LOSS_REPORTED not in verdict.proof


@pytest.mark.parametrize(("room", "cause"), [(1, Cause.RTO), (2, Cause.TAIL_LOSS_PROBE)])
def test_what_comes_soon_may_be_a_timeout_as_well_as_a_probe(room: int, cause: Cause) -> None:
    """The sender has shown no shorter timeout, but then it sends only two segments, though it had sent many before."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, *range(10, 18))
    talk.ack(at + 16, 18)
    talk.send(at + 40, 18)
    talk.send(at + 150, 18, tsecr=talk.segments[-3].tsecr)
    talk.ack(at + 166, 19)
    talk.send(at + 190, *range(19, 20 + room))
    talk.ack(at + 206, 20)
    talk.send(at + 210, 20 + room)
    assert talk.only().cause is cause


@pytest.mark.parametrize(("after", "cause"), [(15, Cause.TAIL_LOSS_PROBE), (150, Cause.RTO)])
def test_no_timeout_is_shorter_than_a_round_trip(after: int, cause: Cause) -> None:
    """Even of a sender that has sent no probe before: so what was learnt of it is not relied on."""
    talk, at = _after_a_timeout(225)
    talk.send(at, 12)
    talk.send(at + after, 12)
    assert _causes(talk) == [Cause.RTO, cause]
