"""What tells probes from timeouts, and timers from acknowledgments, beside the silence: echoes, pushes, numbers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from segwatch.output.verdict_table import final
from segwatch.vocabulary import Cause, Proof
from tests.processors.builder import columns
from tests.processors.verdicts.talk import CLIENT_ISN, NEEDED_BEFORE, SIZE, SPURIOUS, Talk, Verdict, judged

_PROBE, _TIMEOUT = Cause.TAIL_LOSS_PROBE, Cause.RTO


def _causes(verdicts: Sequence[Verdict]) -> list[Cause]:
    return [verdict.cause for verdict in verdicts]


def _undecided(near: float = 16, far: float = 4) -> tuple[Talk, float]:
    """Return a talk whose only repeat may have been a probe or a timeout, and a time after it.

    More has been acknowledged since, so that its sender may probe again.
    """
    talk = Talk(near=near, far=far)
    at = talk.warm(9) + 40
    talk.send(at, 9)
    talk.send(at + 225, 9)
    talk.ack(at + 241, 10)
    talk.send(at + 260, 10)
    talk.ack(at + 264, 11)
    return talk, at + 300


def _fly(talk: Talk, at: float, heard: float, third: float, flags: str = "A") -> None:
    """Send two segments, let the first be acknowledged, and send a third that echoes that."""
    talk.send(at, 11)
    talk.send(at, 12, flags=flags)
    talk.ack(at + heard, 12)
    talk.send(at + third, 13, tsecr=talk.segments[-1].tsval)


def test_what_echoes_an_acknowledgment_was_not_sent_before_it() -> None:
    """The first two were held up on their way to the sensor, so the third followed sooner than in any round trip."""
    talk, at = _undecided()
    _fly(talk, at, heard=2, third=12)
    assert talk.only().cause is _TIMEOUT


@pytest.mark.parametrize(("flags", "cause"), [("A", _TIMEOUT), ("PA", _PROBE)])
def test_a_segment_that_is_not_pushed_is_not_the_last_of_what_there_was(flags: str, cause: Cause) -> None:
    """The third is late: its application may have given it only then, unless the second was not pushed."""
    talk, at = _undecided()
    _fly(talk, at, heard=4, third=50, flags=flags)
    assert talk.only().cause is cause


@pytest.mark.parametrize(("between", "first"), [(240, _PROBE), (370, _PROBE), (450, _TIMEOUT)])
def test_a_timeout_after_a_probe_may_take_longer_than_that(between: float, first: Cause) -> None:
    """After a timeout the timer runs twice as long; after a probe as long as a timeout does, whatever that is."""
    talk, at = _undecided()
    talk.send(at, 11)
    talk.send(at + 225, 11)
    talk.send(at + 225 + between, 11)
    talk.ack(at + 241 + between, 12)
    assert _causes(talk.verdicts()) == [first, first, _TIMEOUT]


@pytest.mark.parametrize("passed", [True, False])
@pytest.mark.parametrize(
    ("silence", "causes"),
    [(450, [_PROBE, _TIMEOUT]), (670, [_TIMEOUT, _TIMEOUT]), (550, [_PROBE, _TIMEOUT]), (2000, [_PROBE, _TIMEOUT])],
)
def test_a_repeat_between_that_did_not_pass(silence: float, causes: list[Cause], *, passed: bool) -> None:
    """After a probe the timer ran as long again, after a timeout twice as long; the other silences tell nothing."""
    talk, at = _undecided()
    if passed:
        talk.send(at, 11)
    else:
        talk.ack(at, 11)
        talk.lose()
    talk.lose()
    talk.send(at + silence, 11)
    talk.ack(at + silence + 16, 12)
    talk.send(at + 8600, 12)
    talk.ack(at + 8616, 13)
    talk.send(at + 9000, 13)
    talk.send(at + 9225, 13)
    *verdicts, last = talk.verdicts()
    assert _causes(verdicts) == causes
    assert last.cause is causes[0]
    assert (Proof.HABIT in last.proof) is (silence in (450, 670))


def test_a_packet_of_data_that_is_missing_was_in_flight() -> None:
    """Only one timer has run out by then: so what is missing was no repeat, and there was no probe."""
    talk, at = _undecided()
    talk.send(at, 11)
    talk.lose()
    talk.send(at + 225, 11)
    talk.ack(at + 241, 12)
    assert _causes(talk.verdicts()) == [_TIMEOUT, _TIMEOUT]


def test_what_is_missing_may_have_been_an_acknowledgment() -> None:
    talk, at = _undecided()
    talk.send(at, 11)
    talk.answer(at + 1, 11)
    talk.lose()
    talk.send(at + 240, 11)
    talk.ack(at + 256, 12)
    assert _causes(talk.verdicts()) == [_PROBE, _PROBE]


@pytest.mark.parametrize(("silence", "cause"), [(225, _TIMEOUT), (270, _PROBE)])
def test_a_timeout_of_several_that_never_passed(silence: float, cause: Cause) -> None:
    """A probe would have gone before it, and the timer have run anew: two round trips later."""
    talk, at = _undecided()
    for _ in range(3):
        talk.lose()
    talk.send(at + silence - 17, 11)
    first, second = talk.verdicts()
    assert first.cause is cause
    assert second.says == (_TIMEOUT, *NEEDED_BEFORE)


@pytest.mark.parametrize(("reported", "sack"), [(False, True), (True, True), (False, False)])
def test_what_is_forgotten_was_acknowledged_and_its_sender_has_not_heard_so(*, reported: bool, sack: bool) -> None:
    """Held up with what went before, so that no silence shows; unless reports of losses may have released it."""
    talk = Talk(near=40, far=0.2, sack=sack)
    talk.send(100, *range(8))
    talk.ack(100.2, 8)
    talk.send(400, *range(8, 14))
    if reported:
        talk.ack(401, 8, (9, 14))
    talk.send(450 if reported else 401, 3, tsval=7390)
    assert not talk.verdicts()[-1].row["original_frame"]
    cause = _TIMEOUT if sack and not reported else Cause.FAST_RETRANSMIT
    assert talk.verdicts()[-1].says == (cause, *SPURIOUS)


@pytest.mark.parametrize(("echo", "cause"), [(7105, _TIMEOUT), (7120, Cause.FAST_RETRANSMIT)])
def test_a_sender_has_heard_of_no_report_that_is_later_than_what_it_echoes(echo: int, cause: Cause) -> None:
    """The reports were held up on their way to the sender."""
    talk = Talk(near=20, far=4)
    talk.send(100, *range(10))
    talk.ack(104, 4, tsval=7105)
    talk.ack(105, 4, (5, 10), tsval=7120)
    talk.send(210, 4, tsecr=echo)
    verdict = talk.only()
    assert verdict.cause is cause
    assert (Proof.LOSS_REPORTED in verdict.proof) is (cause is Cause.FAST_RETRANSMIT)


@pytest.mark.parametrize(("silence", "found"), [(262, True), (300, False)])
def test_a_probe_of_one_segment_waits_two_round_trips_and_a_delayed_acknowledgment(
    silence: float, *, found: bool
) -> None:
    """What the peer sent in between may have been answered by the packet that is missing."""
    talk = Talk()
    at = talk.warm()
    talk.answer(at, 10)
    talk.lose()
    talk.send(at + silence, 10)
    assert bool(talk.verdicts()) is found


def test_what_the_capture_lacks_was_not_in_flight() -> None:
    """Identifications are missing of what was acknowledged: so nothing tells how many are of what was in flight."""
    talk, at = _undecided()
    for _ in range(4):
        talk.lose()
    talk.ack(at, 14)
    talk.send(at + 225, 14)
    probe = talk.verdicts()[0]
    assert probe.cause is _PROBE


@pytest.mark.parametrize(("waited", "found"), [(3, True), (-3, False)])
def test_an_empty_segment_tells_that_more_was_sent_than_passed(waited: int, *, found: bool) -> None:
    """What begins below its number, and was sent later, is a repeat; what was sent sooner comes late."""
    talk = Talk()
    at = talk.warm()
    talk.lose()
    talk.ack(at + 230, 10)
    talk.probe(at + 235, CLIENT_ISN + 1 + 11 * SIZE)
    frame = talk.send(at + 238, 10, tsval=round(at) + 7235 + waited)
    said = [(int(verdict.row["frame"]), verdict.says) for verdict in talk.verdicts()]
    assert said == ([(frame, (_PROBE, *NEEDED_BEFORE))] if found else [])


@pytest.mark.parametrize("stamped", [True, False])
def test_a_fin_that_never_passed_is_told_by_the_number_behind_it(*, stamped: bool) -> None:
    """Its identification tells that it was sent after that, where there are no timestamps."""
    talk = Talk(stamped=stamped)
    at = talk.warm()
    talk.lose()
    talk.ack(at + 230, 10)
    talk.probe(at + 235, CLIENT_ISN + 2 + 10 * SIZE)
    frame = talk.send(at + 238, 10, length=0, flags="FA")
    assert int(talk.only().row["frame"]) == frame
    assert talk.only().says == (_PROBE, *NEEDED_BEFORE)


@pytest.mark.parametrize(("between", "first"), [(232, _PROBE), (444, _TIMEOUT)])
def test_a_timer_runs_whatever_its_sender_hears_again(between: float, first: Cause) -> None:
    """The peer asks again just before the first repeat: the silence is short, and tells nothing of the timer."""
    talk = Talk()
    at = talk.warm() + 100
    talk.answer(at, 10)
    talk.send(at + 4, 10)
    talk.answer(at + 220, 10)
    talk.send(at + 226, 10)
    talk.send(at + 226 + between, 10)
    talk.ack(at + 242 + between, 11)
    verdicts = [one for one in talk.verdicts() if one.row["from_client"]]
    assert _causes(verdicts) == [first, _TIMEOUT]


def test_what_comes_late_was_not_claimed_before_it_was_sent() -> None:
    talk = Talk(stamped=False)
    at = talk.warm()
    talk.lose()
    talk.probe(at + 1, CLIENT_ISN + 1 + 11 * SIZE)
    talk.send(at + 2, 10, ip_id=talk.segments[-1].ip_id - 1)
    assert not talk.verdicts()


def test_two_timers_have_run_since_the_only_segment_in_flight_was_sent() -> None:
    """The first repeat did not pass; that the peer asked again in between makes the silence as short as one timer."""
    talk = Talk()
    at = talk.warm() + 100
    talk.answer(at, 10)
    talk.send(at + 4, 10)
    talk.answer(at + 230, 10)
    talk.lose()
    talk.send(at + 468, 10)
    assert [one.cause for one in talk.verdicts() if one.row["from_client"]] == [_TIMEOUT]


def test_what_was_claimed_is_told_by_what_is_learnt_of_its_sender() -> None:
    talk, at = _undecided()
    _fly(talk, at, heard=4, third=8)
    talk.ack(at + 12, 14)
    talk.probe(at + 235, CLIENT_ISN + 1 + 15 * SIZE)
    talk.send(at + 238, 14)
    talk.ack(at + 250, 15)
    talk.send(at + 300, 15)
    assert _causes(talk.verdicts()) == [_TIMEOUT, _TIMEOUT]


def _of_a_repeated_fin(shift: int) -> list[Any]:
    """Return the verdicts on a FIN that was acknowledged and comes again, with all timestamps moved by ``shift``."""
    talk = Talk(sack=False)
    at = talk.warm()
    talk.send(at, 9)
    talk.ack(at + 16, 10)
    talk.send(at + 40, 10, length=0, flags="FA")
    talk.ack(at + 56, 10)
    talk.segments[-1] = replace(talk.segments[-1], ack=talk.segments[-1].ack + 1)
    talk.send(at + 340, 10, length=0, flags="FA")
    moved = [
        replace(one, tsval=(one.tsval + shift) % 2**32, tsecr=(one.tsecr + shift) % 2**32 if one.tsecr else 0)
        for one in talk.segments
    ]
    names = ["frame", "cause", "needed", "confidence", "silence"]
    return [tuple(row[name].item() for name in names) for row in final(judged(columns(moved)))]


@pytest.mark.parametrize("shift", [10**9, 2**32 - 7700, 2**32 - 8 * 10**6])
def test_a_fin_with_nothing_left_before_it_is_judged_alike_wherever_timestamps_are(shift: int) -> None:
    assert _of_a_repeated_fin(shift) == _of_a_repeated_fin(0)
    assert len(_of_a_repeated_fin(0)) == 2
