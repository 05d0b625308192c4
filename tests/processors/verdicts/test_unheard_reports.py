"""Reports of losses that passed the sensor and never reached their sender, and acknowledgments that report nothing."""

import pytest

from segwatch.vocabulary import Cause, Proof
from tests.processors.verdicts.talk import Talk


def _reported() -> tuple[Talk, float]:
    """Return a talk of which segment 12 is reported lost, in the tick in which what came before was acknowledged."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, *range(10, 16))
    talk.ack(at + 15.9, 12)
    talk.ack(at + 16, 12, (13, 14))
    return talk, at


def test_a_sender_that_repeats_the_last_segment_has_not_heard_of_a_hole() -> None:
    talk, at = _reported()
    talk.send(at + 66, 15)
    verdict = talk.only()
    assert verdict.cause is Cause.TAIL_LOSS_PROBE
    assert Proof.LOSS_REPORTED not in verdict.proof


def test_it_may_have_repeated_the_hole_before_that_where_a_number_is_missing() -> None:
    talk, at = _reported()
    talk.lose()
    talk.send(at + 66, 15)
    assert talk.only().cause is not Cause.TAIL_LOSS_PROBE


@pytest.mark.parametrize(("hears", "cause"), [(False, Cause.RTO), (True, Cause.FAST_RETRANSMIT)])
def test_what_it_had_not_heard_by_then_it_has_heard_only_if_it_echoes_more(*, hears: bool, cause: Cause) -> None:
    """The probe was reported, too; the first echo is that of the tick of the first report, which did not arrive."""
    talk, at = _reported()
    echo = talk.segments[-1].tsval
    talk.send(at + 66, 15, tsecr=echo)
    talk.ack(at + 82, 12, (13, 14), (15, 16))
    talk.send(at + 87 if hears else at + 302, 12, tsecr=talk.segments[-1].tsval if hears else echo)
    assert [verdict.cause for verdict in talk.verdicts()] == [Cause.TAIL_LOSS_PROBE, cause]


@pytest.mark.parametrize("sack", [True, False])
def test_with_selective_acknowledgments_one_without_a_block_reports_nothing(*, sack: bool) -> None:
    """It tells of a new window; without them it is a duplicate (RFC 6675 section 2)."""
    talk = Talk(sack=sack)
    at = talk.warm()
    talk.send(at, *range(10, 16))
    talk.ack(at + 16, 12)
    talk.ack(at + 17, 12, window=60_000)
    talk.send(at + 240, 12)
    verdict = talk.only()
    assert verdict.cause is Cause.RTO
    assert verdict.row["duplicate_acks"] == (0 if sack else 1)
