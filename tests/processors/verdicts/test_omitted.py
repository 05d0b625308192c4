"""Identifications that are missing because the capture lacks what had them, or because repeats were lost."""

import pytest

from segwatch.vocabulary import Cause
from tests.processors.verdicts.talk import Talk


def _causes(talk: Talk) -> list[tuple[int, Cause]]:
    return [(int(verdict.row["frame"]), verdict.cause) for verdict in talk.verdicts()]


@pytest.mark.parametrize("pause", [30, 300])
def test_before_a_timeout_of_a_reported_loss_fast_retransmits_may_be_missing(pause: float) -> None:
    """Without selective acknowledgments three duplicates released one, which was lost before the sensor."""
    talk = Talk(sack=False)
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    for number in range(3):
        talk.ack(at + 16 + number / 10, 10)
    talk.lose()
    frame = talk.send(at + 245, 10)
    talk.ack(at + 261, 14)
    talk.send(at + 261 + pause, 14)
    talk.ack(at + 277 + pause, 15)
    said = _causes(talk)
    assert said[0] == (frame, Cause.RTO)
    assert Cause.RECOVERY not in dict(said[1:]).values()


@pytest.mark.parametrize("sack", [True, False])
def test_a_repeat_that_the_capture_lacks_was_no_data_in_flight(*, sack: bool) -> None:
    """Segments 11 and 13 were lost before the sensor; the repeat of 11 came by, and the capture has it not.

    It began the episode that the repeat of 13 is in.
    """
    talk = Talk(sack=sack)
    at = talk.warm()
    talk.send(at, 10)
    talk.lose()
    talk.send(at, 12)
    talk.lose()
    talk.send(at, 14, 15)
    if sack:
        talk.ack(at + 16, 11, (12, 13))
        talk.ack(at + 16.1, 11, (14, 16), (12, 13))
    else:
        for number in range(4):
            talk.ack(at + 16 + number / 10, 11)
    talk.lose()  # the repeat of 11
    told = talk.ack(at + 36, 13, *([(14, 16)] if sack else []), tsecr=round(at) + 7020)
    frame = talk.send(at + 40, 13)
    talk.ack(at + 56, 16)
    talk.send(at + 80, 16)
    talk.ack(at + 96, 17)
    assert _causes(talk) == [(told, Cause.CAPTURE_LOSS), (frame, Cause.RECOVERY)]


@pytest.mark.parametrize("between", [4, 20, 40])
def test_what_the_capture_lacks_may_be_one_long_segment(between: int) -> None:
    """What passed before it was short; losses that follow are found all the same."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, length=20)
    talk.lose()  # the rest of segment 10, by the capture
    talk.ack(at + 16, 11)
    for number in range(11, 11 + between):
        at += 20
        talk.send(at, number)
        talk.ack(at + 16, number + 1)
    at += 20
    talk.lose()
    talk.lose()
    frame = talk.send(at + 240, 11 + between)
    talk.ack(at + 256, 12 + between)
    assert (frame, Cause.RTO) in _causes(talk)
