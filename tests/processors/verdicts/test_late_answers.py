"""Round trips that were measured too long, or not at all: late answers to a SYN, steady queues, none that is known."""

from dataclasses import replace

import pytest

from segwatch.vocabulary import Cause, Needed
from tests.processors.verdicts.talk import Talk

_PROBE, _TIMEOUT = Cause.TAIL_LOSS_PROBE, Cause.RTO


def _causes(talk: Talk) -> list[Cause]:
    return [verdict.cause for verdict in talk.verdicts()]


def _unstamped() -> Talk:
    """Return a talk without timestamps whose SYN was answered after a second: sent again, which did not pass."""
    talk = Talk(stamped=False)
    talk.segments[:] = [talk.segments[0], replace(talk.segments[1], at=1016)]
    talk.take(1020, 0)
    return talk


def _answered_late(*, echoed: bool) -> Talk:
    """Return a talk whose SYN was answered after it had come again, with the time of the first one or the second."""
    talk = Talk()
    syn, answer, _ = talk.segments
    talk.segments[:] = [
        syn,
        replace(syn, at=1000, tsval=syn.tsval + 1000),
        replace(answer, at=1016, tsval=answer.tsval + 1000, tsecr=syn.tsval + (0 if echoed else 1000)),
    ]
    talk.take(1020, 0)
    return talk


def test_a_late_answer_without_timestamps_measures_nothing() -> None:
    """Its SYN was sent again, and that did not pass the sensor (Karn)."""
    talk = _unstamped()
    talk.send(1100, 0)
    talk.ack(1116, 1)
    talk.send(1200, 1)
    talk.send(1430, 1)
    assert talk.verdicts()[-1].row["timeout"] < 300_000_000


@pytest.mark.parametrize("passed", [True, False])
def test_a_late_answer_says_nothing_of_the_least_time(*, passed: bool) -> None:
    """So what comes again a second later was needed, and what is asked for at once comes no sooner than it can."""
    talk = _unstamped()
    if passed:
        talk.send(1100, 0)
        talk.send(2100, 0)
        talk.ack(2116, 1)
    else:
        talk.send(1100, 1, 2, 3)
        for block in range(2, 5):
            talk.ack(1116, 0, (1, block))
        talk.send(1120, 0)
        talk.ack(1136, 4)
    verdict = talk.verdicts()[-1]
    assert verdict.needed is Needed.NEEDED
    assert passed or verdict.cause is Cause.FAST_RETRANSMIT


def test_what_is_released_late_on_a_path_with_a_long_steady_queue_is_no_timeout() -> None:
    talk = Talk(sack=False)
    at = talk.warm()
    for number in range(10, 35):
        talk.send(at, number)
        talk.ack(at + 596, number + 1)
        at += 600
    talk.send(at, 35, 36, 37, 38)
    for _ in range(4):
        talk.ack(at + 596, 35)
    talk.send(at + 750, 35)
    assert _causes(talk)[-1] is Cause.FAST_RETRANSMIT


def test_a_host_that_measures_no_late_answer_has_its_timeout_as_soon_as_ever() -> None:
    """Then the silence is a timer's all the same: nothing was heard in it."""
    talk = _answered_late(echoed=True)
    talk.send(1100, 0)
    talk.ack(1116, 1)
    talk.send(1200, 1, 2)
    talk.send(1460, 1)
    assert _causes(talk)[-1] is _TIMEOUT


def test_where_no_round_trip_is_known_a_doubled_timer_tells_of_a_timeout() -> None:
    talk = Talk()
    talk.segments = []
    talk.ack(99.9, 10)
    for at in (100, 340, 820):
        talk.send(at, 10)
    talk.ack(836, 11)
    assert _causes(talk) == [_TIMEOUT, _TIMEOUT]


@pytest.mark.parametrize(("echoed", "cause"), [(True, _PROBE), (False, _TIMEOUT)])
def test_a_late_answer_to_a_syn_makes_all_timers_long(*, echoed: bool, cause: Cause) -> None:
    """Its sender takes it for a round trip, so its timeout is far longer than the probe, and nothing was doubled."""
    talk = _answered_late(echoed=echoed)
    for number in range(3):
        talk.send(1100 + 20 * number, number)
        talk.ack(1116 + 20 * number, number + 1)
    talk.send(1200, 3)
    talk.send(2800, 3)
    talk.send(5900, 3)
    talk.ack(5916, 4)
    *_, first, second = talk.verdicts()
    assert [first.cause, second.cause] == [cause, _TIMEOUT]
