"""A probe keeps its sender from the next one until more is acknowledged, or its duplicate is reported (RFC 8985)."""

from dataclasses import replace

import pytest

from segwatch.vocabulary import Cause, Needed
from tests.processors.verdicts.talk import Talk

_PROBE, _TIMEOUT = Cause.TAIL_LOSS_PROBE, Cause.RTO


def _causes(talk: Talk) -> list[Cause]:
    return [verdict.cause for verdict in talk.verdicts()]


def _repeated() -> tuple[Talk, float]:
    """Return a talk whose last segment was repeated, and acknowledged just so; and a time after that."""
    talk = Talk()
    at = talk.warm()
    talk.repeat_alone(at, 10)
    return talk, at + 300


def test_the_next_loss_waits_for_the_timeout() -> None:
    """Whether the first was a probe or a timeout: if that, this is one of the same sender."""
    talk, at = _repeated()
    talk.repeat_alone(at, 11)
    first, second = talk.verdicts()
    assert [first.cause, second.cause] == [_PROBE, _TIMEOUT]
    assert first.row["confidence"] < 0.75
    assert second.row["confidence"] > 0.85


def test_after_the_timeout_it_probes_again() -> None:
    talk, at = _repeated()
    talk.repeat_alone(at, 11)
    talk.repeat_alone(at + 300, 12)
    assert _causes(talk) == [_PROBE, _TIMEOUT, _PROBE]


def test_what_was_heard_in_the_meantime_does_not_hold_the_timeout_up() -> None:
    """The peer asks again just before; that starts no timer anew."""
    talk = Talk()
    at = talk.warm()
    talk.answer(at, 10)
    talk.repeat_alone(at + 40, 10)
    talk.send(at + 300, 11)
    talk.answer(at + 518, 11)
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
    talk.repeat_alone(at + 100, 11)
    assert _causes(talk)[-1] is _TIMEOUT


def test_a_new_connection_of_the_same_ports_probes_again() -> None:
    """Whatever its first number is."""
    talk, _ = _repeated()
    shift = 2**32 - 10**6
    other = Talk()
    other.warm()
    other.repeat_alone(400, 10)
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
    talk.repeat_alone(at + 100, last)
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
