"""What new data waits for: the receiver's window, or the sender's application."""

from dataclasses import replace

import pytest

from segwatch.vocabulary import Cause
from tests.processors.builder import CLIENT, SERVER, Segment
from tests.processors.verdicts.talk import CLIENT_ISN, SERVER_ISN, SIZE, Talk, Verdict

_DAY = 86_400_000
"""Milliseconds."""


def _stalled(*verdicts: Verdict) -> list[float]:
    return [int(one.row["stalled"]) / 1e6 for one in verdicts]


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


def _kept_alive() -> tuple[Talk, float]:
    """Return a conversation that only keep-alives are sent in from a time on, for 90 s, and that time."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.ack(at + 16, 11)
    for seconds in (30, 60, 90):
        talk.keep_alive(at + 1000 * seconds, 11)
    return talk, at


def test_keep_alives_end_no_pause_of_an_application() -> None:
    talk, at = _kept_alive()
    talk.send(at + 98_000, 11)
    talk.ack(at + 98_016, 12)
    (verdict,) = talk.waits()
    assert _stalled(verdict) == [pytest.approx(98_000 - 20)]


def test_keep_alives_of_the_peer_end_none_either() -> None:
    talk, at = _kept_alive()
    talk.answer(at + 98_000, 11)
    (verdict,) = talk.waits()
    assert _stalled(verdict) == [pytest.approx(98_000 - 16)]


def test_keep_alives_before_a_pause_are_not_in_it() -> None:
    talk = Talk()
    at = talk.warm()
    talk.keep_alive(at + 30_000, 10)
    talk.send(at + 40_000, 10)
    talk.ack(at + 40_016, 11)
    talk.send(at + 45_000, 11)
    first, second = talk.waits()
    assert _stalled(first, second) == [pytest.approx(40_000 + 20 - 20 - 4, abs=25), pytest.approx(5000 - 20)]


def test_a_clock_that_was_set_is_no_pause() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at + 2 * _DAY, 10)
    assert talk.waits() == []


def test_a_clock_that_was_set_is_no_stall() -> None:
    talk = Talk(stamped=False)
    at = talk.warm()
    talk.send(at, 10, 11)
    talk.send(at + 2 * _DAY, 10)
    talk.ack(at + 2 * _DAY + 16, 12)
    assert _stalled(talk.only()) == [0]


def test_a_window_that_a_set_clock_closed() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.ack(at + 16, 11, window=0)
    talk.ack(at + 2 * _DAY, 11)
    talk.send(at + 2 * _DAY + 4, 11)
    assert talk.waits() == []


def test_nothing_waits_after_a_reset() -> None:
    talk = Talk(numbered=False)
    at = talk.warm()
    talk.send(at, 10)
    talk.ack(at + 16, 11)
    talk.reset(at + 20, 11)
    talk.send(at + 3000, 11, 12)
    talk.send(at + 4000, 11)
    assert talk.waits() == []
    assert _stalled(talk.only()) == [0]


def test_an_application_cannot_send_before_the_handshake_is_complete() -> None:
    """Both repeated their SYN, until the client answered, with the data behind it."""
    talk = Talk(stamped=False)
    first, second, _ = talk.segments
    talk.segments = [first, second, replace(second, at=2300), replace(first, at=3000)]
    talk.take(7000, 0)
    talk.take(7005, 0, SIZE)
    assert talk.waits() == []


def test_a_pause_by_the_senders_clock_begins_behind_what_it_sent() -> None:
    """Its data was held up by 30 ms on its way: by its clock, the pause began before that passed."""
    talk = Talk()
    at = talk.warm()
    echo = talk.segments[-1].tsval
    talk.send(at + 30, 10, tsval=round(at) + 7000, tsecr=echo)
    talk.ack(at + 31, 11, tsval=echo)
    talk.send(at + 1000, 11, tsecr=echo)
    (verdict,) = talk.waits()
    assert _stalled(verdict) == [970]


def test_no_time_is_counted_twice_when_a_syn_ack_has_another_number() -> None:
    """A listener that takes each SYN for a new one: both its answers are late ones to the first."""
    syn = Segment(0, CLIENT, "S", CLIENT_ISN)
    segments = [syn]
    for at, number in ((2000, SERVER_ISN), (4000, SERVER_ISN + 77_777)):
        segments.append(Segment(at, SERVER, "SA", number, CLIENT_ISN + 1))
    talk = Talk()
    talk.segments = segments
    assert sum(_stalled(*talk.verdicts())) <= 4000
