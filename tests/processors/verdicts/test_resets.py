"""Who sent a reset, and at what stage of the conversation."""

from dataclasses import replace

import pytest

from segwatch.vocabulary import Cause, Proof, Stage
from tests.processors.builder import SERVER, Segment
from tests.processors.verdicts.talk import CLIENT_ISN, Talk


def _talk() -> Talk:
    talk = Talk()
    at = talk.warm(3)
    talk.send(at, 3)
    return talk


def test_a_reset_that_fits_its_sender() -> None:
    talk = _talk()
    talk.reset(200, 4)
    (verdict,) = talk.resets()
    assert verdict.cause is Cause.RESET
    assert Stage(int(verdict.row["stage"])) is Stage.LATER
    assert int(verdict.row["ip_id_step"]) == 1
    assert int(verdict.row["sequence_step"]) == 0


@pytest.mark.parametrize(
    ("differs", "proof", "sure"),
    [
        ({"ttl": 47}, Proof.HOPS_DIFFER, 0.8),
        ({"ip_id": 54321}, Proof.ID_DIFFERS, 0.8),
        ({"ttl": 80, "ip_id": 54321}, Proof.HOPS_DIFFER | Proof.ID_DIFFERS, 0.95),
    ],
)
def test_a_reset_that_its_sender_did_not_send(differs: dict[str, int], proof: Proof, sure: float) -> None:
    talk = _talk()
    talk.reset(200, 4, **differs)
    (verdict,) = talk.resets()
    assert verdict.cause is Cause.INJECTED_RESET
    assert verdict.proof == proof
    assert float(verdict.row["confidence"]) == pytest.approx(sure)


def test_no_identification_tells_nothing() -> None:
    talk = _talk()
    talk.reset(200, 4, ip_id=0)
    (verdict,) = talk.resets()
    assert verdict.cause is Cause.RESET


def test_a_number_outside_of_the_window_is_told() -> None:
    talk = _talk()
    talk.reset(200, 400)
    (verdict,) = talk.resets()
    assert verdict.cause is Cause.RESET
    assert verdict.proof == Proof.OFF_SEQUENCE
    assert int(verdict.row["sequence_step"]) == 396_000


def test_stages() -> None:
    talk = Talk()
    del talk.segments[1:]
    talk.reset(5, 0)
    assert Stage(int(talk.resets()[0].row["stage"])) is Stage.POST_SYN
    talk = Talk()
    talk.reset(30, 0)
    assert Stage(int(talk.resets()[0].row["stage"])) is Stage.POST_ACK
    talk = Talk()
    talk.send(30, 0)
    talk.reset(40, 1)
    assert Stage(int(talk.resets()[0].row["stage"])) is Stage.POST_PSH


@pytest.mark.parametrize(("data", "stage"), [(0, Stage.POST_ACK), (1, Stage.POST_PSH), (2, Stage.LATER)])
def test_a_fin_is_no_data(data: int, stage: Stage) -> None:
    talk = Talk()
    talk.send(30, *range(data))
    talk.send(40, data, flags="FA", length=0)
    talk.reset(50, data)
    assert Stage(int(talk.resets()[0].row["stage"])) is stage


def test_an_acknowledgment_by_the_server_completes_no_handshake() -> None:
    talk = Talk()
    del talk.segments[1:]
    talk.segments.append(Segment(5, SERVER, "A", 777, CLIENT_ISN + 5000))
    talk.reset(6, 5)
    assert Stage(int(talk.resets()[0].row["stage"])) is Stage.POST_SYN


def test_a_repeated_reset_has_no_verdict() -> None:
    talk = _talk()
    talk.reset(200, 4)
    talk.reset(201, 4)
    assert len(talk.resets()) == 1


def test_a_reset_of_linux_that_knows_its_connection_no_more_is_its_own() -> None:
    """It has a number of another row: that its SYN/ACK had none tells of the connection's row alone."""
    talk = Talk(stamped=False)
    talk.segments[1] = replace(talk.segments[1], ip_id=0)
    for number in range(5):
        talk.answer(30 + number, 0, answers=number)
    last = talk.segments[-1]
    talk.segments.append(replace(last, at=200, flags="R", seq=last.seq + last.length, ack=0, length=0, ip_id=33))
    assert [verdict.cause for verdict in talk.resets()] == [Cause.RESET]
