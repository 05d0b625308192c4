"""Repeats that the receiver had, as its answers tell without selective acknowledgments, and what the capture lacks."""

import pytest

from segwatch.vocabulary import Cause, Needed, Proof
from tests.processors.builder import SERVER
from tests.processors.verdicts.talk import CLIENT_ISN, NEEDED_BEFORE, SIZE, SPURIOUS, Talk


def _go_back(*, stamped: bool = False) -> tuple[Talk, float, int]:
    """Lose 10 and 11 before the sensor, leave 12 out of the capture, and send 10 to 12 again after a timeout.

    Return when the last repeats passed, and the frame of 13, which lies behind the gap.
    """
    talk = Talk(sack=False, stamped=stamped)
    at = talk.warm()
    for _ in (10, 11, 12):
        talk.lose()
    behind = talk.send(at, 13)
    talk.ack(at + 16, 10)
    talk.send(at + 225, 10)
    talk.ack(at + 241, 11)
    return talk, at + 245, behind


def _needs(talk: Talk) -> list[Needed]:
    return [verdict.needed for verdict in talk.verdicts() if verdict.cause is Cause.RECOVERY]


def _lacks(talk: Talk) -> list[int]:
    return [int(verdict.row["frame"]) for verdict in talk.verdicts() if verdict.cause is Cause.CAPTURE_LOSS]


@pytest.mark.parametrize("stamped", [True, False])
@pytest.mark.parametrize("goes_on", [True, False])
def test_a_repeat_is_answered_again(*, stamped: bool, goes_on: bool) -> None:
    """The repeat of 11 fills the gap up to 14; so the one of 12 was not needed, and is answered with 14 again."""
    talk, at, behind = _go_back(stamped=stamped)
    repeat = talk.send(at, 11, 12)
    if goes_on:
        talk.send(at, 14)
    talk.ack(at + 16, 14)
    talk.ack(at + 16.1, 14)
    if goes_on:
        talk.ack(at + 16.2, 15)
    (said,) = [verdict for verdict in talk.verdicts() if verdict.row["frame"] == repeat]
    assert said.says == (Cause.RECOVERY, *SPURIOUS)
    assert Proof.ANSWERED_AGAIN in said.proof
    assert _needs(talk) == [Needed.NEEDED, Needed.SPURIOUS]
    assert _lacks(talk) == [behind]


def test_an_answer_that_the_capture_lacks_counts() -> None:
    talk, at, behind = _go_back()
    talk.send(at, 11, 12, 13)
    talk.ack(at + 16, 14)
    talk.lose(SERVER)
    talk.ack(at + 16.2, 14)
    assert _needs(talk) == [Needed.NEEDED, Needed.SPURIOUS, Needed.SPURIOUS]
    assert _lacks(talk) == [behind]


def test_data_of_the_receiver_that_the_capture_lacks_is_no_answer() -> None:
    talk, at, _ = _go_back()
    talk.send(at, 11, 12)
    talk.ack(at + 16, 14)
    talk.lose(SERVER)
    talk.answer(at + 16.2, 14, answers=1)
    assert _needs(talk) == [Needed.NEEDED, Needed.NEEDED]


def test_as_many_of_the_last_are_told_as_there_are_answers() -> None:
    """An interface of the receiver may have put 11 and 12 together; so 12 may have been lost, but not 13 and 14."""
    talk, at, _ = _go_back()
    talk.send(at - 200, 14)
    talk.send(at, 11, 12, 13, 14)
    talk.ack(at + 16, 15)
    talk.ack(at + 16.1, 15)
    talk.ack(at + 16.2, 15)
    assert _needs(talk)[-3:] == [Needed.NEEDED, Needed.SPURIOUS, Needed.SPURIOUS]
    assert not _lacks(talk)


def test_a_long_segment_is_answered_for_each_of_its_packets() -> None:
    talk, at, _ = _go_back()
    talk.send(at, 11)
    talk.send(at, 12, length=4 * SIZE)
    talk.ack(at + 16, 16)
    talk.ack(at + 16.1, 16)
    talk.ack(at + 16.2, 16)
    assert _needs(talk) == [Needed.NEEDED, Needed.NEEDED]
    talk.ack(at + 16.3, 16)
    assert _needs(talk) == [Needed.NEEDED, Needed.SPURIOUS]


@pytest.mark.parametrize("lacking", [True, False])
def test_a_repeat_that_the_capture_lacks_is_answered_too(*, lacking: bool) -> None:
    """It lacks the repeat of 13, beside that of 12, and the acknowledgment of 12 and 13."""
    talk, at, _ = _go_back()
    talk.send(at, 11)
    if lacking:
        talk.lose()
    talk.send(at, 12)
    talk.ack(at + 16, 14)
    talk.ack(at + 16.1, 14)
    assert (Needed.SPURIOUS in _needs(talk)) is not lacking


def test_nor_does_it_count_before_that_of_what_follows() -> None:
    """The capture lacks the repeat of 13; 11 and 12, which were lost, are acknowledged together."""
    talk, at, _ = _go_back()
    talk.send(at - 200, 14)
    talk.send(at, 11, 12)
    talk.lose()
    talk.send(at, 14)
    talk.send(at, 15)
    for number in range(3):
        talk.ack(at + 16 + number / 10, 15)
    talk.ack(at + 16.3, 16)
    assert _needs(talk)[-2:] == [Needed.NEEDED, Needed.SPURIOUS]
    assert not _lacks(talk)


@pytest.mark.parametrize("number", [11, 13])
def test_a_copy_that_the_network_made_is_answered_too(number: int) -> None:
    """Of what filled the gap, or of what lies behind it."""
    talk, at, _ = _go_back()
    of = next(one for one in talk.segments if one.seq == CLIENT_ISN + 1 + 13 * SIZE)
    talk.send(at, 11, 12)
    copied = talk.segments[-2] if number == 11 else of
    talk.send(at + 0.3, number, ip_id=copied.ip_id)
    talk.ack(at + 16, 14)
    talk.ack(at + 16.3, 14)
    assert _needs(talk) == [Needed.NEEDED, Needed.NEEDED]
    assert not _lacks(talk)


def test_a_long_segment_takes_several_identifications() -> None:
    """Nothing is missing between it and the next."""
    talk, at, _ = _go_back()
    talk.send(at - 200, 15)
    talk.send(at, 11)
    talk.send(at, 12, length=3 * SIZE)
    talk.lose()
    talk.lose()
    repeat = talk.send(at, 15)
    talk.ack(at + 16, 16)
    talk.ack(at + 16.1, 16)
    (said,) = [verdict for verdict in talk.verdicts() if verdict.row["frame"] == repeat]
    assert said.needed is Needed.SPURIOUS


@pytest.mark.parametrize(("window", "told"), [(1000, True), (3000, False)])
def test_a_new_window_is_no_answer(window: int, *, told: bool) -> None:
    """What filled the gap lets the application read, which opens the window."""
    talk, at, _ = _go_back()
    talk.send(at, 11, 12)
    talk.ack(at + 16, 14, window=1000)
    talk.ack(at + 16.2, 14, window=window)
    assert (Needed.SPURIOUS in _needs(talk)) is told


def test_what_passes_after_the_acknowledgment_is_no_answer_of_what_passed_before() -> None:
    """The receiver is near: 15, behind a loss, passes 2 ms after the acknowledgment of 11 and 12, and asks for 14."""
    talk = Talk(20, 0.2, sack=False, stamped=False)
    at = 100.0
    for number in range(10):
        talk.send(at, number)
        talk.ack(at + 0.2, number + 1)
        at += 21
    for _ in (10, 11, 12):
        talk.lose()
    talk.send(at, 13)
    talk.ack(at + 0.2, 10)
    talk.send(at + 225, 10)
    talk.ack(at + 225.2, 11)
    talk.send(at + 246, 11, 12)
    talk.ack(at + 246.2, 14)
    talk.lose()
    talk.send(at + 248, 15)
    talk.ack(at + 248.2, 14)
    assert _needs(talk) == [Needed.NEEDED, Needed.NEEDED]


def test_each_part_that_the_capture_lacks_of_a_gap_is_a_loss() -> None:
    talk = Talk(sack=False, stamped=False)
    at = talk.warm()
    for _ in (10, 11, 12, 13):
        talk.lose()
    behind = talk.send(at, 14)
    talk.ack(at + 16, 10)
    talk.send(at + 225, 10)
    talk.ack(at + 241, 11)
    talk.send(at + 245, 11, 12, 13)
    for number in range(3):
        talk.ack(at + 261 + number / 10, 15)
    assert _lacks(talk) == [behind, behind]


def test_only_what_lies_in_the_gap_is_lacking() -> None:
    """The repeat carries what passed behind the gap, too."""
    talk = Talk(sack=False)
    at = talk.warm()
    talk.lose()
    behind = talk.send(at, 11)
    talk.send(at + 225, 10, length=2 * SIZE)
    talk.ack(at + 230, 12, tsecr=talk.segments[behind - 1].tsval)
    (lost,) = [verdict.row for verdict in talk.verdicts() if verdict.cause is Cause.CAPTURE_LOSS]
    assert (int(lost["frame"]), int(lost["length"])) == (behind, SIZE)


@pytest.mark.parametrize("answers", [(12, 14), (14,)])
def test_a_repeat_that_is_not_answered_again_was_needed(answers: tuple[int, ...]) -> None:
    """The receiver acknowledges each of two repeats; or both at once, as an interface put them together."""
    talk, at, _ = _go_back()
    talk.send(at, 11, 12)
    for number, answer in enumerate(answers):
        talk.ack(at + 16 + number / 10, answer)
    assert _needs(talk) == [Needed.NEEDED, Needed.NEEDED]
    assert not _lacks(talk)


@pytest.mark.parametrize("later", [16, 300])
def test_what_is_said_again_a_round_trip_later_is_no_answer(later: float) -> None:
    """It answers what was sent then, or a keep-alive."""
    talk, at, _ = _go_back()
    talk.send(at, 11, 12)
    talk.ack(at + 16, 14)
    talk.ack(at + 16 + later, 14)
    assert _needs(talk) == [Needed.NEEDED, Needed.NEEDED]


@pytest.mark.parametrize(("more", "spurious"), [(2, False), (3, True)])
def test_answers_to_what_lies_behind_another_gap_do_not_count(more: int, *, spurious: bool) -> None:
    """Of 14 to 16, which were sent beside the repeats, 14 was lost: 15 and 16 ask for it, and what else does not."""
    talk, at, _ = _go_back()
    talk.send(at, 11, 12)
    talk.lose()
    talk.send(at, 15, 16)
    talk.ack(at + 16, 14)
    for number in range(more):
        talk.ack(at + 16.1 + number / 10, 14)
    assert (Needed.SPURIOUS in _needs(talk)) is spurious


@pytest.mark.parametrize(("second", "spurious"), [(16.2, True), (36, False)])
def test_an_acknowledgment_stops_where_what_follows_had_passed(second: float, *, spurious: bool) -> None:
    """A repeat of 10 would have made it jump over 11: if the next goes on there, 10 had arrived."""
    talk = Talk(sack=False, stamped=False)
    at = talk.warm()
    talk.lose()
    behind = talk.send(at, 11)
    repeat = talk.send(at + 14, 10)
    talk.ack(at + 30, 11)
    talk.ack(at + 14 + second, 12)
    (said,) = [verdict for verdict in talk.verdicts() if verdict.row["frame"] == repeat]
    assert said.says[1:] == (SPURIOUS if spurious else NEEDED_BEFORE)
    assert _lacks(talk) == ([behind] if spurious else [])


@pytest.mark.parametrize("before", [True, False])
def test_what_was_sent_again_itself_does_not_go_on(*, before: bool) -> None:
    talk = Talk(sack=False, stamped=False)
    at = talk.warm()
    talk.lose()
    talk.send(at, 11)
    talk.send(at + 225, 10)
    if before:
        talk.send(at + 225, 11)
    talk.ack(at + 241, 11)
    if not before:
        talk.send(at + 245, 11)
    talk.ack(at + 250, 12)
    assert not _lacks(talk)


@pytest.mark.parametrize("older", [True, False])
def test_the_original_of_a_repeat_is_echoed(*, older: bool) -> None:
    """The repeat of 10 was not needed, as an older timestamp says, and nothing else passed that had its bytes.

    But one that is older than what was sent before it is no echo of it.
    """
    talk = Talk(sack=False)
    at = talk.warm()
    talk.lose()
    behind = talk.send(at, 11)
    talk.send(at + 225, 10)
    echoed = talk.segments[behind - 1].tsval - (40 if older else 0)
    talk.ack(at + 230, 11, tsecr=echoed)
    talk.ack(at + 230.1, 12, tsecr=echoed)
    assert _lacks(talk) == ([] if older else [behind])
