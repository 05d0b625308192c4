"""Repeats of senders that have no selective acknowledgments, no timestamps or neither, or take no heed of them."""

from dataclasses import replace

import pytest

from segwatch.vocabulary import Cause, Needed
from tests.processors.builder import SERVER
from tests.processors.verdicts.talk import NEEDED_AFTER, NEEDED_BEFORE, NO_NEED, Talk


def _said(talk: Talk) -> list[tuple[int, Cause]]:
    return [(int(verdict.row["frame"]), verdict.cause) for verdict in talk.verdicts()]


def _answered_by_linux(*, sack: bool = True, number: int = 0) -> Talk:
    """Return a conversation of one request, whose SYN/ACK has that identification: Linux's has none."""
    talk = Talk(stamped=False, sack=sack)
    talk.segments[1] = replace(talk.segments[1], ip_id=number)
    talk.send(100, 0)
    talk.ack(116, 1)
    return talk


@pytest.mark.parametrize(("number", "found"), [(0, True), (9000, False)])
def test_an_answer_of_linux_that_never_passed(number: int, *, found: bool) -> None:
    """Its SYN/ACK says that it numbers each connection for itself, without timestamps, too, and from the beginning."""
    talk = _answered_by_linux(number=number)
    talk.answer(116 + 240, 1)
    talk.segments[-1] = replace(talk.segments[-1], ip_id=talk.segments[-1].ip_id + 1)
    assert [verdict.says for verdict in talk.verdicts()] == [(Cause.TAIL_LOSS_PROBE, *NEEDED_BEFORE)] * found


@pytest.mark.parametrize(("missing", "found"), [(3, True), (200, False)])
def test_acknowledgments_of_linux_that_never_passed_do_not_speak_against_it(missing: int, *, found: bool) -> None:
    """Their numbers are missing as those of lost data are; more than can be lost at once tell of a shared counter."""
    talk = _answered_by_linux()
    for number in (1, 2):
        talk.send(100 + 20 * number, number)
        talk.ack(116 + 20 * number, number + 1)
        if number == 1:
            last = talk.segments[-1]
    shift = missing
    talk.segments = [
        replace(one, ip_id=one.ip_id + shift) if one.sender == SERVER and one.at >= last.at else one
        for one in talk.segments
    ]
    talk.answer(156 + 240, 3)
    talk.segments[-1] = replace(talk.segments[-1], ip_id=talk.segments[-1].ip_id + shift + 1)
    assert bool(talk.verdicts()) is found


@pytest.mark.parametrize(("since", "found"), [(240, True), (1, False)])
def test_what_is_missing_was_sent_after_the_last_acknowledgment(since: float, *, found: bool) -> None:
    """Without timestamps, one that passed just before ends the silence: nothing tells that all was held up."""
    talk = _answered_by_linux()
    talk.answer(117, 1)
    talk.send(133, 1)
    talk.ack(149 + 300 - since, 2)
    talk.answer(149 + 300, 2, answers=1)
    talk.segments[-1] = replace(talk.segments[-1], ip_id=talk.segments[-1].ip_id + 1)
    assert bool(talk.verdicts()) is found


@pytest.mark.parametrize(("silence", "found"), [(470, True), (600, False)])
def test_a_timer_that_is_backed_off_still(silence: float, *, found: bool) -> None:
    """Nothing was acknowledged since the timeout that was sent once, so the next one takes twice as long (Karn)."""
    talk = Talk(sack=False, stamped=False)
    at = talk.warm()
    talk.send(at, 10, 11)
    talk.lose()  # segment 12
    first = talk.send(at + 225, 10)
    talk.ack(at + 241, 12)
    talk.lose()  # segment 12 again
    second = talk.send(at + 241 + 4 + silence, 12)
    assert _said(talk) == [(first, Cause.RTO), *([(second, Cause.RTO)] if found else [])]


@pytest.mark.parametrize(("silence", "missing", "found"), [(285, 2, True), (285, 1, False), (320, 2, False)])
def test_a_probe_went_before_the_timeout(silence: float, missing: int, *, found: bool) -> None:
    """Two round trips before it: the original and the probe never passed."""
    talk = Talk(stamped=False)
    at = talk.warm()
    for _ in range(missing):
        talk.lose()
    talk.answer(at, 10)
    talk.send(at + 4 + silence, 10)
    assert bool(talk.verdicts()) is found


@pytest.mark.parametrize(("silence", "found"), [(42, True), (100, False)])
def test_a_probe_of_the_last_of_several_that_never_passed(silence: float, *, found: bool) -> None:
    """Its silence is that of a probe, though its sender may number the packets of all its connections by one counter.

    It had numbered one by one for less than three times as long.
    """
    talk = Talk(near=4, far=16, stamped=False)
    talk.send(21, 0, 1, 2)
    talk.ack(37, 2)
    talk.lose()  # segment 3
    frame = talk.send(37 + 4 + silence, 3)
    assert _said(talk) == ([(frame, Cause.TAIL_LOSS_PROBE)] if found else [])


@pytest.mark.parametrize("late", [0, 12])
def test_what_never_passed_is_sent_again_when_the_timeout_is_acknowledged(late: float) -> None:
    """Late by less than a round trip, as its way varies; and the last of it after another one that was lost again."""
    talk = Talk(sack=False, stamped=False)
    at = talk.warm()
    talk.send(at, 10)
    for _ in range(4):  # segments 11 to 14
        talk.lose()
    talk.ack(at + 16, 11)
    frames = [talk.send(at + 16 + 4 + 220, 11)]
    talk.ack(at + 256, 12)
    frames.append(talk.send(at + 260 + late, 12))
    talk.lose()  # segment 13
    frames.append(talk.send(at + 260 + late, 14))
    causes = [Cause.RTO, Cause.RECOVERY, Cause.RECOVERY]
    assert _said(talk) == list(zip(frames, causes, strict=True))


def test_what_was_missing_because_others_overtook_it_is_not_sent_again() -> None:
    talk = Talk(sack=False, stamped=False)
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    for _ in range(3):
        talk.ack(at + 16, 10)
    talk.lose()
    talk.send(at + 20, 10)
    talk.segments[-1], twin = replace(talk.segments[-1]), talk.segments[-1]
    talk.send(at + 21, 11, ip_id=twin.ip_id - 1)
    talk.ack(at + 36, 14)
    talk.send(at + 45, 14)
    assert [verdict.cause for verdict in talk.verdicts()] == [Cause.FAST_RETRANSMIT, Cause.RECOVERY]


@pytest.mark.parametrize(("silence", "cause"), [(60, Cause.FAST_RETRANSMIT), (240, Cause.RTO)])
def test_duplicate_acks_were_heard_long_before_any_timer_runs_out(silence: float, cause: Cause) -> None:
    """The repeat was late on its way, as nothing but the third duplicate ACK can have released it."""
    talk = Talk(sack=False, stamped=False)
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    for _ in range(3):
        talk.ack(at + 16, 10)
    talk.send(at + 20 + silence, 10)
    assert talk.only().cause is cause


def test_a_timeout_after_a_probe_that_was_held_up_with_it() -> None:
    """No acknowledgment can have released it so soon after all the others."""
    talk = Talk(near=20, far=0.2, stamped=False)
    at = talk.warm()
    talk.send(at + 300, 10, 11, 12)
    talk.send(at + 300.1, 12)
    frame = talk.send(at + 300.2, 10)
    talk.ack(at + 300.3, 13)
    assert _said(talk)[-1] == (frame, Cause.RTO)


@pytest.mark.parametrize(("stamped", "second"), [(True, Cause.FAST_RETRANSMIT), (False, Cause.RECOVERY)])
def test_each_acknowledgment_of_an_original_takes_a_fast_retransmit_back(*, stamped: bool, second: Cause) -> None:
    """Acknowledgments were late, and more than enough duplicate ones are counted still: it retransmits fast anew.

    By the echo of the original's timestamp its sender knows that the repeat was spurious (RFC 4015).
    """
    talk = Talk(near=20, far=0.2, sack=False, stamped=stamped)
    at = talk.warm()
    talk.send(at, *range(10, 20))
    for _ in range(6):
        talk.ack(at + 0.2, 10)
    for number in range(11, 16):
        talk.ack(at + 0.3, number)
    frames = [talk.send(at + 20.2 + 0.1 * number, 10 + number) for number in range(3)]
    causes = [Cause.FAST_RETRANSMIT, second, second]
    assert _said(talk) == list(zip(frames, causes, strict=True))
    assert {verdict.needed for verdict in talk.verdicts()} == {Needed.SPURIOUS}


def test_without_selective_acknowledgments_no_sender_knows_of_a_second_loss() -> None:
    """In fast recovery it sends the first unacknowledged segment again, and nothing behind it."""
    talk = Talk(sack=False)
    at = talk.warm()
    talk.send(at, *range(10, 16))
    for _ in range(3):
        talk.ack(at + 16, 10)
    talk.send(at + 20, 10)
    talk.send(at + 21, 11)
    assert [verdict.says for verdict in talk.verdicts()] == [
        (Cause.FAST_RETRANSMIT, *NEEDED_AFTER),
        (Cause.RECOVERY, *NO_NEED),
    ]


@pytest.mark.parametrize("reported", [True, False])
def test_what_is_sent_again_behind_a_fast_retransmit_before_it_is_acknowledged(*, reported: bool) -> None:
    """Only what is reported behind it tells that it is lost; else its sender goes back, whatever it permits."""
    talk = Talk(stamped=False)
    at = talk.warm()
    talk.send(at, *range(10, 16))
    for last in (12, 13, 14):
        talk.ack(at + 16, 10, *([(12, last + 1)] if reported else []))
    talk.send(at + 24, 10)
    talk.send(at + 24, 11)
    assert [verdict.says[1:] for verdict in talk.verdicts()] == [NEEDED_AFTER, NEEDED_AFTER if reported else NO_NEED]


@pytest.mark.parametrize("repeated", [True, False])
def test_a_copy_that_the_receiver_answers_as_well(*, repeated: bool) -> None:
    """It cannot report a duplicate, and says once more what it has said. So it does of what comes behind a loss."""
    talk = Talk(sack=False)
    at = talk.warm()
    talk.send(at, 10)
    twin = talk.segments[-1]
    talk.send(at + 0.02, 10, tsval=twin.tsval, ip_id=twin.ip_id)
    talk.send(at + 0.05, 11, 12)
    talk.ack(at + 16, 11)
    talk.ack(at + 16.1, 11)
    if repeated:
        talk.send(at + 20, 11)
    talk.ack(at + 40, 13)
    assert talk.verdicts()[0].cause is (Cause.CAPTURE_DUPLICATE if repeated else Cause.NETWORK_DUPLICATE)


def test_a_capture_that_writes_all_twice_shows_no_copies_of_the_network() -> None:
    """The receiver answers all but one copy once: that answer is about something else, as its window."""
    talk = Talk(sack=False)
    at = talk.warm()
    for number in (10, 11):
        talk.send(at, number)
        twin = talk.segments[-1]
        talk.send(at + 0.02, number, tsval=twin.tsval, ip_id=twin.ip_id)
    talk.send(at + 0.05, 12, 13)
    talk.ack(at + 16, 11)
    talk.ack(at + 16, 12)
    talk.ack(at + 16.1, 12)
    talk.ack(at + 40, 14)
    assert {verdict.cause for verdict in talk.verdicts()} == {Cause.CAPTURE_DUPLICATE}


@pytest.mark.parametrize(("number", "cause"), [(12, Cause.RECOVERY), (13, Cause.REORDERING)])
def test_a_sender_that_goes_back_sends_what_was_lost_before_the_sensor_in_its_row(number: int, cause: Cause) -> None:
    """Sooner after what came behind it than any acknowledgment of that: it is no late original for that."""
    talk = Talk(stamped=False, numbered=False)
    at = talk.warm()
    talk.send(at, 10, 11)
    talk.send(at + 14, 14)
    for last in (12, 12, 12):
        talk.ack(at + 16, 10, (11, last))
    talk.send(at + 20, 10)
    talk.send(at + 20, 11)
    frame = talk.send(at + 20, number)
    assert (frame, cause) in _said(talk)


def test_an_original_that_comes_after_a_repeat_that_looked_new() -> None:
    """Identifications tell which of two was sent first, though nothing showed that the other was a repeat."""
    talk = Talk(stamped=False, sack=False)
    at = talk.warm()
    talk.lose()
    first = talk.send(at, 10)
    late = talk.send(at + 1, 10, ip_id=talk.segments[first - 1].ip_id - 1)
    verdict = talk.only()
    assert (verdict.cause, int(verdict.row["frame"]), int(verdict.row["bytes_again"])) == (Cause.REORDERING, late, 0)


def test_a_report_released_the_repeat_of_what_was_held_up() -> None:
    """The original came late: it was sent before what overtook it, so its repeat is a round trip later after all."""
    talk = Talk(near=30, far=0.2, stamped=False)
    at = talk.warm()
    original = talk.segments[talk.send(at - 1, 10) - 1].ip_id + 1
    talk.ack(at - 0.8, 11)
    talk.lose()
    for number in (12, 13, 14):
        talk.send(at, number)
        talk.ack(at + 0.2, 11, (12, number + 1))
    talk.send(at + 12, 11, ip_id=original)
    talk.ack(at + 12.2, 15)
    talk.lose()
    talk.send(at + 31, 16, 17)
    talk.ack(at + 31.2, 15, (16, 18))
    talk.send(at + 32, 11)
    assert [verdict.cause for verdict in talk.verdicts()] == [Cause.REORDERING, Cause.FAST_RETRANSMIT]


@pytest.mark.parametrize("far", [33_000, 60_000])
def test_the_numbers_of_a_busy_host_go_round_in_a_timeout(far: int) -> None:
    talk = Talk(stamped=False, sack=False)
    at = talk.warm()
    talk.send(at, 10)
    frame = talk.send(at + 1000, 10, ip_id=(talk.segments[-1].ip_id + far) & 0xFFFF)
    talk.ack(at + 1016, 11)
    assert (talk.only().cause, int(talk.only().row["frame"])) == (Cause.RTO, frame)
