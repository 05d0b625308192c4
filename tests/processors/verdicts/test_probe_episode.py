"""A probe keeps its sender from the next one until more is acknowledged, or its duplicate is reported (RFC 8985)."""

from dataclasses import replace

import pytest

from segwatch.vocabulary import Cause, Needed
from tests.processors.verdicts.talk import SIZE, Talk

_PROBE, _TIMEOUT = Cause.TAIL_LOSS_PROBE, Cause.RTO


def _causes(talk: Talk) -> list[Cause]:
    return [verdict.cause for verdict in talk.verdicts()]


def _repeat_alone(talk: Talk, at: float, number: int, after: float = 222) -> None:
    """Send one segment, and again when either timer runs out."""
    talk.send(at, number)
    talk.send(at + after, number)
    talk.ack(at + after + 16, number + 1)


def _repeated() -> tuple[Talk, float]:
    """Return a talk whose last segment was repeated, and acknowledged just so; and a time after that."""
    talk = Talk()
    at = talk.warm()
    _repeat_alone(talk, at, 10)
    return talk, at + 300


def test_the_next_loss_waits_for_the_timeout() -> None:
    """Whether the first was a probe or a timeout: if that, this is one of the same sender."""
    talk, at = _repeated()
    _repeat_alone(talk, at, 11)
    first, second = talk.verdicts()
    assert [first.cause, second.cause] == [_PROBE, _TIMEOUT]
    assert first.row["confidence"] < 0.75
    assert second.row["confidence"] > 0.85


def test_after_the_timeout_it_probes_again() -> None:
    talk, at = _repeated()
    _repeat_alone(talk, at, 11)
    _repeat_alone(talk, at + 300, 12)
    assert _causes(talk) == [_PROBE, _TIMEOUT, _PROBE]


def test_what_was_heard_in_the_meantime_does_not_hold_the_timeout_up() -> None:
    """The peer asks again just before; that starts no timer anew."""
    talk = Talk()
    at = talk.warm()
    talk.answer(at, 10)
    asked = talk.segments[-1]
    _repeat_alone(talk, at + 40, 10)
    talk.send(at + 300, 11)
    talk.segments.append(replace(asked, at=at + 518, tsval=round(at) + 7518, ack=asked.ack + SIZE, ip_id=9100))
    talk.send(at + 523, 11)
    assert [one.cause for one in talk.verdicts() if one.row["from_client"]] == [_PROBE, _TIMEOUT]


@pytest.mark.parametrize("heard", ["window", "keep-alive"])
def test_what_says_nothing_of_the_probe_does_not_settle_it(heard: str) -> None:
    """A new window is no duplicate, and a keep-alive of the peer is answered without a look (RFC 9293)."""
    talk, at = _repeated()
    if heard == "window":
        talk.ack(at - 50, 11, window=60_000)
    else:
        talk.ack(at - 50, 11)
        talk.segments[-1] = replace(talk.segments[-1], seq=talk.segments[-1].seq - 1)
    _repeat_alone(talk, at + 100, 11)
    assert _causes(talk)[-1] is _TIMEOUT


def test_a_new_connection_of_the_same_ports_probes_again() -> None:
    """Whatever its first number is."""
    talk, _ = _repeated()
    shift = 2**32 - 10**6
    other = Talk()
    other.warm()
    _repeat_alone(other, 400, 10)
    for one in other.segments:
        by_client = one.sender == talk.segments[0].sender
        talk.segments.append(
            replace(
                one,
                at=one.at + 10_000,
                tsval=one.tsval + 10_000,
                tsecr=one.tsecr + 10_000 if one.tsecr else 0,
                seq=(one.seq + (shift if by_client else 0)) % 2**32,
                ack=(one.ack + (0 if by_client else shift)) % 2**32 if one.flags != "S" else 0,
            )
        )
    assert _causes(talk) == [_PROBE, _PROBE]


def test_where_nothing_of_the_peer_passes_nothing_is_known_to_be_open() -> None:
    """All are probes of the last of two segments, two round trips later."""
    talk = Talk(near=8, far=32)
    at = talk.warm()
    for number in range(10, 18, 2):
        talk.send(at, number, number + 1)
        talk.send(at + 85, number + 1)
        talk.ack(at + 117, number + 2)
        at += 200
    talk.segments = [one for one in talk.segments if one.sender == talk.segments[0].sender]
    assert _causes(talk) == [_PROBE] * 4


@pytest.mark.parametrize("heard", ["more", "duplicate", "report", "answer"])
def test_it_probes_again_once_it_has_heard_of_the_first(heard: str) -> None:
    """Of both copies the second is reported, or acknowledged once more (section 7.4), as a keep-alive is."""
    talk, at = _repeated()
    last = 11
    if heard == "more":
        talk.send(at, 11)
        talk.ack(at + 16, 12)
        last = 12
    elif heard == "duplicate":
        talk.ack(at - 50, 11)
    elif heard == "answer":
        talk.keep_alive(at + 10_000, 11)
        at += 20_000
    else:
        talk.ack(at - 50, 11, (10, 11))
    _repeat_alone(talk, at + 100, last)
    first, *_, second = talk.verdicts()
    assert [first.cause, second.cause] == [_PROBE, _PROBE]
    assert (first.needed is Needed.SPURIOUS) is (heard == "report")


def test_a_timeout_that_no_probe_could_precede_tells_nothing_of_its_sender() -> None:
    """Several are in flight, and the first did not pass: else, no number missing, it would send no probes at all."""
    talk, at = _repeated()
    talk.lose()  # segment 11
    talk.send(at, 12)
    talk.send(at + 240, 11)
    talk.ack(at + 256, 13)
    assert _causes(talk) == [_PROBE, _TIMEOUT]


def test_a_late_answer_without_timestamps_measures_nothing() -> None:
    """Its SYN was sent again, and that did not pass the sensor (Karn)."""
    talk = Talk(stamped=False)
    talk.segments[:] = [talk.segments[0], replace(talk.segments[1], at=1016)]
    talk.take(1020, 0)
    talk.send(1100, 0)
    talk.ack(1116, 1)
    talk.send(1200, 1)
    talk.send(1430, 1)
    assert talk.verdicts()[-1].row["timeout"] < 300_000_000


@pytest.mark.parametrize("passed", [True, False])
def test_a_late_answer_says_nothing_of_the_least_time(*, passed: bool) -> None:
    """So what comes again a second later was needed, and what is asked for at once comes no sooner than it can."""
    talk = Talk(stamped=False)
    talk.segments[:] = [talk.segments[0], replace(talk.segments[1], at=1016)]
    talk.take(1020, 0)
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
