"""Copies by the network or the capture, and answers that change nothing."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from segwatch.explain.verdict_words import reason
from segwatch.vocabulary import Cause
from tests.processors.builder import SERVER, Segment
from tests.processors.verdicts.talk import CLIENT_ISN, NO_NEED, SIZE, Talk


def test_a_copy_made_by_the_network() -> None:
    talk = Talk()
    at = talk.warm()
    original = talk.send(at, 10)
    twin = talk.segments[-1]
    talk.send(at + 3, 10, tsval=twin.tsval, ip_id=twin.ip_id)
    talk.ack(at + 16, 11)
    verdict = talk.only()
    assert verdict.says == (Cause.NETWORK_DUPLICATE, *NO_NEED)
    assert verdict.row["original_frame"] == original


def test_a_copy_made_by_the_capture_until_the_receiver_says_that_it_had_two() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    twin = talk.segments[-1]
    talk.send(at + 0.02, 10, tsval=twin.tsval, ip_id=twin.ip_id)
    talk.ack(at + 16, 11)
    assert talk.only().says == (Cause.CAPTURE_DUPLICATE, *NO_NEED)
    talk.ack(at + 16.1, 11, (10, 11))
    verdict = talk.only()
    assert verdict.cause is Cause.NETWORK_DUPLICATE
    assert verdict.row["revision"] == 1


def test_a_copy_behind_a_hole_that_the_receiver_reports() -> None:
    """What lies behind a hole leaves the timestamp that is echoed as it was."""
    talk = Talk()
    at = talk.warm()
    heard = talk.segments[-2].tsval
    talk.lose()
    talk.send(at, 11, 12)
    twin = talk.segments[-1]
    talk.send(at + 0.02, 12, tsval=twin.tsval, ip_id=twin.ip_id)
    talk.ack(at + 16, 10, (11, 12), tsecr=heard)
    talk.ack(at + 16.1, 10, (12, 13), (11, 13), tsecr=heard)
    assert talk.only().says == (Cause.NETWORK_DUPLICATE, *NO_NEED)


def test_every_copy_of_a_packet_without_identification_is_one() -> None:
    """Not the first one alone: none of them is a repeat."""
    talk = Talk(numbered=False)
    at = talk.warm()
    for copy in range(4):
        talk.send(at + 0.001 * copy, 10, tsval=round(at) + 7000)
    assert [verdict.cause for verdict in talk.verdicts()] == [Cause.CAPTURE_DUPLICATE] * 3


@pytest.mark.parametrize("later", [0.03, 3])
def test_a_copy_from_behind_a_router(later: float) -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    twin = talk.segments[-1]
    talk.send(at + later, 10, tsval=twin.tsval, ip_id=twin.ip_id, ttl=63)
    talk.ack(at + 16, 11)
    assert talk.only().says == (Cause.CAPTURE_DUPLICATE, *NO_NEED)


def test_an_empty_copy_from_behind_a_router_names_no_frame() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.ack(at + 16, 11)
    twin = talk.segments[-1]
    talk.ack(at + 16.03, 11, tsval=twin.tsval, ip_id=twin.ip_id, ttl=63)
    verdict = talk.only()
    assert verdict.says == (Cause.CAPTURE_DUPLICATE, *NO_NEED)
    assert "frame 0" not in reason(verdict.row)


def test_a_copy_of_the_first_empty_segment_after_one_without_identification() -> None:
    """Its sender's identifications are not all the same, as a SYN/ACK of Linux has none."""
    talk = Talk()
    talk.segments[1] = replace(talk.segments[1], ip_id=0)
    talk.send(100, 0)
    for copy in range(2):
        talk.ack(116 + 0.01 * copy, 1, tsval=7116, ip_id=500)
    assert talk.only().says == (Cause.CAPTURE_DUPLICATE, *NO_NEED)


def test_a_copy_of_what_is_forgotten_since_all_was_acknowledged() -> None:
    talk = Talk(stamped=False)
    at = talk.warm()
    talk.send(at, 10, 11)
    original = talk.segments[-2]
    talk.send(at, 12, flags="FA", length=0)
    talk.ack(at + 16, 12)
    talk.segments[-1] = replace(talk.segments[-1], ack=talk.segments[-1].ack + 1)
    talk.segments.append(replace(original, at=at + 19))
    assert talk.only().says == (Cause.NETWORK_DUPLICATE, *NO_NEED)


def test_a_copy_of_the_last_packet_after_all_was_acknowledged() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, flags="FA")
    last = talk.segments[-1]
    talk.ack(at + 16, 11)
    talk.segments[-1] = replace(talk.segments[-1], ack=talk.segments[-1].ack + 1)
    talk.segments.append(replace(last, at=at + 17))
    assert talk.only().says == (Cause.NETWORK_DUPLICATE, *NO_NEED)


def test_a_copy_of_an_answer_to_a_syn_though_that_came_sooner() -> None:
    """At the server, which answers at once; Linux gives a SYN/ACK no identification."""
    talk = Talk(near=20, far=0.06)
    talk.segments[1] = replace(talk.segments[1], ip_id=0)
    talk.segments.insert(2, replace(talk.segments[1], at=talk.segments[1].at + 0.05))
    assert talk.only().says == (Cause.CAPTURE_DUPLICATE, *NO_NEED)


def test_a_challenge_of_a_syn_acknowledges_nothing() -> None:
    talk = Talk()
    talk.segments[1:1] = [Segment(10, SERVER, "A", 777, 900_000_000)]
    talk.warm()
    assert talk.verdicts() == []


def test_a_second_answer_with_another_number_changes_nothing() -> None:
    talk = Talk()
    talk.segments.append(Segment(700, SERVER, "SA", 1_000_000_000, CLIENT_ISN + 1, ip_id=9100))
    for number in range(3):
        talk.answer(800 + 40 * number, 0, number)
        talk.take(810 + 40 * number, number + 1)
    assert talk.verdicts() == []


def test_an_answer_that_was_not_taken_gives_way_to_another() -> None:
    talk = Talk()
    talk.segments[1:1] = [Segment(8, SERVER, "SA", 1_000_000_000, CLIENT_ISN + 1, ip_id=8999)]
    talk.answer(800, 0, 0)
    talk.take(810, 1)
    assert talk.verdicts() == []


_CUT = (1448, 1448, 704)
"""Payloads of the packets that a segment of 3600 bytes is cut into."""


def _send_cut(talk: Talk, at: float, first_id: int, steps: Sequence[int], lengths: Sequence[int] = _CUT) -> None:
    """Let a frame of 3600 bytes pass, and what it is cut into, whose identifications go on by ``steps``."""
    talk.send(at, 10, length=sum(_CUT), ip_id=first_id)
    start = CLIENT_ISN + 1 + 10 * SIZE
    stamp = talk.segments[-1].tsval
    for part, (length, step) in enumerate(zip(lengths, steps, strict=True), 1):
        seq = start + sum(lengths[: part - 1])
        more = {"seq": seq, "length": length, "tsval": stamp, "ip_id": first_id + step}
        talk.segments.append(replace(talk.segments[-1], at=at + 0.01 * part, **more))


@pytest.mark.parametrize("steps", [(0, 1, 2), (0, 0, 0)])
@pytest.mark.parametrize("stamped", [True, False])
def test_a_large_send_and_what_it_is_cut_into_are_copies_of_the_capture(steps: Sequence[int], stamped: bool) -> None:
    """A bridge shows both sides of where it is cut; each packet has the next identification, or all have the same."""
    talk = Talk(stamped=stamped)
    at = talk.warm()
    _send_cut(talk, at, 500, steps)
    talk.ack(at + 16, 13)
    verdicts = talk.verdicts()
    assert [verdict.says for verdict in verdicts] == [(Cause.CAPTURE_DUPLICATE, *NO_NEED)] * 3
    assert {int(verdict.row["bytes_again"]) for verdict in verdicts} == {0}


def test_packets_and_what_an_interface_puts_together_of_them() -> None:
    talk = Talk()
    at = talk.warm()
    first = talk.send(at, 10, 11, 12, tsval=9999)
    number = talk.segments[first - 3].ip_id
    talk.send(at + 0.01, 10, length=3 * SIZE, tsval=9999, ip_id=number)
    talk.ack(at + 16, 13)
    assert talk.only().says == (Cause.CAPTURE_DUPLICATE, *NO_NEED)


def test_a_repeat_of_a_part_of_a_large_send_is_a_repeat() -> None:
    """It has an identification behind all that the frame took."""
    talk = Talk()
    at = talk.warm()
    _send_cut(talk, at, 500, (3,), lengths=(1448,))
    assert talk.only().cause is not Cause.CAPTURE_DUPLICATE
