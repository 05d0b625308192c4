"""Repeats of what never passed the sensor, of hosts that number each connection for itself, as Linux does."""

from dataclasses import replace

import pytest

from segwatch.vocabulary import Cause
from tests.processors.builder import CLIENT, SERVER
from tests.processors.verdicts.talk import NEEDED_AFTER, NEEDED_BEFORE, NO_NEED, SIZE, Talk


def _acknowledge(talk: Talk) -> None:
    """Let what the client sent last acknowledge the server's first answer."""
    answered = next(one.seq for one in talk.segments if one.sender == SERVER and one.length) + SIZE
    talk.segments[-1] = replace(talk.segments[-1], ack=answered)


def _said(talk: Talk) -> list[tuple[int, Cause]]:
    return [(int(verdict.row["frame"]), verdict.cause) for verdict in talk.verdicts()]


@pytest.mark.parametrize(
    ("ttl", "stamped", "shared", "found"),
    [(64, True, False, True), (128, True, False, False), (64, False, False, False), (64, True, True, False)],
)
def test_a_number_is_missing_after_a_pause_that_no_timer_explains(
    ttl: int, *, stamped: bool, shared: bool, found: bool
) -> None:
    """The application paused, then a probe followed what was lost: only of Linux a missing number tells so.

    Others have another initial TTL, or no timestamps, or have taken numbers for something else before.
    """
    talk = Talk(stamped=stamped)
    at = talk.warm(5)
    if shared:
        talk.lose()
        talk.send(at, 5)
        talk.ack(at + 16, 6)
    talk.lose()
    talk.send(at + 1600, 6 if shared else 5)
    talk.segments = [replace(one, ttl=ttl) for one in talk.segments]
    assert bool(talk.verdicts()) is found


def test_an_answer_that_was_lost_twice_before_anything_else_was_sent() -> None:
    """Its sender's SYN/ACK had no identification, and its acknowledgments have, as those of Linux."""
    talk = Talk()
    talk.segments[1] = replace(talk.segments[1], ip_id=0)
    talk.send(100, 0, 1, 2)
    talk.ack(116, 2)
    talk.ack(117, 3)
    talk.answer(117 + 660, 3)
    talk.segments[-1] = replace(talk.segments[-1], ip_id=talk.segments[-1].ip_id + 2)
    assert [verdict.says[1:] for verdict in talk.verdicts()] == [NEEDED_BEFORE]


@pytest.mark.parametrize(("acked", "found"), [(117, True), (776, False)])
def test_what_is_missing_was_sent_after_what_passed_last(acked: float, *, found: bool) -> None:
    """Acknowledgments were held up, and some of them lost: by the sender's clock no timer ran since the last one."""
    talk = Talk()
    talk.segments[1] = replace(talk.segments[1], ip_id=0)
    talk.send(100, 0, 1, 2)
    talk.ack(116, 2)
    talk.ack(acked, 3)
    talk.answer(777, 3)
    talk.segments[-1] = replace(talk.segments[-1], ip_id=talk.segments[-1].ip_id + 2)
    assert bool(talk.verdicts()) is found


@pytest.mark.parametrize(("sent", "found"), [(0, True), (60, False)])
def test_a_timeout_runs_from_the_sending_by_the_clock_of_the_sender(sent: int, *, found: bool) -> None:
    """What it sent before was held up on its way to the sensor: so it had sent that sooner than it passed."""
    talk = Talk(near=20, far=0.2)
    at = talk.warm()
    talk.send(at + 60, 10, tsval=round(at) + sent + 7000)
    talk.lose()
    talk.lose()
    talk.ack(at + 60.2, 11)
    talk.send(at + 241, 11, tsecr=talk.segments[-1].tsval)
    assert bool(talk.verdicts()) is found


def test_a_number_that_a_verdict_accounts_for_does_not_speak_against_its_sender() -> None:
    talk = Talk()
    at = talk.warm(5)
    frames = []
    for number in (5, 6):
        talk.lose()
        frames.append(talk.send(at + 1000, number))
        talk.ack(at + 1016, number + 1)
        at += 1020
    assert [frame for frame, _ in _said(talk)] == frames


def test_all_that_never_passed_belongs_to_the_episode() -> None:
    """Each repeat goes when the one before it is acknowledged, which is more than what had passed at first."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11)
    for _ in range(3):  # segments 12 to 14
        talk.lose()
    talk.ack(at + 16, 10, (11, 12))
    frames = [talk.send(at + 225, 10)]
    talk.ack(at + 241, 12)
    for number in (12, 13, 14):
        frames.append(talk.send(at + 245 + 20 * (number - 12), number))
        talk.ack(at + 261 + 20 * (number - 12), number + 1)
    talk.send(at + 305, 15)
    talk.ack(at + 321, 16)
    assert _said(talk) == [(frames[0], Cause.RTO), *((frame, Cause.RECOVERY) for frame in frames[1:])]


def test_what_left_a_hole_is_not_among_what_left_none() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    talk.lose()  # segment 14
    talk.ack(at + 16, 10, (11, 14))
    first = talk.send(at + 20, 10)
    talk.ack(at + 36, 14)
    talk.send(at + 40, 15, 16, 17)
    talk.ack(at + 56, 14, (15, 18))
    second = talk.send(at + 60, 14)
    talk.ack(at + 76, 18)
    assert _said(talk) == [(first, Cause.FAST_RETRANSMIT), (second, Cause.RECOVERY)]


def test_a_timeout_in_an_episode_changes_nothing_of_what_never_passed() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    talk.lose()  # segment 14
    talk.ack(at + 16, 10, (11, 14))
    frames = [talk.send(at + 20, 10), talk.send(at + 260, 10)]
    talk.ack(at + 276, 14)
    frames.append(talk.send(at + 280, 14))
    talk.ack(at + 296, 15)
    assert _said(talk) == list(zip(frames, (Cause.FAST_RETRANSMIT, Cause.RTO, Cause.RECOVERY), strict=True))


@pytest.mark.parametrize(("lost", "cause"), [(True, Cause.RECOVERY), (False, Cause.FAST_RETRANSMIT)])
def test_the_first_repeat_is_that_of_the_first_loss(*, lost: bool, cause: Cause) -> None:
    """Segment 10 is sent again before 12, and its repeat is lost before the sensor, too; a number is missing."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13, 14)
    talk.ack(at + 16, 10, (11, 12))
    talk.ack(at + 16.1, 10, (13, 15), (11, 12))
    if lost:
        talk.lose()
    frame = talk.send(at + 20, 12)
    assert _said(talk) == [(frame, cause)]


def test_an_answer_to_a_syn_echoes_the_one_that_it_answers() -> None:
    """The second of three: the answer at once was lost, and comes again by its timer."""
    talk = Talk()
    syn, answer, acknowledgment = talk.segments
    again = [
        replace(syn, at=1000 * number, tsval=syn.tsval + 1000 * number, ip_id=syn.ip_id + number) for number in (1, 2)
    ]
    late = replace(answer, at=2036, tsecr=again[0].tsval)
    talk.segments = [syn, *again, late, replace(acknowledgment, at=2040)]
    last = talk.verdicts()[-1]
    assert last.cause is Cause.SYN_RETRY
    assert int(last.row["frame"]) == 4
    assert int(last.row["since_original"]) == 1_036_000_000


@pytest.mark.parametrize("numbered", [True, False])
def test_an_answer_that_did_not_pass_may_have_been_that_to_the_original(*, numbered: bool) -> None:
    """Of a repeat of the only segment in flight: the receiver has said something before, as its numbers show."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10)
    talk.send(at + 225, 10)
    talk.ack(at + 241, 11)
    if numbered:
        talk.segments[-1] = replace(talk.segments[-1], ip_id=talk.segments[-1].ip_id + 1)
    assert talk.only().says == (Cause.TAIL_LOSS_PROBE, *(NO_NEED if numbered else NEEDED_AFTER))


@pytest.mark.parametrize("missing", [0, 3])
def test_answers_that_did_not_pass_before_that_of_a_probe(missing: int) -> None:
    """Of the last of several segments, of which none is acknowledged before."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12)
    talk.send(at + 45, 12)
    talk.ack(at + 61, 13)
    talk.segments[-1] = replace(talk.segments[-1], ip_id=talk.segments[-1].ip_id + missing)
    assert talk.only().says == (Cause.TAIL_LOSS_PROBE, *(NO_NEED if missing else NEEDED_AFTER))


def test_what_did_not_pass_after_a_reported_loss_were_more_reports() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    talk.ack(at + 16, 10, (11, 13))
    talk.send(at + 20, 10)
    talk.ack(at + 36, 14)
    talk.segments[-1] = replace(talk.segments[-1], ip_id=talk.segments[-1].ip_id + 1)
    assert talk.only().says == (Cause.FAST_RETRANSMIT, *NEEDED_AFTER)


def test_data_that_the_capture_lacks_behind_what_is_forgotten() -> None:
    """What was acknowledged makes room for what comes; the gap begins where it ended."""
    talk = Talk()
    talk.send(100, 1, 2, 3, 4, 5)
    talk.ack(116, 6)
    verdict = talk.only()
    assert verdict.cause is Cause.CAPTURE_LOSS
    assert int(verdict.row["length"]) == 1000
    assert {one.sender for one in talk.segments} == {CLIENT, SERVER}


@pytest.mark.parametrize("sack", [True, False])
def test_a_timer_that_runs_from_the_sending(*, sack: bool) -> None:
    """Two segments and the probe of the last were lost; the one before was acknowledged late (Linux, RFC 8985)."""
    talk = Talk(near=20, far=0.2, sack=sack)
    at = talk.warm(5)
    talk.send(at, 5)
    for _ in range(3):
        talk.lose()
    talk.ack(at + 40, 6)
    talk.send(at + 230, 6)
    assert [verdict.says for verdict in talk.verdicts()] == ([(Cause.RTO, *NEEDED_BEFORE)] if sack else [])


@pytest.mark.parametrize("ttl", [64, 128])
def test_a_round_trip_that_was_measured_too_long(ttl: int) -> None:
    """Its client was slow to complete the handshake, which alone tells the time to it and back.

    Of others than Linux a missing number tells less, so the silence has to be a timeout's for certain.
    """
    talk = Talk(near=40, far=0.2)
    for number in range(5):
        talk.send(100 + 20 * number, number)
        talk.ack(100.2 + 20 * number, number + 1)
    talk.lose()
    talk.lose()
    talk.send(180.2 + 20 + 220, 5)
    talk.segments = [replace(one, ttl=ttl) for one in talk.segments]
    assert [verdict.says for verdict in talk.verdicts()] == ([(Cause.RTO, *NEEDED_BEFORE)] if ttl == 64 else [])


@pytest.mark.parametrize("ttl", [64, 128])
def test_data_that_was_in_flight_is_not_sent_anew_though_its_timeout_takes_longer(ttl: int) -> None:
    """Segment 14 never passed before the fast retransmit; its sender's timeout is longer than any that is estimated."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    talk.lose()  # segment 14
    talk.ack(at + 16, 10, (11, 14))
    frames = [talk.send(at + 20, 10)]
    talk.ack(at + 36, 14)
    frames.append(talk.send(at + 636, 14))
    talk.segments = [replace(one, ttl=ttl) for one in talk.segments]
    said = [(frames[0], Cause.FAST_RETRANSMIT), (frames[1], Cause.RTO)]
    assert _said(talk) == (said if ttl == 64 else said[:1])


def test_an_answer_may_begin_where_nothing_but_an_acknowledgment_was_missing() -> None:
    """The server had sent something just before the fast retransmit: so what did not pass may have been empty."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    talk.answer(at + 2, 10)
    talk.lose()  # the acknowledgment of that
    talk.ack(at + 16, 10, (11, 14))
    talk.segments[-1] = replace(talk.segments[-1], seq=talk.segments[-1].seq + 1000)
    ack = talk.segments[-1].seq
    frame = talk.send(at + 20, 10)
    talk.ack(at + 36, 14)
    talk.segments[-1] = replace(talk.segments[-1], seq=ack)
    talk.send(at + 1036, 14)
    talk.segments[-3:] = [replace(one, ack=ack) if one.sender == CLIENT else one for one in talk.segments[-3:]]
    assert _said(talk) == [(frame, Cause.FAST_RETRANSMIT)]


@pytest.mark.parametrize("ttl", [64, 128])
def test_a_probe_that_comes_sooner_than_two_of_the_least_round_trips(ttl: int) -> None:
    """Delays on the way to the sensor change; only of Linux the missing numbers tell that something is sent again."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11)
    talk.lose()  # segment 12
    talk.lose()  # segment 13
    talk.ack(at + 16, 12)
    frame = talk.send(at + 46, 13)
    talk.segments = [replace(one, ttl=ttl) for one in talk.segments]
    assert _said(talk) == ([(frame, Cause.TAIL_LOSS_PROBE)] if ttl == 64 else [])


@pytest.mark.parametrize("held_up", [0, 150])
def test_a_repeat_that_was_held_up_on_its_way_to_the_sensor(held_up: float) -> None:
    """It passes later than any timer runs; its sender's clock tells that it was sent when one had run."""
    talk = Talk()
    at = talk.warm() + 500
    talk.answer(at, 10)
    talk.lose()  # segment 10, which acknowledged that
    sent = at + 4 + 220
    talk.send(sent + held_up, 10, tsval=round(sent) + 7000, tsecr=talk.segments[-1].tsval)
    assert [verdict.says[1:] for verdict in talk.verdicts()] == [NEEDED_BEFORE]


@pytest.mark.parametrize(("lost", "found"), [(1, False), (2, True)])
def test_before_a_timeout_one_that_never_passed_may_have_been_a_probe(lost: int, *, found: bool) -> None:
    """Another one was data, so that what begins there is no new data, long after."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11)
    for _ in range(lost):
        talk.lose()
    frames = [talk.send(at + 240, 10)]
    talk.ack(at + 256, 12)
    frames.append(talk.send(at + 856, 12))
    assert [frame for frame, _ in _said(talk)] == frames[: 1 + found]


@pytest.mark.parametrize("asked_again", [False, True])
def test_an_acknowledgment_of_what_was_sent_again_may_be_missing(*, asked_again: bool) -> None:
    """The server's data came twice, so the client has answered twice: that tells nothing against its numbers."""
    talk = Talk()
    at = talk.warm()
    talk.answer(at, 10)
    talk.lose()  # the acknowledgment of that
    if asked_again:
        talk.answer(at + 230, 10)
    talk.probe(at + 234, talk.segments[0].seq + 1 + SIZE * 10)
    _acknowledge(talk)
    talk.send(at + 260, 10, 11)
    talk.ack(at + 276, 11)
    talk.ack(at + 277, 12)
    for _ in range(3):  # segments 12 and 13, and the probe of the latter
        talk.lose()
    frame = talk.send(at + 3000, 12)
    assert (frame in dict(_said(talk))) is asked_again


@pytest.mark.parametrize("echoed", [False, True])
def test_what_an_acknowledgment_echoes_tells_how_long_it_took(*, echoed: bool) -> None:
    """The client was slow to complete the handshake; its answer to a repeat tells the least time to it and back."""
    talk = Talk(near=60, far=0.2)
    at = talk.warm(5)
    talk.answer(at, 5)
    talk.answer(at + 230, 5)
    again = talk.segments[-1]
    talk.send(at + 234, 5, tsecr=again.tsval if echoed else again.tsval - 230)
    _acknowledge(talk)
    talk.ack(at + 234.2, 6)
    for _ in range(2):  # segments 6 and 7
        talk.lose()
    frame = talk.send(at + 284, 7, tsecr=again.tsval)
    assert (frame in dict(_said(talk))) is echoed


@pytest.mark.parametrize("known", [True, False])
def test_what_was_heard_last_was_heard_when_it_passed(*, known: bool) -> None:
    """The peer's clock ran on while its next segments were held up; what is echoed passed before that."""
    talk = Talk()
    talk.segments[1] = replace(talk.segments[1], ip_id=0)
    at = talk.warm() + 500
    talk.answer(at, 10)
    echoed = talk.segments[-1].tsval
    talk.lose()  # segment 10, which acknowledged that
    held_up = talk.answer(at + 223, 10, 1)
    talk.segments[held_up - 1] = replace(talk.segments[held_up - 1], tsval=echoed + 150)
    talk.send(at + 224, 10, tsecr=echoed if known else echoed - 1)
    assert bool(talk.verdicts()) is known


@pytest.mark.parametrize(("lost", "found"), [(1, False), (2, True)])
def test_data_in_flight_before_a_timeout_that_is_taken_back(lost: int, *, found: bool) -> None:
    """Acknowledgments were late, so the timeout was spurious; what had been lost comes again much later."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12)
    for _ in range(lost):  # segments 13 and 14; one of them alone may have been a probe
        talk.lose()
    echoed = round(at) + 7000
    frames = [talk.send(at + 240, 10)]
    talk.ack(at + 241, 12, tsecr=echoed)
    talk.ack(at + 242, 13, tsecr=echoed)
    talk.ack(at + 256, 13, (10, 11))
    frames.append(talk.send(at + 856, 13))
    assert [frame for frame, _ in _said(talk)] == frames[: 1 + found]


def test_what_comes_late_is_not_sent_again() -> None:
    """Segment 14 was overtaken by the fast retransmit, as its number says, and not lost."""
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    talk.lose()
    talk.ack(at + 16, 10, (11, 14))
    frame = talk.send(at + 20, 10)
    talk.send(at + 21, 14)
    before = talk.segments[frame - 1]
    talk.segments[-1] = replace(talk.segments[-1], ip_id=before.ip_id - 1, tsval=before.tsval - 20)
    talk.ack(at + 37, 15)
    assert _said(talk) == [(frame, Cause.FAST_RETRANSMIT)]


@pytest.mark.parametrize("ttl", [64, 128])
def test_all_of_the_first_flight_was_lost(ttl: int) -> None:
    """Its sender has numbered but the SYN and the acknowledgment after it, one by one."""
    talk = Talk()
    talk.segments[0] = replace(talk.segments[0], ip_id=talk.segments[2].ip_id - 1)
    for _ in range(5):
        talk.lose()
    frames = [talk.send(250, 0)]
    talk.ack(266, 1)
    frames.append(talk.send(270, 1))
    talk.segments = [replace(one, ttl=ttl) for one in talk.segments]
    assert _said(talk) == (list(zip(frames, (Cause.RTO, Cause.RECOVERY), strict=True)) if ttl == 64 else [])


@pytest.mark.parametrize(("lost", "found"), [(1, False), (2, True)])
def test_a_repeat_of_what_it_had_starts_no_timer_anew(lost: int, *, found: bool) -> None:
    """The server asks again, and its client answers again at that time, as its timer ran since the first time.

    The answer did not pass, nor its acknowledgment of the repeat.
    """
    talk = Talk()
    at = talk.warm() + 500
    talk.answer(at, 10)
    for _ in range(lost):
        talk.lose()
    again = talk.segments[talk.answer(at + 230, 10) - 1]
    frame = talk.send(at + 236, 10, tsecr=again.tsval)
    assert (frame in dict(_said(talk))) is found


@pytest.mark.parametrize("passed", [True, False])
def test_repeats_that_never_passed_are_no_data_in_flight(*, passed: bool) -> None:
    """A probe and a timeout were lost before the sensor; new data follows long after the second timeout's repeat."""
    talk = Talk()
    at = talk.warm()
    if passed:
        talk.send(at, 10)
    else:
        talk.lose()
    for _ in range(2):
        talk.lose()
    frame = talk.send(at + 880, 10)
    talk.ack(at + 896, 11)
    talk.send(at + 900, 11)
    talk.ack(at + 916, 12)
    talk.send(at + 1900, 12)
    assert [one for one, _ in _said(talk)] == [frame]


def test_a_probe_may_have_gone_before_a_late_fast_retransmit() -> None:
    talk = Talk()
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    talk.lose()  # a probe
    talk.ack(at + 82, 10, (11, 14))
    frame = talk.send(at + 86, 10)
    talk.ack(at + 102, 14)
    talk.send(at + 700, 14)
    assert [one for one, _ in _said(talk)] == [frame]


@pytest.mark.parametrize("gap", [30, 45, 100, 1000])
def test_what_the_capture_lacks_accounts_for_its_number(gap: int) -> None:
    """Its acknowledgment shows that it was sent: so nothing else is missing before the next segment."""
    talk = Talk()
    at = talk.warm()
    talk.lose()  # segment 10, by the capture
    talk.ack(at + 16, 11)
    talk.send(at + gap, 11)
    talk.ack(at + gap + 16, 12)
    assert [cause for _, cause in _said(talk)] == [Cause.CAPTURE_LOSS]


def test_identifications_go_round_over_one_that_counts_for_none() -> None:
    talk = Talk(last_id=65535 - 12)
    at = talk.warm()
    assert talk.segments[-2].ip_id == 65535
    talk.lose()  # none is missing: 0 comes next
    talk.segments.append(replace(talk.segments[-2], at=at, seq=talk.segments[-2].seq + SIZE, ip_id=0))
    talk.ack(at + 16, 11)
    talk.send(at + 100, 11, ip_id=1)
    talk.ack(at + 116, 12)
    assert not talk.verdicts()


@pytest.mark.parametrize("size", [1200, 1368])
def test_packets_smaller_than_ethernets_take_more_numbers(size: int) -> None:
    """A server's own capture, where its interface cuts what it sends into packets for a tunnel."""
    talk = Talk(near=16, far=0.2)
    syn, answer, acknowledgment = talk.segments
    talk.segments[1] = answer = replace(answer, ip_id=0)
    at, number = 100.0, 200
    for push in range(6):
        seq = answer.seq + 1 + 20 * size * push
        data = replace(answer, at=at, flags="A", seq=seq, length=20 * size, ip_id=number, tsval=round(at) + 7000)
        talk.segments.append(replace(data, quality=0x200 & data.quality, tsecr=talk.segments[-1].tsval))
        heard = replace(acknowledgment, at=at + 16, ack=seq + 20 * size, ip_id=9100 + push, tsval=round(at) + 7016)
        talk.segments.append(replace(heard, tsecr=round(at) + 7000))
        number += 20
        at += 400
    assert syn.at < answer.at
    assert not talk.verdicts()


def test_a_duplicate_of_the_same_tick_does_not_answer_the_repeat() -> None:
    """Behind a fast retransmit come duplicate ACKs of what was sent in its millisecond: a hole fills late."""
    talk = Talk(numbered=False)
    at = talk.warm()
    talk.send(at, 10, 11, 12, 13)
    talk.ack(at + 16, 10, (11, 14))
    talk.send(at + 20, 14, 10)
    talk.ack(at + 20.1, 10, (11, 15), tsecr=talk.segments[-1].tsval)
    talk.ack(at + 36, 15)
    talk.send(at + 40, 15, 17)
    late = talk.send(at + 48, 16, tsval=talk.segments[-1].tsval)
    talk.ack(at + 57, 18)
    assert dict(_said(talk))[late] is Cause.REORDERING


@pytest.mark.parametrize(("missing", "cause"), [(1, None), (2, Cause.TAIL_LOSS_PROBE), (11, Cause.RTO)])
def test_the_first_data_to_pass_had_been_sent_with_all_of_its_flight(missing: int, cause: Cause | None) -> None:
    """The acknowledgment of the SYN/ACK is missing, and what else is, was data: so the first of it comes again."""
    talk = Talk()
    talk.segments[:] = [replace(talk.segments[0], ip_id=100), talk.segments[1]]
    frame = talk.send(340, 0, ip_id=101 + missing)
    talk.ack(356, 1)
    said = [(int(verdict.row["frame"]), verdict.says) for verdict in talk.verdicts()]
    assert said == ([(frame, (cause, *NEEDED_BEFORE))] if cause else [])


@pytest.mark.parametrize(("ttl", "number"), [(128, 112), (64, 40_000)])
def test_of_other_hosts_missing_numbers_tell_nothing_before_any_data(ttl: int, number: int) -> None:
    """They number the packets of all connections by one counter, or at random."""
    talk = Talk()
    talk.segments[:] = [replace(one, ip_id=100, ttl=ttl) for one in talk.segments[:1]] + talk.segments[1:2]
    talk.send(340, 0, ip_id=number, ttl=ttl)
    talk.ack(356, 1)
    assert not talk.verdicts()
