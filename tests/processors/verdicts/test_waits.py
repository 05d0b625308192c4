"""What new data waits for: the receiver's window, or the sender's application."""

import pytest

from segwatch.vocabulary import Cause
from tests.processors.verdicts.talk import SIZE, Talk


def test_a_closed_window() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.ack(at + 16, 11, window=0)
    talk.ack(at + 1016, 11)
    frame = talk.send(at + 1020, 11)
    talk.ack(at + 1036, 12)
    (verdict,) = talk.waits()
    assert verdict.cause is Cause.WINDOW_CLOSED
    assert int(verdict.row["frame"]) == frame
    assert int(verdict.row["stalled"]) == 1_000_000_000


def test_a_window_that_was_closed_for_a_round_trip_is_no_wait() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.ack(at + 16, 11, window=0)
    talk.ack(at + 36, 11)
    talk.send(at + 40, 11)
    assert talk.waits() == []


def test_a_window_that_nobody_waited_for() -> None:
    """The sender had nothing to send for long after the window had opened."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.ack(at + 16, 11, window=0)
    talk.ack(at + 1016, 11)
    talk.send(at + 9016, 11)
    (verdict,) = talk.waits()
    assert verdict.cause is Cause.APPLICATION_IDLE
    assert int(verdict.row["stalled"]) == pytest.approx(8e9, rel=0.01)


def test_an_application_that_has_nothing_to_send() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.ack(at + 16, 11)
    talk.send(at + 2016, 11)
    (verdict,) = talk.waits()
    assert verdict.cause is Cause.APPLICATION_IDLE
    assert int(verdict.row["stalled"]) == pytest.approx(2e9, rel=0.01)
    assert int(verdict.row["from_client"]) == 1


def test_a_server_that_takes_long_to_answer() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.ack(at + 16, 11)
    talk.answer(at + 516, 11)
    (verdict,) = talk.waits()
    assert verdict.cause is Cause.APPLICATION_IDLE
    assert int(verdict.row["from_client"]) == 0
    assert int(verdict.row["stalled"]) == pytest.approx(5e8, rel=0.01)


def test_a_pause_with_data_in_flight_is_not_the_applications() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.send(at + 2000, 11)
    assert talk.waits() == []


def test_a_sender_of_which_nothing_but_acknowledgments_was_seen() -> None:
    """When it sent last is not known: the wait begins with what it heard, not with the epoch."""
    talk = Talk()
    talk.segments = []
    talk.answer(100, 0)
    talk.answer(140, 0, 1)
    talk.take(150, 1)
    talk.take(151, 1, SIZE)
    assert talk.waits() == []


def test_the_silence_is_that_of_the_sender() -> None:
    """It is told as for every other verdict: since it sent, or had heard, anything."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.ack(at + 1500, 11)
    talk.send(at + 9000, 11)
    (verdict,) = talk.waits()
    assert int(verdict.row["silence"]) == int(verdict.row["stalled"]) == pytest.approx(7.5e9, rel=0.01)


def test_no_time_is_counted_twice() -> None:
    """What waited for the window is lost after that: the repeat counts the time since the window's opening."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11)
    talk.ack(at + 16, 11, window=0)
    talk.ack(at + 1016, 11)
    talk.send(at + 1020, 12)
    talk.send(at + 1030, 11)
    talk.ack(at + 1046, 13)
    (wait,) = talk.waits()
    (repeat,) = talk.verdicts()
    assert int(wait.row["stalled"]) == 1_000_000_000
    assert int(repeat.row["stalled"]) == 14_000_000
