"""What the capture lacks, though the receiver acknowledged it, and the frame that shows it first."""

from dataclasses import replace

import pytest

from segwatch.vocabulary import Cause, Proof
from tests.processors.builder import SERVER
from tests.processors.verdicts.talk import CLIENT_ISN, NEEDED_BEFORE, SIZE, Talk


def test_data_that_the_capture_lacks() -> None:
    talk = Talk()
    at = talk.warm()
    behind = talk.send(at, 11, 12)
    talk.ack(at + 16, 13)
    verdict = talk.only()
    assert verdict.cause is Cause.CAPTURE_LOSS
    assert [int(verdict.row["frame"]), int(verdict.row["length"])] == [behind - 1, SIZE]
    assert verdict.row["from_client"] == 1


def test_data_that_the_capture_lacks_beside_a_loss() -> None:
    """Of two segments in a hole one was sent again, and the other, which was reported to be there, never passed."""
    talk = Talk()
    at = talk.warm()
    behind = talk.send(at, 12, 13)
    talk.ack(at + 16, 10, (11, 14))
    repeat = talk.send(at + 20, 10)
    talk.ack(at + 36, 14)
    assert [(int(verdict.row["frame"]), verdict.cause) for verdict in talk.verdicts()] == [
        (behind - 1, Cause.CAPTURE_LOSS),
        (repeat, Cause.FAST_RETRANSMIT),
    ]


def test_data_that_the_capture_lacks_at_the_end() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    shown = talk.ack(at + 16, 12)
    verdict = talk.only()
    assert (verdict.cause, int(verdict.row["frame"])) == (Cause.CAPTURE_LOSS, shown)


@pytest.mark.parametrize("before", [True, False])
def test_data_that_the_capture_lacks_without_a_syn(*, before: bool) -> None:
    """Many segments behind the gap make the ones before it forgotten; without any, it may be older than the capture."""
    talk = Talk()
    talk.segments = []
    if before:
        talk.send(100, 9)
        talk.ack(116, 10)
    behind = talk.send(120, 11)
    talk.send(121, *range(12, 40))
    talk.ack(136, 40)
    assert [(int(verdict.row["frame"]), verdict.cause) for verdict in talk.verdicts()] == (
        [(behind, Cause.CAPTURE_LOSS)] if before else []
    )


def test_what_was_in_flight_when_the_capture_began_stays_unknown_behind_another_gap() -> None:
    talk = Talk()
    talk.segments = []
    talk.ack(100, 10)
    talk.send(101, 15)
    behind = talk.send(102, 17)
    talk.ack(118, 18)
    assert [(int(verdict.row["frame"]), int(verdict.row["length"])) for verdict in talk.verdicts()] == [(behind, SIZE)]


@pytest.mark.parametrize("megabytes", [1600, 3200])
def test_a_gap_is_found_however_much_was_sent_since_the_first(megabytes: int) -> None:
    """Numbers go round after four gigabytes."""
    talk = Talk()
    talk.segments = []
    size = 16_000_000
    end = 3 * SIZE
    talk.send(100, 0, 2)
    talk.ack(116, 3)
    for step in range(megabytes // 16):
        for at, sender in ((120.0 + 40 * step, talk.send), (136.0 + 40 * step, talk.ack)):
            sender(at, 0)
        sent, heard = talk.segments[-2:]
        talk.segments[-2] = replace(sent, seq=(sent.seq + end) % 2**32, length=size)
        end += size
        talk.segments[-1] = replace(heard, ack=(heard.ack + end) % 2**32)
    talk.send(100_000, 1)
    talk.segments[-1] = replace(talk.segments[-1], seq=(talk.segments[-1].seq + end) % 2**32)
    talk.ack(100_016, 2)
    talk.segments[-1] = replace(talk.segments[-1], ack=(talk.segments[-1].ack + end) % 2**32)
    assert [verdict.cause for verdict in talk.verdicts()] == [Cause.CAPTURE_LOSS] * 2


def test_what_was_in_flight_when_the_capture_began_is_not_lost() -> None:
    talk = Talk()
    talk.segments = []
    talk.ack(0, 3)
    talk.send(1, 10, 11)
    talk.ack(2, 6)
    talk.ack(17, 12)
    assert talk.verdicts() == []


def _lacks(talk: Talk) -> tuple[int, int, bool]:
    """Return the frame that shows the only loss of the capture, its bytes, and whether the receiver had reported it."""
    (verdict,) = (one for one in talk.verdicts() if one.cause is Cause.CAPTURE_LOSS)
    return int(verdict.row["frame"]), int(verdict.row["length"]), Proof.LOSS_REPORTED in verdict.proof


@pytest.mark.parametrize("stamped", [True, False])
def test_a_repeat_that_the_capture_lacks(*, stamped: bool) -> None:
    """Segment 10 was lost before the sensor: three duplicate ACKs say so. Its repeat never passed, and arrived."""
    talk = Talk(sack=False, stamped=stamped)
    at = talk.warm()
    talk.lose()
    for number in (11, 12, 13):
        talk.send(at, number)
        talk.ack(at + 16, 10)
    talk.lose()
    shown = talk.ack(at + 36.2, 14)
    assert _lacks(talk) == (shown, SIZE, True)


def test_duplicate_acks_that_come_before_any_answer_say_nothing_of_what_the_capture_lacks() -> None:
    """They are answers to earlier repeats."""
    talk = Talk(sack=False, stamped=False)
    at = talk.warm()
    for number in (7, 8, 9):
        talk.send(at, number)
    talk.lose()
    behind = talk.send(at + 12, 11)
    for later in (16, 16.1, 16.2):
        talk.ack(at + later, 10)
    talk.ack(at + 60, 12)
    assert _lacks(talk) == (behind, SIZE, False)


def test_a_repeat_that_the_capture_lacks_after_selective_acknowledgments() -> None:
    """One report is enough: it has what lies behind the hole, and not the hole."""
    talk = Talk()
    at = talk.warm()
    talk.lose()
    talk.send(at, 11, 12)
    talk.ack(at + 16, 10, (11, 13))
    shown = talk.ack(at + 36.2, 13)
    assert _lacks(talk) == (shown, SIZE, True)


def test_what_fills_a_hole_sooner_than_a_repeat_was_held_up_behind_the_sensor() -> None:
    talk = Talk()
    at = talk.warm()
    behind = talk.send(at, 11, 12) - 1
    talk.ack(at + 16, 10, (11, 13))
    talk.ack(at + 18, 13)
    assert _lacks(talk) == (behind, SIZE, False)


def test_a_hole_that_the_receiver_did_not_ask_for_was_filled_by_the_original() -> None:
    """What was lost lies before it; it is acknowledged with that, late."""
    talk = Talk(sack=False)
    at = talk.warm()
    talk.send(at, 11)
    behind = talk.send(at, 13)
    for _ in range(3):
        talk.ack(at + 16, 10)
    repeat = talk.send(at + 20, 10)
    talk.ack(at + 36, 14, tsecr=talk.segments[repeat - 1].tsval)
    assert talk.verdicts()[1].says == (Cause.FAST_RETRANSMIT, *NEEDED_BEFORE)
    assert _lacks(talk) == (behind, SIZE, False)


@pytest.mark.parametrize(("later", "repeated"), [(20, True), (5, False)])
def test_a_partial_acknowledgment_asks_for_what_lies_behind_it(later: float, *, repeated: bool) -> None:
    """Its answer comes a round trip later (RFC 6582), if it was not sent just before the original came."""
    talk = Talk(sack=False, stamped=False)
    at = talk.warm()
    behind = talk.send(at, 11, 13)
    for _ in range(3):
        talk.ack(at + 16, 10)
    talk.send(at + 20, 10)
    talk.ack(at + 36, 12)
    shown = talk.ack(at + 36 + later, 14)
    assert _lacks(talk) == (shown if repeated else behind, SIZE, repeated)


@pytest.mark.parametrize(
    ("later", "repeat", "answered"), [(True, True, True), (False, True, True), (True, False, True), (True, True, False)]
)
def test_an_acknowledgment_echoes_a_repeat_that_the_capture_lacks(*, later: bool, repeat: bool, answered: bool) -> None:
    """The acknowledgment that asked for it is not in the capture; but a later segment than all that passed arrived.

    If no repeat of segment 10 passed, it was that one; or if none of the acknowledgments is missing.
    """
    talk = Talk(sack=False)
    at = talk.warm()
    behind = talk.send(at, 10, 11, 13)
    for _ in range(3):
        talk.ack(at + 16, 10)
    if repeat:
        talk.send(at + 20, 10)
    echo = talk.segments[behind - 1].tsval + (40 if later else 20 if repeat else 0)
    if answered:
        talk.lose(SERVER)
    shown = talk.ack(at + 56.2, 14, tsecr=echo)
    repeated = later and repeat and answered
    assert _lacks(talk) == (shown if repeated else behind, SIZE, repeated)


@pytest.mark.parametrize("missing", [True, False])
def test_a_repeat_that_the_capture_lacks_is_one_segment(*, missing: bool) -> None:
    """One segment is sent again in a round trip: the rest of the gap had arrived, if the acknowledgment is its own."""
    talk = Talk(sack=False)
    at = talk.warm()
    behind = talk.send(at, 12, 13)
    for _ in range(3):
        talk.ack(at + 16, 10)
    if missing:
        talk.lose(SERVER)
    shown = talk.ack(at + 36, 14, tsecr=round(at) + 7020)
    lost = [(int(verdict.row["frame"]), int(verdict.row["length"])) for verdict in talk.verdicts()]
    assert lost == ([(shown, 2 * SIZE)] if missing else [(behind - 1, SIZE), (shown, SIZE)])


def test_the_first_hole_was_reported_though_what_lies_behind_it_is_not_acknowledged() -> None:
    """Segments 10 and 11 were lost, and the repeat of 10 is acknowledged: not what lies behind the hole of 11."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 12, 13)
    talk.ack(at + 16, 10, (12, 13))
    talk.ack(at + 16.1, 10, (12, 14))
    shown = talk.ack(at + 56, 11, (12, 14))
    assert _lacks(talk) == (shown, SIZE, True)


def test_a_short_segment_behind_a_gap_does_not_cut_what_was_lost() -> None:
    """One segment was lost, and its repeat is not in the capture; those behind it are short."""
    talk = Talk(sack=False, stamped=False)
    at = talk.warm()
    talk.lose()
    for number in range(5):
        talk.probe(at + number, CLIENT_ISN + 1 + 11 * SIZE + number * SIZE // 5, SIZE // 5)
        talk.ack(at + 16 + number, 10)
    talk.lose()
    shown = talk.ack(at + 56, 12)
    assert _lacks(talk) == (shown, SIZE, True)


def test_a_gap_of_which_the_receiver_had_a_part() -> None:
    """Segment 10 was lost, and its repeat is not in the capture; nor is 11, which the receiver had."""
    talk = Talk()
    at = talk.warm()
    behind = talk.send(at, 12, 13)
    for end in (12, 13, 14):
        talk.ack(at + 16 + end / 10, 10, (11, end))
    shown = talk.ack(at + 56, 14)
    lost = [(int(verdict.row["frame"]), int(verdict.row["length"])) for verdict in talk.verdicts()]
    assert lost == [(behind - 1, SIZE), (shown, SIZE)]


def test_a_new_window_reports_no_loss() -> None:
    """The capture begins in the middle: nothing tells whether the receiver would acknowledge selectively."""
    talk = Talk(stamped=False)
    talk.segments = []
    for number in range(10):
        talk.send(100 + 20 * number, number)
        talk.ack(116 + 20 * number, number + 1)
    behind = talk.send(300, 11)
    talk.ack(302, 10, window=5000)
    talk.ack(356, 12)
    assert _lacks(talk) == (behind, SIZE, False)
