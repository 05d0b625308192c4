"""The truth about runs made by hand."""

from tests.lab.captures import capture
from tests.lab.headers import SYN
from tests.lab.kernel import LOSS, RECOVERY
from tests.lab.made import Hand
from tests.lab.settings import CaptureFaults
from tests.lab.truth import Row, know, rows

NONE = CaptureFaults()
SYN_SENT = 2
TLP = 5


def _rows(hand: Hand, faults: CaptureFaults = NONE, seed: str = "1") -> list[Row]:
    run = hand.run()
    captures = [capture(run.passings, point, faults, seed) for point in range(3)]
    return list(rows(run, know(run), captures))


def _said(rows: list[Row], capture: str = "sender") -> list[tuple[str, str, str]]:
    return [(row.cause, row.needed, row.place) for row in rows if row.capture == capture]


def test_a_timeout_of_what_was_lost() -> None:
    hand = Hand()
    hand.open()
    hand.send(50, 1, 1000, lost=0)
    hand.timeout(300, 1, 1001)
    hand.send(300, 1, 1000)
    found = _rows(hand)
    assert _said(found) == [("rto", "needed", "after_sensor")]
    assert _said(found, "middle") == [("rto", "needed", "before_sensor")]
    assert _said(found, "receiver") == [("rto", "needed", "before_sensor")]
    assert [row.frame for row in found] == [5, 4, 4]
    assert {row.episode for row in found} == {1}


def test_the_place_is_seen_from_the_sensor() -> None:
    hand = Hand()
    hand.open()
    hand.send(50, 1, 1000, lost=1)
    hand.timeout(300, 1, 1001)
    hand.send(300, 1, 1000)
    found = _rows(hand)
    assert [row.place for row in found] == ["after_sensor", "after_sensor", "before_sensor"]
    assert "seen=1" in found[1].evidence
    assert "seen=0" in found[2].evidence


def test_what_was_delivered_is_repeated_in_vain() -> None:
    hand = Hand()
    hand.open()
    hand.send(50, 1, 1000)
    hand.repeat(70, 1, 1001, pending=TLP)
    hand.send(70, 1, 1000)
    assert set(_said(_rows(hand))) == {("tail_loss_probe", "spurious", "unknown")}


def test_a_host_that_threw_segments_away_leaves_the_need_open() -> None:
    hand = Hand(thrown_away=(0, 3))
    hand.open()
    hand.send(50, 1, 1000)
    hand.timeout(300, 1, 1001)
    hand.send(300, 1, 1000)
    assert _said(_rows(hand)) == [("rto", "unknown", "unknown")]


def test_a_repeat_is_needed_if_a_part_of_it_was_lost() -> None:
    hand = Hand()
    hand.open()
    hand.send(50, 1, 1000)
    hand.send(50, 1001, 1000, lost=1)
    hand.timeout(300, 1, 2001)
    hand.send(300, 1, 2000)
    assert _said(_rows(hand)) == [("rto", "needed", "after_sensor")]


def test_the_place_is_that_of_the_last_copy() -> None:
    hand = Hand()
    hand.open()
    hand.send(50, 1, 1000, lost=0)
    hand.timeout(300, 1, 1001)
    hand.send(300, 1, 1000, lost=1)
    hand.repeat(700, 1, 1001, LOSS, 0)
    hand.send(700, 1, 1000)
    found = _said(_rows(hand), "middle")
    assert found == [("rto", "needed", "before_sensor"), ("rto", "needed", "after_sensor")]


def test_only_the_first_repeat_of_fast_recovery_is_a_fast_retransmit() -> None:
    hand = Hand()
    hand.open()
    for number in range(6):
        hand.send(50, 1 + number * 100, 100, lost=0 if number in {0, 2} else -1)
    hand.recover(90, 1, 101)
    hand.send(90, 1, 100)
    hand.repeat(95, 201, 301, RECOVERY)
    hand.send(95, 201, 100)
    found = _rows(hand)
    assert [row.cause for row in found if row.capture == "sender"] == ["fast_retransmit", "recovery"]
    assert len({row.episode for row in found}) == 1


def test_fast_recovery_may_begin_while_the_timer_of_a_probe_is_set() -> None:
    hand = Hand()
    hand.open()
    for number in range(3):
        hand.send(50, 1 + number * 100, 100, lost=0 if number < 2 else -1)
    hand.enter(90, RECOVERY)
    hand.repeat(90, 1, 101, RECOVERY, TLP)
    hand.send(90, 1, 100)
    hand.repeat(91, 101, 201, RECOVERY)
    hand.send(91, 101, 100)
    assert [row.cause for row in _rows(hand) if row.capture == "sender"] == ["fast_retransmit", "recovery"]


def test_one_event_may_cover_two_segments() -> None:
    hand = Hand()
    hand.open()
    hand.send(50, 1, 100, lost=0)
    hand.send(50, 101, 100, lost=0)
    hand.send(50, 201, 100)
    hand.recover(90, 1, 201)
    hand.send(90, 1, 100)
    hand.send(90, 101, 100)
    assert [row.cause for row in _rows(hand) if row.capture == "sender"] == ["fast_retransmit", "recovery"]
    assert know(hand.run()).unseen == []


def test_an_event_without_its_packet_is_found() -> None:
    hand = Hand()
    hand.open()
    hand.send(50, 1, 100, lost=0)
    hand.timeout(300, 1, 101)
    assert [event.end - event.seq for event in know(hand.run()).unseen] == [100]


def test_a_repeat_without_an_event_is_unknown() -> None:
    hand = Hand()
    hand.open()
    hand.send(50, 1, 100)
    hand.send(90, 1, 100)
    assert _said(_rows(hand)) == [("unknown", "spurious", "unknown")]


def test_repeats_after_a_timeout_are_its_recovery() -> None:
    hand = Hand()
    hand.open()
    hand.send(50, 1, 100, lost=0)
    hand.send(50, 101, 100, lost=0)
    hand.timeout(300, 1, 101)
    hand.send(300, 1, 100)
    hand.send(311, 1, ack=101, direction="backward")
    hand.repeat(320, 101, 201, LOSS, 1)
    hand.send(320, 101, 100)
    found = [row for row in _rows(hand) if row.capture == "sender"]
    assert [row.cause for row in found] == ["rto", "recovery"]
    assert found[0].episode == found[1].episode


def test_an_episode_ends_with_the_acknowledgement_of_all_that_was_sent() -> None:
    hand = Hand()
    hand.open()
    hand.send(50, 1, 100, lost=0)
    hand.timeout(300, 1, 101)
    hand.send(300, 1, 100)
    hand.send(311, 1, ack=101, direction="backward")
    hand.send(330, 101, 100, lost=0)
    hand.timeout(600, 101, 201)
    hand.send(600, 101, 100)
    assert [row.episode for row in _rows(hand) if row.capture == "sender"] == [1, 2]


def test_what_the_kernel_calls_the_same_recovery_is_one_episode() -> None:
    """Without SACK it leaves recovery only when more than what had been sent at its beginning is acknowledged."""
    hand = Hand()
    hand.open()
    for number in range(3):
        hand.send(50, 1 + number * 100, 100, lost=0 if not number else -1)
    hand.recover(90, 1, 101)
    hand.send(90, 1, 100)
    hand.send(95, 301, 100, lost=0)
    hand.repeat(120, 301, 401, RECOVERY, una=301)
    hand.send(120, 301, 100)
    assert [row.episode for row in _rows(hand) if row.capture == "sender"] == [1, 1]


def test_a_syn_again() -> None:
    hand = Hand()
    hand.send(0, 0, flags=SYN, lost=0)
    hand.repeat(1000, 0, 1, LOSS, 0, state=SYN_SENT, una=0)
    hand.send(1000, 0, flags=SYN)
    assert _said(_rows(hand)) == [("syn_retry", "needed", "after_sensor")]


def test_the_kernel_tells_probes_apart() -> None:
    hand = Hand()
    hand.open()
    hand.send(50, 1, 100)
    hand.send(60, 1, ack=101, direction="backward")
    for at, is_window in ((300, True), (700, True), (2000, False)):
        hand.probe(at, is_window=is_window)
        hand.send(at, 100)
    found = [row for row in _rows(hand) if row.capture == "middle"]
    assert [row.cause for row in found] == ["zero_window_probe", "zero_window_probe", "keep_alive"]
    assert {row.needed for row in found} == {"unknown"}
    assert len({row.episode for row in found}) == 1


def test_what_is_held_back_is_out_of_order_where_it_comes_late() -> None:
    hand = Hand()
    hand.open()
    hand.send(50, 1, 100, held=10)
    hand.send(51, 101, 100)
    found = _rows(hand)
    assert [(row.capture, row.cause) for row in found] == [("middle", "reordering"), ("receiver", "reordering")]


def test_the_network_doubles_a_packet() -> None:
    hand = Hand()
    hand.open()
    hand.send(50, 1, 100, doubled=1)
    found = _rows(hand)
    assert [(row.capture, row.cause) for row in found] == [("receiver", "network_duplicate")]


def test_a_capture_doubles_every_frame() -> None:
    hand = Hand()
    hand.open()
    found = _rows(hand, CaptureFaults(twice=1.0))
    assert [(row.capture, row.frame) for row in found if row.cause == "capture_duplicate"] == [
        (name, frame) for name in ("sender", "middle", "receiver") for frame in (2, 4, 6)
    ]
    assert len(found) == 9


def _at_the_middle_without(hand: Hand, *packets: int) -> list[Row]:
    """Return rows where the middle's capture omits some packets."""
    run = hand.run()
    captures = [capture(run.passings, point, NONE, "1") for point in range(3)]
    kept = [frame for frame in captures[1].frames if frame.packet not in packets]
    gone = {frame.packet: frame.time for frame in captures[1].frames if frame.packet in packets}
    captures[1] = captures[1]._replace(frames=kept, omitted=gone)
    return [row for row in rows(run, know(run), captures) if row.capture == "middle"]


def _omitting(packet: int) -> list[Row]:
    """Return rows where the middle's capture omits one packet."""
    hand = Hand()
    hand.open()
    for number in range(3):
        hand.send(50 + number, 1 + number * 100, 100, lost=1 if number == 1 and packet == 4 else -1)
    hand.send(80, 1, ack=301, direction="backward")
    return _at_the_middle_without(hand, packet)


def test_a_gap_of_the_capture_is_shown_by_the_next_segment() -> None:
    found = _omitting(3)
    assert [(row.capture, row.cause, row.frame) for row in found] == [("middle", "capture_loss", 4)]


def test_a_gap_at_the_end_is_shown_by_its_acknowledgement() -> None:
    found = _omitting(5)
    assert [(row.capture, row.cause, row.frame) for row in found] == [("middle", "capture_loss", 6)]


def test_what_the_network_lost_too_is_no_loss_of_the_capture() -> None:
    found = _omitting(4)
    assert found == []


def _with_a_repeat(lost: int, *omitted: int) -> list[tuple[str, int]]:
    """Return causes and frames at the middle: packet 4 of three is lost at a link, and packet 7 repeats it."""
    hand = Hand()
    hand.open()
    for number in range(3):
        hand.send(50 + number, 1 + number * 100, 100, lost=lost if number == 1 else -1)
    hand.send(70, 1, ack=101, direction="backward")
    hand.recover(90, 101, 201)
    hand.send(90, 101, 100)
    hand.send(120, 1, ack=301, direction="backward")
    return [(row.cause, row.frame) for row in _at_the_middle_without(hand, *omitted)]


def test_a_repeat_that_the_capture_lacks_is_shown_by_its_acknowledgement() -> None:
    assert _with_a_repeat(0, 7) == [("capture_loss", 7)]
    assert _with_a_repeat(1, 4, 7) == [("capture_loss", 7)]


def test_nothing_shows_that_the_repeat_of_what_passed_is_missing() -> None:
    assert _with_a_repeat(1, 7) == []


def test_what_is_sent_again_in_vain_is_not_shown_twice_to_be_missing() -> None:
    assert _with_a_repeat(-1, 4, 7) == [("capture_loss", 5)]


def test_what_was_sent_before_the_capture_began_is_not_missing() -> None:
    assert _with_a_repeat(-1, 0, 2) == [("fast_retransmit", 6)]
